"""Spec to plain data and back, through one cattrs converter.

Data is what YAML holds: mappings in the order of declaration, lists, strings, numbers and
booleans. What was not said and equals its default is left out, except the keys whose absence the
daemon and the SDK understand differently.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from enum import Enum, StrEnum
from functools import cache
from typing import Any, get_args

import attrs
from cattrs import AttributeValidationNote, BaseValidationError, Converter
from cattrs.cols import list_structure_factory
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from xinfer.spec import (
    CredentialSchema,
    Declaration,
    Manifest,
    Meta,
    Model,
    ParameterRule,
    Provider,
    Resource,
    Runner,
    StoragePermission,
)
from xinfer.spec.conditions import Expression

_EMPTY_IS_NOTHING: dict[type, frozenset[str]] = {
    Model: frozenset({"label"}),
    ParameterRule: frozenset({"label"}),
}
"""Keys whose empty mapping the daemon and the SDK take for none."""
DEMANDED: dict[type, tuple[str, ...]] = {
    Manifest: ("type", "resource", "plugins", "meta"),
    Resource: ("memory",),
    Meta: ("version", "arch", "runner"),
    Runner: ("language", "version", "entrypoint"),
    Provider: ("supported_model_types", "configurate_methods"),
}
"""Keys that have a default in a spec, and none to the daemon and the SDK."""
_ALWAYS_WRITTEN: dict[type, tuple[str, ...]] = {
    **DEMANDED,
    StoragePermission: ("size",),
    CredentialSchema: ("credential_form_schemas",),
}
_ONLY_IN_PYTHON = frozenset({"_site", "explicit", "extra_keys", "when", "file"})


def to_data(declared: Declaration) -> dict[str, Any]:
    """Turn a declared object into what YAML holds."""
    data: dict[str, Any] = _converter().unstructure(declared)
    return data


class Keep(Enum):
    """What is kept as ``extra_keys`` of an object, instead of being refused.

    ``STRAY`` are keys that the format does not know, and keys that may be left out and are null;
    ``MISFITS`` are these, and keys that may be left out and whose value does not fit.
    """

    NOTHING = "nothing"
    STRAY = "stray"
    MISFITS = "misfits"


def to_spec[T: Declaration](data: object, kind: type[T], *, keep: Keep = Keep.NOTHING) -> T:
    """Turn plain data into a declared object.

    :raises cattrs.BaseValidationError: one tree of every mismatch in the data.
    """
    return _converter(keep).structure(data, kind)


@cache
def _converter(keep: Keep = Keep.NOTHING) -> Converter:
    converter = Converter(forbid_extra_keys=True)
    for kind, hook in _STRICT.items():
        converter.register_structure_hook(kind, hook)
    converter.register_structure_hook_factory(
        lambda kind: Decimal in get_args(kind), lambda _: _decimal
    )
    converter.register_structure_hook_factory(
        lambda kind: Expression in get_args(kind), lambda kind: _scalar_of(kind)
    )
    converter.register_structure_hook_factory(
        lambda kind: getattr(kind, "__origin__", None) is tuple,
        lambda kind: _list_of(kind, converter),
    )
    converter.register_unstructure_hook(StrEnum, lambda word: word.value)
    converter.register_unstructure_hook(Decimal, lambda number: format(number, "f"))
    converter.register_unstructure_hook_factory(
        lambda kind: getattr(kind, "__origin__", None) is tuple,
        lambda _: lambda items: [converter.unstructure(item) for item in items],
    )
    converter.register_unstructure_hook_factory(
        _is_declared, lambda kind: _writer_of(kind, converter)
    )
    converter.register_structure_hook_factory(
        _is_declared, lambda kind: _reader_of(kind, converter, keep)
    )
    return converter


def _is_declared(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Declaration)


def written_fields(kind: Any) -> list[attrs.Attribute[Any]]:
    """List the fields of a class that YAML holds."""
    declared = attrs.fields(attrs.resolve_types(kind))
    return [field for field in declared if field.name not in _ONLY_IN_PYTHON]


def _writer_of(kind: Any, converter: Converter) -> Any:
    always = _ALWAYS_WRITTEN.get(kind, ())
    left_out: dict[str, Any] = dict.fromkeys(_ONLY_IN_PYTHON, override(omit=True))
    write = make_dict_unstructure_fn(kind, converter, **left_out)
    defaults = {field.name: field.default for field in written_fields(kind)}

    def hook(declared: Any) -> dict[str, Any]:
        data, said = write(declared), declared.explicit
        kept = {}
        for name, default in defaults.items():
            value = getattr(declared, name)
            if value != default or name in always or (name in said and value is not None):
                kept[name] = data[name]
        return kept | declared.extra_keys if declared.extra_keys else kept

    return hook


def _reader_of(kind: Any, converter: Converter, keep: Keep) -> Any:
    left_out: dict[str, Any] = dict.fromkeys(_ONLY_IN_PYTHON, override(omit=True))
    read = make_dict_structure_fn(kind, converter, _cattrs_forbid_extra_keys=True, **left_out)
    if keep is Keep.NOTHING:
        return lambda data, _: read(_mapping(data), kind)
    known = {field.name for field in written_fields(kind)}
    as_nothing = _EMPTY_IS_NOTHING.get(kind, frozenset())

    def hook(data: Any, _: Any) -> Any:
        kept = {
            key: value
            for key, value in _mapping(data).items()
            if key in known and value is not None and not (value == {} and key in as_nothing)
        }
        try:
            declared = read(kept, kind)
        except BaseValidationError as error:
            if keep is Keep.STRAY:
                raise
            kept = {key: value for key, value in kept.items() if key not in _misfits(error, kind)}
            declared = read(kept, kind)
        if len(kept) < len(data):
            extra = {key: value for key, value in data.items() if key not in kept}
            object.__setattr__(declared, "extra_keys", extra)
        return declared

    return hook


def _misfits(error: BaseValidationError, kind: Any) -> set[str]:
    """Name the fields that can be left out and whose values do not fit."""
    optional = {f.name for f in attrs.fields(kind) if f.default is not attrs.NOTHING}
    return optional & {
        note.name
        for inner in error.exceptions
        for note in getattr(inner, "__notes__", ())
        if isinstance(note, AttributeValidationNote)
    }


def _mismatch(expected: str, value: object) -> ValueError:
    return ValueError(f"expected {expected}, got {_shown(value)}")


def _shown(value: object) -> str:
    """Name a value in YAML's words, short enough for one line."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _mapping(value: object) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise _mismatch("a mapping", value)


