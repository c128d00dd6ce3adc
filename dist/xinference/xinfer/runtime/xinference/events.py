"""Bytes of an event stream to the JSON values it carries."""

from __future__ import annotations

import json
from typing import Any

from attrs import define, field

_LONGEST_LINE = 16 * 1024 * 1024


@define
class Events:
    """Reads a stream as its bytes arrive, however they were cut.

    Lines end in LF, CRLF or CR. Comments, fields other than ``data`` and lines that hold no JSON
    are passed over, and so is what follows ``[DONE]``.

    :ivar ended: ``[DONE]`` has been read.
    """

    ended: bool = field(default=False, init=False)
    _rest: bytes = field(default=b"", init=False)

    def feed(self, arrived: bytes) -> list[Any]:
        """Return the values whose lines are complete by now."""
        *lines, self._rest = (self._rest + arrived).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            self._rest = b""
        return self._values(lines)

    def close(self) -> list[Any]:
        """Return the value of a last line without an end."""
        rest, self._rest = self._rest, b""
        return self._values([rest])

    def _values(self, lines: list[bytes]) -> list[Any]:
        values = []
        for line in lines:
            if self.ended or not line.startswith(b"data:"):
                continue
            text = line[5:].strip()
            if text == b"[DONE]":
                self.ended = True
                continue
            try:
                values.append(json.loads(text))
            except ValueError:
                continue
        return values
