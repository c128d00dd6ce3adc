"""Escape what a terminal interprets, whichever command prints it.

A name in a plugin or an answer of a server may hold characters that move the cursor, ring, or
reorder text. They are written as Python escapes them, in JSON as JSON does; line ends, tabs and
the colours of our own output stay.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

_ACTED_ON = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters, separators of lines, what reorders text, and halves of characters."""
_COLOUR = re.compile("(\x1b\\[[0-9;]*m)")


def visible(text: str, keep: str = "") -> str:
    """Escape what moves the cursor, rings, or reorders text, as ``repr`` does.

    :param keep: characters that stay as they are.
    """
    return _ACTED_ON.sub(
        lambda match: match[0] if match[0] in keep else ascii(match[0])[1:-1], text
    )


def json_text(value: Any, *, indent: int | None = None) -> str:
    """Write a value as JSON, in which the same characters are escaped."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return _ACTED_ON.sub(
        lambda match: match[0] if match[0] == "\n" else json.dumps(match[0])[1:-1], text
    )


class _Terminal:
    """A text stream that escapes what is written to it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(_shown(text))

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _shown(text: str) -> str:
    parts = _COLOUR.split(text)  # every second one is a colour
    parts[::2] = [visible(part, keep="\n\t") for part in parts[::2]]
    return "".join(parts)


@contextmanager
def escaped_output() -> Iterator[None]:
    """Escape what is printed in this block."""
    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = map(_Terminal, streams)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = streams
