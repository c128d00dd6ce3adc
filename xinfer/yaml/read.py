"""A YAML file to a declared object, with every mismatch named by place and path."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from enum import Enum
from typing import Any, Final

from xinfer.schema import (
    Field,
    ListOf,
    Object,
    OneOf,
    Scalar,
    Type,
    required_fields,
    yaml_fields,
)
from xinfer.spec import ModelFiles, ProviderModels
from xinfer.spec.declaration import Declaration, set_span, span_from
from xinfer.spec.span import Span, Steps
from xinfer.yaml.document import Document, read_document
from xinfer.yaml.fault import DocumentError, Fault


class Keep(Enum):
    """What an object keeps as ``extra_keys``, instead of being refused.

    ``STRAY``: keys that the format does not have, and keys that are null and may be absent.
    ``MISFITS``: these, and keys that may be absent and whose value does not fit.
    """

    NOTHING = "nothing"
    STRAY = "stray"
    MISFITS = "misfits"


def read_spec[T: Declaration](
    text: str | bytes, kind: type[T], *, file: str, keep: Keep = Keep.NOTHING
) -> T:
    """Read a declared object from YAML; every object in it has the span it was read from.

    :param file: named in the faults and spans.
    :raises DocumentError: lists every fault of the file.
    """
    document = read_document(text, file)
    declared, faults = _read(document, kind, keep)
    if declared is None:
        raise DocumentError(faults)
    return declared


def read_what_fits[T: Declaration](
    text: str | bytes, kind: type[T], *, file: str
) -> tuple[T | None, tuple[Fault, ...]]:
    """Read as much of a declared object as fits, and list what does not.

    Keys that the format does not have, or that are null, are not faults: they are kept as
    ``extra_keys``, and so are values that do not fit and may be absent.

    :return: the object, or ``None`` if a required value does not fit; and the faults.
    """
    try:
        document = read_document(text, file)
    except DocumentError as error:
        return None, error.faults
    declared, faults = _read(document, kind, Keep.MISFITS)
    return declared, DocumentError(faults).faults


def _read[T: Declaration](
    document: Document, kind: type[T], keep: Keep
) -> tuple[T | None, list[Fault]]:
    if not isinstance(document.data, dict):
        return None, [document.fault((), "expected a mapping")]
    reader = _Reader(keep)
    with span_from(None):
        declared = reader.read(Object(kind), document.data, ())
    faults = [document.fault(path, message) for path, message in reader.mismatches]
    if declared is _MISFIT:
        return None, faults
    for path, part in reader.objects:  # not the defaults, which all objects share
        if extent := document.extents.get(path):
            set_span(part, Span(document.file, *extent, path=path, extents=document.extents))
    return declared, faults


_MISFIT: Final[Any] = object()


class _Reader:
    """Turns data into declared values along their types, and lists what does not fit."""

    def __init__(self, keep: Keep) -> None:
        self.mismatches: list[tuple[Steps, str]] = []
        self.objects: list[tuple[Steps, Declaration]] = []
        self._keep = keep

    def read(self, of: Type, data: object, path: Steps) -> Any:
        """Return the declared value, or ``_MISFIT``."""
        if isinstance(of, OneOf):
            if data is None and of.optional:
                return None
            if len(of.in_yaml) != 1:
                return self._scalar(of.in_yaml, data, path)
            (of,) = of.in_yaml
        if isinstance(of, Scalar):
            # Most values are of exactly the type they should be.
            return data if type(data) is of.kind else self._scalar((of,), data, path)
        if isinstance(of, Object):
            return self._object(of.kind, data, path)
        if isinstance(of, ListOf):
            return self._list(of, data, path)
        return self._choice(of, data, path)

    def _object(self, kind: type[Declaration], data: object, path: Steps) -> Any:
        if not isinstance(data, dict):
            hint = _AS_A_MAPPING.get(kind, "") if isinstance(data, list) else ""
            return self._misfit(path, "a mapping", data, hint)
        fields = yaml_fields(kind)
        values: dict[str, Any] = {}
        extra_keys: dict[str, Any] = {}
        fits = True
        for key, value in data.items():
            field = fields.get(key)
            if self._keep is not Keep.NOTHING and _is_stray(field, value):
                extra_keys[key] = value
            elif field is None:
                self.mismatches.append(((*path, key), _not_a_key(key, fields)))
                fits = False
            elif (read := self.read(field.type, value, (*path, key))) is not _MISFIT:
                values[key] = read
            elif self._keep is Keep.MISFITS and field.may_be_absent:
                extra_keys[key] = value
            else:
                fits = False
        for name in required_fields(kind):
            if name not in data or name in extra_keys:
                self.mismatches.append(((*path, name), "is required but missing"))
                fits = False
        if not fits:
            return _MISFIT
        declared = kind(**values, extra_keys=extra_keys) if extra_keys else kind(**values)
        self.objects.append((path, declared))
        return declared

    def _list(self, of: ListOf, data: object, path: Steps) -> Any:
        if not isinstance(data, list):
            is_item = isinstance(data, str) and data.isprintable()
            return self._misfit(path, "a list", data, f": write - {data}" if is_item else "")
        items = [self.read(of.item, item, (*path, i)) for i, item in enumerate(data)]
        return _MISFIT if any(item is _MISFIT for item in items) else tuple(items)

    def _choice(self, of: Any, data: object, path: Steps) -> Any:
        if isinstance(data, str) and data in of.words:
            return of.enumeration(data) if of.enumeration else data
        near = get_close_matches(data, of.words, n=1) if isinstance(data, str) else []
        hint = f": did you mean {near[0]}?" if near else ""
        return self._misfit(path, f"one of {', '.join(of.words)}", data, hint)

    def _scalar(self, types: tuple[Type, ...], data: object, path: Steps) -> Any:
        kinds = tuple(scalar.kind for scalar in types if isinstance(scalar, Scalar))
        if Decimal in kinds and isinstance(data, str):
            if (number := _decimal(data)) is not None:
                return number
        elif any(alternative.fits(data) for alternative in types):
            return data
        plain = isinstance(data, bool | int | float | date)
        hint = ": put it in quotes" if kinds == (str,) and plain else ""
        return self._misfit(path, _EXPECTED.get(kinds, "a single value"), data, hint)

    def _misfit(self, path: Steps, expected: str, data: object, hint: str = "") -> Any:
        self.mismatches.append((path, f"expected {expected}, got {_readable(data)}{hint}"))
        return _MISFIT


_AS_A_MAPPING: Mapping[type, str] = {
    ProviderModels: ": write a key for each type, e.g. llm, and the patterns under its predefined",
    ModelFiles: ": write the patterns under a key predefined",
}
"""What to do where authors write a list."""

_EXPECTED: Mapping[tuple[type, ...], str] = {
    (str,): "a string",
    (int,): "a whole number",
    (float,): "a number",
    (float, int): "a number",
    (bool,): "true or false",
    (Decimal, float): "a decimal number",
    (date, str): "a time, e.g. 2026-01-31T00:00:00Z",
}


def _is_stray(field: Field | None, value: object) -> bool:
    return field is None or value is None or (value == {} and field.reads_empty)


def _not_a_key(key: str, fields: Mapping[str, Field]) -> str:
    near = get_close_matches(key, fields, n=1)
    return "is not a key of the format" + (f": did you mean {near[0]}?" if near else "")


def _decimal(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    short = len(text) <= _MOST_DIGITS and abs(number.adjusted()) < _MOST_DIGITS
    return number if number.is_finite() and short else None


_MOST_DIGITS = 100
"""Digits of a price; without a limit, 1e999999999 would be written as a gigabyte of them."""


def _readable(value: object) -> str:
    """Write a value as YAML does, short enough for one line."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."
