"""Declared objects to plain data: mappings, lists, texts, numbers and switches, as YAML holds them.

A field that was not given and has its default is left out, except keys whose absence the daemon
and the SDK understand differently.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any

from xinfer.schema import yaml_fields
from xinfer.spec.declaration import Declaration


def to_data(declared: Declaration) -> dict[str, Any]:
    """Turn a declared object into what YAML holds; keys in the order of the class's fields.

    :raises TypeError: a field holds a value of another type than it is declared with.
    """
    data: dict[str, Any] = {}
    for field in yaml_fields(type(declared)).values():
        value = getattr(declared, field.name)
        is_given = field.name in declared.explicit and value is not None
        if is_given or field.always_written or value != field.default:
            if not field.type.fits(value):
                raise TypeError(f"{field.name} is {value!r}, expected {field.type}")
            data[field.name] = _plain(value)
    return {**data, **declared.extra_keys}


def _plain(value: Any) -> Any:
    match value:
        case Declaration():
            return to_data(value)
        case tuple():
            return [_plain(item) for item in value]
        case StrEnum():
            return value.value
        case Decimal():
            return format(value, "f")
        case _:
            return value
