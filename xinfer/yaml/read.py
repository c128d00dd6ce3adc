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

from xinfer.schema import walk
from xinfer.spec import Declaration, Span, Steps
from xinfer.spec.declaration import set_span, span_from
from xinfer.yaml.convert import Keep, to_spec
from xinfer.yaml.document import read_document
from xinfer.yaml.fault import DocumentError


def read_spec[T: Declaration](
    text: str | bytes, kind: type[T], *, file: str, keep: Keep = Keep.NOTHING
) -> T:
    """Read a declared object from YAML; every object in it has the span it was read from.

    :param file: named in the faults and spans.
    :raises DocumentError: lists every fault of the file.
    """
    document = read_document(text, file)
    if not isinstance(document.data, dict):
        raise DocumentError([document.fault((), "expected a mapping")])
    try:
        with span_from(None):
            declared = to_spec(document.data, kind, keep=keep)
    except BaseValidationError as error:
        faults = [document.fault(path, message) for path, message in _mismatches(error, ())]
        raise DocumentError(faults) from None
    for path, inner in walk(declared):
        if path in document.extents:  # else it is a default, which every file shares
            extent = document.extents[path]
            set_span(inner, Span(file, *extent, path=path, extents=document.extents))
    return declared


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
