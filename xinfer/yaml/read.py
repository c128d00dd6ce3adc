"""A YAML file to a declared object, with every mismatch named by place and path."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

import attrs
from cattrs import (
    AttributeValidationNote,
    BaseValidationError,
    ForbiddenExtraKeysError,
    IterableValidationNote,
)

from xinfer.spec import Declaration, Origin, Steps
from xinfer.spec.declaration import placed_at
from xinfer.yaml.convert import Keep, to_spec
from xinfer.yaml.document import Document, read_document
from xinfer.yaml.fault import DocumentError


def read_spec[T: Declaration](
    text: str | bytes, kind: type[T], *, file: str, keep: Keep = Keep.NOTHING
) -> T:
    """Read a declared object from YAML; every object in it has the place it was read from.

    :param file: named in the faults and places.
    :raises DocumentError: lists every fault of the file.
    """
    document = read_document(text, file)
    if not isinstance(document.data, dict):
        raise DocumentError([document.fault((), "expected a mapping")])
    try:
        with placed_at(None):
            declared = to_spec(document.data, kind, keep=keep)
    except BaseValidationError as error:
        faults = [document.fault(path, message) for path, message in _mismatches(error, ())]
        raise DocumentError(faults) from None
    _place(declared, (), document)
    return declared


def _place(value: object, path: Steps, document: Document) -> None:
    """Give each declared object the place of its data."""
    if isinstance(value, tuple):
        for index, item in enumerate(value):
            _place(item, (*path, index), document)
    elif isinstance(value, Declaration):
        line, column = document.places.get(path, (1, 1))
        origin = Origin(document.file, line, column, path, document.places)
        object.__setattr__(value, "origin", origin)
        for name in value.explicit:
            _place(getattr(value, name), (*path, name), document)


def _mismatches(error: BaseException, path: Steps) -> Iterator[tuple[Steps, str]]:
    """Walk cattrs' tree of errors down to its leaves."""
    if isinstance(error, BaseValidationError):
        for inner in error.exceptions:
            yield from _mismatches(inner, (*path, *_step(inner)))
    elif isinstance(error, ForbiddenExtraKeysError):
        known = [field.name for field in attrs.fields(error.cl)]
        for key in sorted(error.extra_fields):
            near = get_close_matches(key, known, n=1)
            hint = f": did you mean {near[0]}?" if near else ""
            yield (*path, key), f"is not a key of the format{hint}"
    elif isinstance(error, KeyError):
        yield path, "is required, and missing"
    else:
        yield path, str(error)


def _step(error: BaseException) -> Steps:
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            return (note.name,)
        if isinstance(note, IterableValidationNote):
            return (note.index,)
    return ()
