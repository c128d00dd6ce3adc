"""Long texts in parts that a model speaks in one breath: cut at the ends of sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator

_ENDS = re.compile(r"(?<=[.!?;:])\s+|(?<=[。！？；：…\n])\s*")
_PAUSES = re.compile(r"(?<=[,、，\s])")


def sentences(text: str, limit: int) -> Iterator[str]:
    """Yield a text in order, in parts of at most ``limit`` characters, none of them blank.

    Cut at the end of a sentence where there is one, else at a comma or a blank, else anywhere.
    """
    part = ""
    for piece in _pieces(text, limit):
        if part and len(part) + len(piece) > limit:
            yield part.strip()
            part = ""
        part += piece
    if part.strip():
        yield part.strip()


def _pieces(text: str, limit: int) -> Iterator[str]:
    """Cut into what must stay together; blanks stay with what stands before them."""
    for sentence in _split(_ENDS, text):
        for clause in _split(_PAUSES, sentence) if len(sentence) > limit else [sentence]:
            for start in range(0, len(clause), limit):
                if clause[start : start + limit].strip():
                    yield clause[start : start + limit]


def _split(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    """Split behind each match, keeping every character."""
    start = 0
    for match in pattern.finditer(text):
        if match.end() > start:
            yield text[start : match.end()]
            start = match.end()
    if start < len(text):
        yield text[start:]
