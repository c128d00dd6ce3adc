"""Edits of a few characters in a plugin's files."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen


@frozen
class Edit:
    """One fix: the characters of a file from ``start`` to ``end`` become ``text``."""

    file: str
    line: int
    message: str
    start: int
    end: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


def apply(text: str, edits: Iterable[Edit]) -> str:
    """Apply the edits, the last one first, so that the places of the others stay."""
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text
