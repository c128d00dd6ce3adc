"""Spec to YAML and back, lossless."""

from xinfer.serde.convert import DEMANDED, Keep, to_data, to_spec, written_fields
from xinfer.serde.document import Document, read_document
from xinfer.serde.emit import to_yaml
from xinfer.serde.fault import DocumentError, Fault
from xinfer.serde.nodes import compose
from xinfer.serde.read import read_spec

__all__ = [
    "DEMANDED",
    "Document",
    "DocumentError",
    "Fault",
    "Keep",
    "compose",
    "read_document",
    "read_spec",
    "to_data",
    "to_spec",
    "to_yaml",
    "written_fields",
]
