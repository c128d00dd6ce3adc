"""Names for what models share: parameter rules, whole lists of them, prices."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator

from attrs import define, field

from xinfer.importer.expressions import Expressions
from xinfer.importer.names import Names, constant
from xinfer.spec import Model, ParameterRule


@define
class Constants:
    """The expressions that have a name, in the order in which they must be defined.

    :ivar names: the name of each expression, by its source.
    """

    names: dict[str, str] = field(factory=dict)
    _free: Names = field(factory=Names)

    def gather(
        self, models: Iterable[Model], expressions: Expressions
    ) -> Iterator[tuple[str, ast.expr]]:
        """Name what occurs at least twice; yield name and expression of each."""
        models = list(models)
        rules = [rule for model in models for rule in model.parameter_rules]
        yield from self._named(((rule, _rule_name(rule)) for rule in rules), expressions)
        lists = [
            (m.parameter_rules, constant(m.model, "RULES"))
            for m in models
            if len(m.parameter_rules) > 1
        ]
        yield from self._named(lists, expressions)
        prices = [(m.pricing, constant(m.model, "PRICING")) for m in models if m.pricing]
        yield from self._named(prices, expressions)

    def _named(
        self, values: Iterable[tuple[object, str]], expressions: Expressions
    ) -> Iterator[tuple[str, ast.expr]]:
        written = [(expressions.of(value), wish) for value, wish in values]
        sources = [expressions.source(expression) for expression, _ in written]
        counts = Counter(sources)
        for source, (expression, wish) in zip(sources, written, strict=True):
            if counts[source] > 1 and source not in self.names:
                name = self._free.free(wish)
                self.names[source] = name
                yield name, expression


def _rule_name(rule: ParameterRule) -> str:
    """Name a rule after its parameter, and after its limit where that tells it from others."""
    limit = rule.max if rule.name.endswith("tokens") and isinstance(rule.max, int | float) else None
    return constant(rule.name, f"{limit:.0f}") if limit is not None else constant(rule.name)
