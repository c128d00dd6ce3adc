"""What somebody may have meant by a name that is not there."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

_LIKENESS = 0.8
_MOST_NAMES = 1_000
_MOST_LONGER = 2


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Ask for the name that is nearest in spelling; empty where none is near.

    Of very many names the first by the alphabet are looked at.
    """
    near = [
        each
        for each in islice(sorted(names), _MOST_NAMES)
        if abs(len(each) - len(name)) <= _MOST_LONGER
    ]
    likely = get_close_matches(name, near, n=1, cutoff=_LIKENESS)
    return f"Did you mean {likely[0]}?" if likely else ""
