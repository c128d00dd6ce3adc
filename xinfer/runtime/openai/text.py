"""Text without lone surrogates, which not every reader accepts.

JSON may escape the two halves of a character apart, in one text or in two pieces of a stream, and
may hold a half alone. pydantic refuses to write such texts.
"""

from __future__ import annotations

from attrs import define


def whole(text: str) -> str:
    """Join the halves of pairs; replace one that is alone by U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def shortened(text: str, most: int) -> str:
    """Cut a text that has more than so many characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


@define
class Pieces:
    """Makes a text whole that comes in pieces; the first half of a pair waits for the second."""

    _first_half: str = ""

    def feed(self, text: str) -> str:
        """Add a piece; return the part that can be passed on."""
        if not self._first_half and text.isascii():
            return text
        text = self._first_half + text
        self._first_half = ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self._first_half = text[:-1], text[-1]
        return whole(text)

    def close(self) -> str:
        """Return what is left at the end."""
        rest, self._first_half = self._first_half, ""
        return whole(rest)
