"""Escape what a terminal interprets, whichever command prints it.

A name in a plugin or an answer of a server may hold characters that move the cursor, ring, or
reorder text. They are written as JSON escapes them; line ends, tabs and the colours of our own
output stay.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

_ACTED_ON = re.compile(
    "\x1b(?!\\[[0-9;]*m)"
    "|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


class _Terminal:
    """A text stream that escapes what is written to it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(_ACTED_ON.sub(_escape, text))

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _escape(character: re.Match[str]) -> str:
    return f"\\u{ord(character[0]):04x}"


@contextmanager
def escaped_output() -> Iterator[None]:
    """Escape what is printed in this block."""
    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = map(_Terminal, streams)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = streams
