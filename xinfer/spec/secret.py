"""A text that must not be printed."""

from __future__ import annotations

from typing import Final

REDACTED: Final = "********"


class Secret:
    """A text that ``repr``, ``str`` and ``format`` do not show; :meth:`reveal` returns it.

    It is not a ``str``, so that type checkers find code that would print or send it by accident.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text, for the code that sends it."""
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
