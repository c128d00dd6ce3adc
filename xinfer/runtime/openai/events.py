"""Bytes of an event stream to the JSON values it carries."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator
from typing import Any

from attrs import define, field

from xinfer.runtime.openai import limits

_DONE = b"[DONE]"
_BOM = b"\xef\xbb\xbf"
_NOTHING = object()
_OF_A_LINE = 64
"""Bytes that a line which is kept takes besides its text."""
_raw_decode = json.JSONDecoder().raw_decode


class TooLong(Exception):
    """An event is longer than any server's."""


@define
class Events:
    """Reads a stream as its bytes arrive, however they were cut.

    Each line ends in LF, CRLF or CR, whatever the others end in. A ``data`` line is an event if it
    is JSON; else those of one event, up to a blank line, are joined, as the standard says.
    Comments, other fields and events that are not JSON are passed over, and so is what follows
    ``[DONE]``.

    :ivar ended: ``[DONE]`` has been read.
    """

    ended: bool = field(default=False, init=False)
    _begun: bool = field(default=False, init=False)
    _after_cr: bool = field(default=False, init=False)
    """The last byte ended a line; an LF that follows belongs to the same end."""
    _unfinished: list[bytes] = field(factory=list, init=False)
    """Pieces of the last line, whose end has not come."""
    _size: int = field(default=0, init=False)
    """Bytes of those pieces."""
    _open: list[bytes] = field(factory=list, init=False)
    """Lines of an event that is not JSON yet."""
    _open_size: int = field(default=0, init=False)

    def feed(self, arrived: bytes) -> list[Any]:
        """Return the values whose lines are complete by now.

        :raises TooLong: a line does not end.
        """
        if self.ended:
            return []
        before, end, behind = self._with_lf(arrived).rpartition(b"\n")
        if not end:
            self._hold(behind)
            return []
        if self._unfinished:
            before = b"".join([*self._unfinished, before])
            self._unfinished, self._size = [], 0
        if behind:
            self._hold(behind)
        return self._values(before.split(b"\n"))

    def close(self) -> list[Any]:
        """Return the value of a last line without an end."""
        rest, self._unfinished = b"".join(self._unfinished), []
        return [] if self.ended else self._values([rest, b""])

    def _with_lf(self, arrived: bytes) -> bytes:
        """Write each end of a line as LF, also a CRLF that was cut in two."""
        if self._after_cr and arrived:
            arrived = arrived.removeprefix(b"\n")
            self._after_cr = False
        if arrived.count(b"\r") == arrived.count(b"\r\n"):
            return arrived  # space at the end of a line, CR included, tells nothing
        self._after_cr = arrived.endswith(b"\r")
        return arrived.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _hold(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > limits.EVENT:
            raise TooLong
        if piece:
            self._unfinished.append(piece)

    def _values(self, lines: list[bytes]) -> list[Any]:
        if not self._begun:
            self._begun = True
            lines[0] = lines[0].removeprefix(_BOM)
        texts = [line[5:].strip() for line in lines if line.startswith(b"data:")]
        if _DONE in texts:
            self.ended = True
            del texts[texts.index(_DONE) :]
        at_once = None if self._open else _parsed(texts)
        return list(self._one_by_one(_data(lines))) if at_once is None else at_once

    def _one_by_one(self, texts: Iterable[bytes]) -> Iterator[Any]:
        """Parse each text, or those of one event together; empty ones end an event."""
        for text in texts:
            value = self._of_open_event() if not text else _value(text)
            # A part of an object that stands on several lines may be a value too.
            if text and (value is _NOTHING or (self._open and not isinstance(value, dict))):
                self._open.append(text)
                self._open_size += len(text) + _OF_A_LINE
                if self._open_size > limits.EVENT:
                    raise TooLong
                continue
            self._open, self._open_size = [], 0
            if value is not _NOTHING:
                yield value

    def _of_open_event(self) -> Any:
        return _value(b"\n".join(self._open)) if len(self._open) > 1 else _NOTHING


def _data(lines: list[bytes]) -> Iterator[bytes]:
    """Yield what ``data`` lines hold, up to ``[DONE]``; nothing for a blank line."""
    for line in lines:
        if line.startswith(b"data:"):
            text = line[5:].strip()
            if text == _DONE:
                return
            yield text
        elif not line.strip():
            yield b""


_MARK = secrets.token_hex(4)
_BETWEEN = f',"{_MARK}",'.encode()
"""Separates texts that are parsed together; random, so that no text holds it."""


def _parsed(texts: list[bytes]) -> list[Any] | None:
    """Parse all texts at once; ``None`` if one of them is not JSON."""
    if len(texts) < 2:
        values = [_value(text) for text in texts]
        return None if _NOTHING in values else values
    try:
        written = (b"[%s]" % _BETWEEN.join(texts)).decode()
        values, end = _raw_decode(written)
    except (ValueError, RecursionError):
        return None
    # A broken text could join its neighbours in one value; the marks would then be amiss.
    marks = values[1::2]
    whole = end == len(written) and len(values) == 2 * len(texts) - 1
    return values[::2] if whole and marks.count(_MARK) == len(marks) else None


def _value(text: bytes) -> Any:
    """Parse a text without space around it; bytes that are not UTF-8 are replaced."""
    written = text.decode(errors="replace")
    try:
        value, end = _raw_decode(written)
    except (ValueError, RecursionError):
        return _NOTHING
    return value if end == len(written) else _NOTHING
