"""Which rules a check applies, by their codes and the beginnings of codes."""

from __future__ import annotations

from collections.abc import Iterable
from operator import ne

from attrs import frozen


@frozen
class Selection:
    """Codes to report and codes to leave out; ``XI6`` stands for every code that begins so.

    The longer beginning decides: ``ignore`` of ``XI6`` and ``select`` of ``XI644`` report XI644
    alone of its group.

    :param select: all codes if empty.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def __contains__(self, code: str) -> bool:
        selected = _longest(self.select, code) if self.select else 0
        return selected is not None and selected > (_longest(self.ignore, code) or -1)


def nearest(code: str, codes: Iterable[str]) -> str | None:
    """Return the code that differs in one character, if there is one: the first of several."""
    code = code.upper()
    for other in codes:
        if len(other) == len(code) and sum(map(ne, other, code)) == 1:
            return other
    return None


def _longest(prefixes: tuple[str, ...], code: str) -> int | None:
    return max((len(prefix) for prefix in prefixes if code.startswith(prefix)), default=None)


EVERYTHING = Selection()
