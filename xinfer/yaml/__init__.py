"""Spec to YAML and back, lossless."""

from xinfer.yaml.convert import DEMANDED, Keep, to_data, to_spec, written_fields
from xinfer.yaml.document import Document, read_document
from xinfer.yaml.emit import to_yaml
from xinfer.yaml.fault import DocumentError, Fault
from xinfer.yaml.nodes import compose
from xinfer.yaml.read import read_spec

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
