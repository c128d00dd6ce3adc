"""JSON Schemas of the three kinds of YAML file, from the classes that read and write them.

They are for editors. What Dify accepts is valid: keys that the format does not have, ``null`` for
keys that may be absent, numbers that Go and PyYAML read in either form.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from xinfer.schema import (
    REFUSES_OTHER_KEYS,
    Choice,
    Field,
    Limits,
    ListOf,
    Object,
    OneOf,
    Scalar,
    Type,
    in_yaml,
    summary_of,
    yaml_fields,
)
from xinfer.spec import Manifest, Model, Provider
from xinfer.spec.declaration import Declaration

DIALECT = "https://json-schema.org/draft/2020-12/schema"
KINDS: Mapping[str, type[Declaration]] = {
    "manifest": Manifest,
    "provider": Provider,
    "model": Model,
}
"""The class that declares each kind of file."""

_SCALARS: Mapping[type, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    Decimal: {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"},
    date: {"type": "string", "format": "date-time"},
}
_NULL = {"type": "null"}


def json_schema(kind: type[Declaration]) -> dict[str, Any]:
    """Make the schema (draft 2020-12) of a file that holds one object of a class."""
    definitions: dict[str, Any] = {}
    return {"$schema": DIALECT, **_reference(kind, definitions), "$defs": definitions}


def _reference(kind: type[Declaration], definitions: dict[str, Any]) -> dict[str, Any]:
    name = kind.__name__
    if name not in definitions:
        definitions[name] = {}  # there from now on, should the class hold itself
        definitions[name] = _object(kind, definitions)
    return {"$ref": f"#/$defs/{name}"}


def _object(kind: type[Declaration], definitions: dict[str, Any]) -> dict[str, Any]:
    fields = yaml_fields(kind).values()
    required = [field.name for field in fields if field.required_key]
    return {
        "title": kind.__name__,
        "description": summary_of(kind),
        "type": "object",
        "properties": {field.name: _property(field, definitions) for field in fields},
        **({"required": required} if required else {}),
        **({"additionalProperties": False} if kind in REFUSES_OTHER_KEYS else {}),
    }


def _property(field: Field, definitions: dict[str, Any]) -> dict[str, Any]:
    schema = _type(field.type, definitions)
    about: dict[str, Any] = {"description": field.about} if field.about else {}
    default = field.default
    if isinstance(default, str | bool | int) and default != "":
        about["default"] = default.value if isinstance(default, StrEnum) else default
    if field.limits.of_package:
        schema = _limited(schema, field.limits)
    if field.reads_null and not field.holds_none:
        schema = _any_of([schema, _NULL])
    return {**about, **schema}


def _type(of: Type, definitions: dict[str, Any]) -> dict[str, Any]:
    match of:
        case OneOf():
            # Expressions are evaluated at run time, and never written.
            schemas = [_type(alternative, definitions) for alternative in in_yaml(of)]
            return _any_of([*schemas, _NULL] if of.fits(None) else schemas)
        case Choice():
            return {"enum": list(of.words)}
        case ListOf():
            return {"type": "array", "items": _type(of.item, definitions)}
        case Object():
            return _reference(of.kind, definitions)
        case Scalar():
            return dict(_SCALARS[of.kind])
        case _:
            return {}


def _any_of(schemas: list[dict[str, Any]]) -> dict[str, Any]:
    """Join schemas; plain types share one list, as editors show it best."""
    if all(set(schema) == {"type"} for schema in schemas):
        return {"type": [schema["type"] for schema in schemas]}
    return {"anyOf": schemas} if len(schemas) > 1 else schemas[0]


def _limited(schema: dict[str, Any], limits: Limits) -> dict[str, Any]:
    """Add limits, each under the keyword that applies to the type."""
    types = schema.get("type", "string")
    kind = types if isinstance(types, str) else types[0]
    least, most = _KEYWORDS[kind]
    limited = {least: limits.least, most: limits.most, "pattern": limits.anchored}
    return schema | {keyword: limit for keyword, limit in limited.items() if limit is not None}


_KEYWORDS = {
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "integer": ("minimum", "maximum"),
}
