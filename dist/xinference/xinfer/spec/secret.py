"""A value that must never be shown."""

from __future__ import annotations

from typing import Final

REDACTED: Final = "********"


class Secret:
    """A text whose ``repr``, ``str`` and ``format`` say nothing of it; only :meth:`reveal` does.

    It is not a ``str`` on purpose: a type checker then finds every place that would send or
    print it by accident.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself, for the one place that must send it."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return f"Secret('{REDACTED}')"

    def __str__(self) -> str:
        return REDACTED

    def __format__(self, spec: str) -> str:
        return REDACTED
