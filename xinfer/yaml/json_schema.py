"""JSON Schemas of the three kinds of YAML file, from the classes that read and write them.

They are for editors. What every gate accepts is valid: keys that the format does not know, ``null``
for what may be left out, numbers where Go and PyYAML take either form.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import attrs

from xinfer.spec import Declaration, Manifest, Model, ModelProperties, Provider
from xinfer.spec.conditions import Expression
from xinfer.yaml.convert import DEMANDED, written_fields

DIALECT = "https://json-schema.org/draft/2020-12/schema"
KINDS: Mapping[str, type[Declaration]] = {
    "manifest": Manifest,
    "provider": Provider,
    "model": Model,
}
"""The class that declares each kind of file."""

_PLAIN: Mapping[Any, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    Decimal: {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"},
    date: {"type": "string", "format": "date-time"},
    NoneType: {"type": "null"},
    Any: {},
}
_NULL_TOO = frozenset({(Model, "features")})
"""Lists that the SDK reads null for."""
_NO_OTHER_KEYS = frozenset({ModelProperties})
"""What the SDK refuses unknown keys in."""


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
    summary, told = _docstring(kind)
    fields = written_fields(kind)
    properties = {}
    for field in fields:
        said = _type(field.type, definitions)
        if (kind, field.name) in _NULL_TOO:
            said = _any_of([said, _PLAIN[NoneType]])
        about: dict[str, Any] = {}
        if field.name in told:
            about["description"] = told[field.name]
        default = field.default
        if isinstance(default, str | bool | int) and default not in ("", ()):
            about["default"] = default.value if isinstance(default, StrEnum) else default
        properties[field.name] = {**about, **said}
    required = [
        field.name
        for field in fields
        if field.default is attrs.NOTHING or field.name in DEMANDED.get(kind, ())
    ]
    return {
        "title": kind.__name__,
        "description": summary,
        "type": "object",
        "properties": properties,
        **({"required": required} if required else {}),
        **({"additionalProperties": False} if kind in _NO_OTHER_KEYS else {}),
    }


def _type(annotation: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        # Terms are completed at run time, and never written.
        kinds = [argument for argument in arguments if argument is not Expression]
        return _any_of([_type(argument, definitions) for argument in kinds])
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is tuple:
        return {"type": "array", "items": _type(arguments[0], definitions)}
    if origin is not None:
        return {"type": "object"}
    if isinstance(annotation, type) and issubclass(annotation, Declaration):
        return _reference(annotation, definitions)
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return {"enum": [word.value for word in annotation]}
    return dict(_PLAIN[annotation])


def _any_of(schemas: list[dict[str, Any]]) -> dict[str, Any]:
    """Join schemas; plain types share one list, as editors show it best."""
    if all(set(schema) == {"type"} for schema in schemas):
        return {"type": [schema["type"] for schema in schemas]}
    return {"anyOf": schemas} if len(schemas) > 1 else schemas[0]


def _docstring(kind: type) -> tuple[str, dict[str, str]]:
    """Take a class's docstring apart: its first line, and what it says of each field."""
    text = inspect.getdoc(kind) or ""
    return text.partition("\n")[0], dict(_parameters(text))


def _parameters(text: str) -> Iterator[tuple[str, str]]:
    for found in re.finditer(r"^:param (\w+): (.*?)(?=^:|^\S|\Z)", text, re.MULTILINE | re.DOTALL):
        words = " ".join(found[2].replace("``", "").split())
        yield found[1], words[:1].upper() + words[1:]
