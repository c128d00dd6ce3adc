"""Remove secrets from what users see, however a server repeats them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator
from typing import Self
from urllib.parse import quote, quote_plus

from attrs import field, frozen

from xinfer.spec.secret import REDACTED

_PIECE = 8
"""Characters; a piece of a secret as long as this is hidden as well."""
_LONGEST = 8192
"""Characters of a secret that are looked for; no key is longer."""
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


@frozen
class Secrets:
    """The secrets of one call: plain, percent-encoded and in Base64, whole and in pieces."""

    _short: tuple[str, ...]
    _pieces: frozenset[str] = field(repr=False)

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """Prepare to hide these texts; empty ones are ignored."""
        forms = {form for text in texts if text for form in _forms(text[:_LONGEST])}
        pieces = {form[at : at + _PIECE] for form in forms for at in range(len(form) - _PIECE + 1)}
        short = sorted((form for form in forms if len(form) < _PIECE), key=len, reverse=True)
        return cls(tuple(short), frozenset(pieces))

    def hide(self, text: str) -> str:
        """Replace each secret, and each piece of one, by asterisks."""
        if not (self._pieces or self._short):
            return text
        lower = text.translate(_LOWER)
        spans = [
            (at, at + _PIECE)
            for at in range(len(lower) - _PIECE + 1)
            if lower[at : at + _PIECE] in self._pieces
        ]
        for short in self._short:
            at = lower.find(short)
            while at >= 0:
                spans.append((at, at + len(short)))
                at = lower.find(short, at + len(short))
        return _replaced(text, sorted(spans)) if spans else text


NOTHING = Secrets.of(())


def _forms(text: str) -> Iterator[str]:
    """Yield a secret as servers may repeat it, in lower case."""
    written = text.encode("utf-8", "replace")
    plain = (text, quote(text, safe=""), quote(text), quote_plus(text))
    # What stands before a secret shifts its Base64 by one or two bytes.
    padded = (b64encode(b"\0" * shift + written).decode() for shift in range(3))
    shifted = (text[shift and shift + 1 :].rstrip("=")[:-1] for shift, text in enumerate(padded))
    for form in {*plain, *(shifted if len(written) > _PIECE else ())}:
        yield form.translate(_LOWER)


def _replaced(text: str, spans: list[tuple[int, int]]) -> str:
    parts: list[str] = []
    end = 0
    for start, stop in spans:
        if start > end or not parts:
            parts += [text[end:start], REDACTED]
        end = max(end, stop)
    return "".join([*parts, text[end:]])
