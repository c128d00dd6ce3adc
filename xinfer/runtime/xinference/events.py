"""Bytes of an event stream to the JSON values it carries."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any


def events(chunks: Iterable[bytes]) -> Iterator[Any]:
    """Read the JSON of every ``data:`` line, however the bytes were cut; end at ``[DONE]``.

    Lines end in LF or CRLF. Comments, other fields and lines that hold no JSON are passed over.
    """
    for line in _lines(chunks):
        field, _, value = line.partition(b":")
        if field != b"data":
            continue
        value = value.strip()
        if value == b"[DONE]":
            return
        try:
            yield json.loads(value)
        except ValueError:
            continue


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    if rest:
        yield rest
