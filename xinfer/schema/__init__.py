"""What the declared classes are made of, for all that reads, writes or checks them."""

from xinfer.schema.fields import (
    REFUSES_OTHER_KEYS,
    REQUIRED_KEYS,
    Field,
    Limits,
    fields_of,
    per_class,
    required_fields,
    source_of,
    summary_of,
    yaml_fields,
)
from xinfer.schema.path import dotted, steps_of
from xinfer.schema.source import span_of
from xinfer.schema.types import (
    ABSENT,
    Choice,
    InPython,
    ListOf,
    Object,
    OneOf,
    Scalar,
    Type,
    in_yaml,
    type_of,
)
from xinfer.schema.walk import expressions, walk

__all__ = [
    "ABSENT",
    "REFUSES_OTHER_KEYS",
    "REQUIRED_KEYS",
    "Choice",
    "Field",
    "InPython",
    "Limits",
    "ListOf",
    "Object",
    "OneOf",
    "Scalar",
    "Type",
    "dotted",
    "expressions",
    "fields_of",
    "in_yaml",
    "per_class",
    "required_fields",
    "source_of",
    "span_of",
    "steps_of",
    "summary_of",
    "type_of",
    "walk",
    "yaml_fields",
]
