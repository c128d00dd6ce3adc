"""Bytes of an event stream to the JSON values it carries."""

from __future__ import annotations

import json
import secrets
from typing import Any

from attrs import define, field

_LONGEST_LINE = 16 * 1024 * 1024
_NOTHING = object()
_raw_decode = json.JSONDecoder().raw_decode


@define
class Events:
    """Reads a stream as its bytes arrive, however they were cut.

    Lines end in LF or CRLF. Comments, fields other than ``data`` and lines that hold no JSON
    are passed over, and so is what follows ``[DONE]``.

    :ivar ended: ``[DONE]`` has been read.
    """

    ended: bool = field(default=False, init=False)
    _rest: bytes = field(default=b"", init=False)

    def feed(self, arrived: bytes) -> list[Any]:
        """Return the values whose lines are complete by now."""
        if self.ended:
            return []
        *lines, self._rest = (self._rest + arrived).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            self._rest = b""
        return self._values(lines)

    def close(self) -> list[Any]:
        """Return the value of a last line without an end."""
        rest, self._rest = self._rest, b""
        return [] if self.ended else self._values([rest])

    def _values(self, lines: list[bytes]) -> list[Any]:
        texts = []
        for line in lines:
            if not line.startswith(b"data:"):
                continue
            text = line[5:].strip()
            if text == b"[DONE]":
                self.ended = True
                break
            texts.append(text)
        return _parsed(texts)


_MARK = secrets.token_hex(4)
_BETWEEN = f',"{_MARK}",'.encode()
"""Stands between texts that are parsed together; nobody can guess it."""


def _parsed(texts: list[bytes]) -> list[Any]:
    """Parse each text, without those that are no JSON; all in one go where that is possible."""
    if not texts:
        return []
    values = _value(b"[%s]" % _BETWEEN.join(texts))
    if isinstance(values, list):
        # A broken text could join its neighbours in one value; the marks would then be amiss.
        marks = values[1::2]
        if len(values) == 2 * len(texts) - 1 and marks.count(_MARK) == len(marks):
            return values[::2]
    return [value for text in texts if (value := _value(text)) is not _NOTHING]


def _value(text: bytes) -> Any:
    """Parse a text that has no space around it, without what ``json.loads`` does before that."""
    try:
        written = text.decode()
        value, end = _raw_decode(written)
    except (ValueError, RecursionError):
        return _NOTHING
    return value if end == len(written) else _NOTHING
