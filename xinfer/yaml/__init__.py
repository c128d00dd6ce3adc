"""Spec to YAML and back, lossless."""

from xinfer.yaml.comments import comments_in
from xinfer.yaml.data import to_data
from xinfer.yaml.document import Document, read_document
from xinfer.yaml.emit import to_yaml
from xinfer.yaml.fault import DocumentError, Fault
from xinfer.yaml.nodes import compose
from xinfer.yaml.read import Keep, read_spec, read_what_fits

__all__ = [
    "Document",
    "DocumentError",
    "Fault",
    "Keep",
    "comments_in",
    "compose",
    "read_document",
    "read_spec",
    "read_what_fits",
    "to_data",
    "to_yaml",
]