def _text(value: object, _: Any) -> str:
    if isinstance(value, str):
        return value
    hint = "" if value is None or isinstance(value, dict | list) else ": put it in quotes"
    raise ValueError(f"expected a string, got {_shown(value)}{hint}")


def _whole(value: object, _: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise _mismatch("a whole number", value)


def _number(value: object, _: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise _mismatch("a number", value)


def _switch(value: object, _: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise _mismatch("true or false", value)


_MOST_DIGITS = 100
"""Digits of a price; without a limit, 1e999999999 is written as a gigabyte of them."""


def _decimal(value: object, _: Any) -> Decimal | float:
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        if isinstance(value, str):
            number = Decimal(value)
            if number.is_finite() and abs(number.adjusted()) < _MOST_DIGITS:
                return number
    except InvalidOperation:
        pass
    raise _mismatch("a decimal number", value)


def _moment(value: object, _: Any) -> date | str:
    if isinstance(value, date | str):
        return value
    raise _mismatch("a time, e.g. 2026-01-31T00:00:00Z", value)


def _word(value: object, kind: type[StrEnum]) -> StrEnum:
    """Read one of an enum's words; the message lists them."""
    if isinstance(value, str) and value in list(kind):
        return kind(value)
    near = get_close_matches(value, kind, n=1) if isinstance(value, str) else []
    meant = f": did you mean {near[0]}?" if near else ""
    raise ValueError(f"expected one of {', '.join(kind)}, got {_shown(value)}{meant}")


def _scalar_of(kind: Any) -> Any:
    """Read a value that a declaration may also leave to a term: only plain scalars are data."""
    accepted = tuple(
        arg for arg in get_args(kind) if isinstance(arg, type) and arg is not Expression
    )

    def hook(value: object, _: Any) -> object:
        if isinstance(value, accepted) and (bool in accepted or not isinstance(value, bool)):
            return value
        raise _mismatch("a number" if str not in accepted else "a single value", value)

    return hook


def _list_of(kind: Any, converter: Converter) -> Any:
    """Read a list; a string is not taken for one, letter by letter."""
    items: Any = list[get_args(kind)[0]]  # type: ignore[misc]
    inner = list_structure_factory(items, converter)

    def hook(value: object, _: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise _mismatch("a list", value)
        return tuple(inner(value, kind))

    return hook


_STRICT: dict[Any, Any] = {
    str: _text,
    StrEnum: _word,  # found before str, which it also is
    int: _whole,
    float: _number,
    bool: _switch,
    date | str: _moment,
}
