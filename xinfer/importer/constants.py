"""Names for what models share: parameter rules, whole lists of them, prices."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from attrs import define, field

from xinfer.importer.python import Source
from xinfer.spec import Model, ParameterRule


@define
class Constants:
    """The expressions that got a name, in the order in which they must be defined.

    :ivar names: the name of each expression.
    """

    names: dict[str, str] = field(factory=dict)
    _taken: set[str] = field(factory=set)

    def gather(self, models: Iterable[Model], source: Source) -> Iterator[tuple[str, str]]:
        """Name what occurs at least twice; yield name and expression of each."""
        models = list(models)
        rules = [rule for model in models for rule in model.parameter_rules]
        yield from self._named(((rule, _rule_name(rule)) for rule in rules), source)
        lists = [
            (m.parameter_rules, f"{_words(m.model)}_RULES")
            for m in models
            if len(m.parameter_rules) > 1
        ]
        yield from self._named(lists, source)
        prices = [(m.pricing, f"{_words(m.model)}_PRICING") for m in models if m.pricing]
        yield from self._named(prices, source)

    def _named(
        self, values: Iterable[tuple[object, str]], source: Source
    ) -> Iterator[tuple[str, str]]:
        written = [(source.of(value), wish) for value, wish in values]
        counts = Counter(expression for expression, _ in written)
        for expression, wish in written:
            if counts[expression] > 1 and expression not in self.names:
                name = self._free(wish)
                self.names[expression] = name
                yield name, expression

    def _free(self, wish: str) -> str:
        name, number = wish, 2
        while name in self._taken:
            name, number = f"{wish}_{number}", number + 1
        self._taken.add(name)
        return name


def _rule_name(rule: ParameterRule) -> str:
    """Name a rule after its parameter, and after its limit where that tells it from others."""
    limit = rule.max if rule.name.endswith("tokens") and isinstance(rule.max, int | float) else None
    return _words(rule.name) + (f"_{limit:.0f}" if limit is not None else "")


def _words(name: str) -> str:
    upper = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").upper()
    return f"M_{upper}" if not upper or upper[0].isdigit() else upper
