"""Where a declared object was written: the exact characters of a Python or YAML file."""

from __future__ import annotations

import copy
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from inspect import CO_OPTIMIZED
from linecache import getline
from pathlib import Path
from types import CodeType
from typing import Self

import attrs
from attrs import field, frozen

type Steps = tuple[str | int, ...]
"""The keys and indexes that lead to a value."""
type Extent = tuple[int, int, int, int]
"""Line, column, end line and end column, as in :class:`Span`."""


@frozen
class Span:
    """The characters of a file that declare a value.

    Lines count from 1. Columns count characters from 1, whatever their width or their number of
    bytes; a tab is one character. The end is the place right behind the last character. Without
    columns (Python run with ``-X no_debug_ranges``, no source to read) only the line is known.

    :param called_from: where the function that holds this span was called, if the author's own
        function made the object.
    :param path: in YAML, the keys and indexes that lead to the value.
    :param extents: in YAML, the extent of every value of the file by its path.
    """

    file: str
    line: int
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None
    called_from: Span | None = field(default=None, kw_only=True)
    path: Steps = field(default=(), kw_only=True, eq=False, repr=False)
    extents: Mapping[Steps, Extent] = field(factory=dict, kw_only=True, eq=False, repr=False)

    @property
    def callers(self) -> tuple[Span, ...]:
        """The calls of the author's own functions that led here, the nearest first."""
        return (self.called_from, *self.called_from.callers) if self.called_from else ()

    def below(self, steps: Steps) -> Span | None:
        """Return the span of a value further down in a YAML file, or ``None`` if it is absent."""
        path = (*self.path, *steps)
        if path not in self.extents:
            return None
        return Span(self.file, *self.extents[path], path=path, extents=self.extents)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" + (f":{self.column}" if self.column else "")

    def __deepcopy__(self, memo: object) -> Self:
        return self


@frozen(eq=False)
class CallSite:
    """The calls that make an object, the innermost first; the span is computed on demand.

    :param calls: a code object and the offset of the instruction that runs in it, for each frame
        of the author's from the call that makes the object up to a module or a class body.
    """

    calls: tuple[tuple[CodeType, int], ...]

    def span(self) -> Span:
        """Compute the span of the innermost call."""
        outermost, *others = reversed(self.calls)
        span = _span_of_call(*outermost)
        for call in others:
            inner = _span_of_call(*call)
            # The call around a lambda or a generator expression led to nothing else.
            caller = span.called_from if _encloses(span, inner) else span
            span = attrs.evolve(inner, called_from=caller)
        return span

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        # Code objects cannot be pickled.
        return copy.copy, (self.span(),)


type Site = Span | CallSite | None
"""Where an object was made, as a span or as the calls; ``None`` if it is in no file."""
_CALLER = Span("", 0)
_current: ContextVar[Site] = ContextVar("_current", default=_CALLER)


@contextmanager
def using_site(site: Site) -> Iterator[None]:
    """Use ``site`` for the objects created in this block, instead of the calls that are running."""
    token = _current.set(site)
    try:
        yield
    finally:
        _current.reset(token)


def current_site() -> Site:
    """Return the site of :func:`using_site`, else the author's calls that are running."""
    if (site := _current.get()) is not _CALLER:
        return site
    frame = sys._getframe(1)  # noqa: SLF001 (documented; inspect.currentframe is the same)
    while frame.f_code.co_filename.startswith(_NOT_THE_AUTHORS):
        # A default of xinfer's own classes is made when its module is imported.
        if frame.f_back is None or frame.f_code.co_name == "<module>":
            return None
        frame = frame.f_back
    calls = [(frame.f_code, frame.f_lasti)]
    # A module or a class body has no caller that could matter.
    while frame.f_code.co_flags & CO_OPTIMIZED and len(calls) < _MOST_CALLS:
        if frame.f_back is None or is_installed(frame.f_back.f_code.co_filename):
            break
        frame = frame.f_back
        calls.append((frame.f_code, frame.f_lasti))
    return CallSite(tuple(calls))


_MOST_CALLS = 8
_XINFER = f"{Path(__file__).parent.parent}{os.sep}"
_ATTRS = f"{Path(attrs.evolve.__code__.co_filename).parent}{os.sep}"
_NOT_THE_AUTHORS = (_XINFER, _ATTRS, "<attrs", copy.__file__)
_STANDARD_LIBRARY = f"{Path(os.__file__).parent}{os.sep}"
_PACKAGES = re.compile(r"[/\\](site|dist)-packages[/\\]")


def is_installed(file: str) -> bool:
    """Return whether a file is part of Python, of xinfer or of an installed package."""
    standard = file.startswith((_XINFER, _STANDARD_LIBRARY, "<frozen"))
    return standard or _PACKAGES.search(file) is not None


def _span_of_call(code: CodeType, instruction: int) -> Span:
    line, end_line, start, end = _positions(code)[instruction // 2]
    file = code.co_filename
    if line is None or end_line is None or start is None or end is None:
        return Span(file, line or code.co_firstlineno)
    return Span(file, line, column_of(file, line, start), end_line, column_of(file, end_line, end))


def column_of(file: str, line: int, offset: int) -> int | None:
    """Turn an offset in bytes, as Python's syntax trees have it, into a column of a span."""
    text = getline(file, line)
    return len(text.encode()[:offset].decode(errors="replace")) + 1 if text else None


type _Position = tuple[int | None, int | None, int | None, int | None]
_cached: dict[int, tuple[CodeType, list[_Position]]] = {}
_MOST_CACHED = 64


def _positions(code: CodeType) -> list[_Position]:
    """List the position of each instruction; once for a code object, which hashes slowly."""
    if id(code) not in _cached:
        if len(_cached) >= _MOST_CACHED:
            _cached.clear()
        _cached[id(code)] = code, list(code.co_positions())
    return _cached[id(code)][1]


def _encloses(outer: Span, inner: Span) -> bool:
    if None in (outer.column, inner.column) or outer.file != inner.file:
        return False
    (begin, end), (inner_begin, inner_end) = (
        ((span.line, span.column or 0), (span.end_line or 0, span.end_column or 0))
        for span in (outer, inner)
    )
    return begin <= inner_begin and inner_end <= end
