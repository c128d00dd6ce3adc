"""Valid Python names from any name in a plugin."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable

from attrs import define, field

import xinfer.spec

_LONGEST = 64
_OF_MODULES = frozenset({*dir(builtins), *xinfer.spec.__all__, "MODELS", "project"}) | {
    "UTC",
    "Decimal",
    "date",
    "datetime",
    "timedelta",
    "timezone",
}
"""What a module uses under its own name, so that nothing else in it may be called so."""


@define
class Names:
    """Hands out names, each once.

    :param reserved: names that are never handed out, beside Python's keywords.
    """

    reserved: frozenset[str] = _OF_MODULES
    _taken: set[str] = field(factory=set, init=False)

    def free(self, *wishes: str) -> str:
        """Return the first wish that is free, or the last one with a number."""
        for wish in wishes:
            name = f"{wish}_" if keyword.iskeyword(wish) or wish in self.reserved else wish
            if name not in self._taken:
                break
        wish, number = name, 2
        while name in self._taken:
            name, number = f"{wish}_{number}", number + 1
        self._taken.add(name)
        return name


def attribute(text: str) -> str:
    """Make ``api_key`` of ``api-key``, and ``field_2nd`` of ``2nd``."""
    return _joined(_words(text), "_", before="field").lower()


def constant(*texts: str) -> str:
    """Make ``MAX_TOKENS_8192`` of ``max_tokens`` and ``8192``."""
    return _joined([word for text in texts for word in _words(text)], "_", before="M").upper()


def capitalized(text: str) -> str:
    """Make ``AzureOpenai`` of ``azure_openai``: the beginning of a class's name."""
    words = [word.capitalize() for part in _words(text) for word in part.split("_") if word]
    return _joined(words, "", before="Provider")


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"\W+", text[: 4 * _LONGEST], flags=re.ASCII) if word]


def _joined(words: Iterable[str], by: str, *, before: str) -> str:
    name = by.join(words).strip("_")
    if len(name) > _LONGEST:
        # Whole words, where there are some.
        name = name[:_LONGEST].rpartition("_")[0] or name[:_LONGEST]
    name = name.rstrip("_")
    return name if name[:1].isalpha() else f"{before}{by if name else ''}{name}"
