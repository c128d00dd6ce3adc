"""Rules of prices: the cost that Dify reports is tokens × price × unit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from statistics import median

from xinfer.plugin.plugin import Plugin
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.rule import Fix, Problem, rule
from xinfer.spec import Model, Pricing, Project

_COST = "sdk interfaces/model/ai_model.py: AIModel.get_price"
_FEW_SIBLINGS, _FAR_ABOVE = 3, 100
_MILLIONTH = Decimal("0.000001")
_MOST_PER_MILLION = {"USD": 1000, "EUR": 1000, "RMB": 7000, "CNY": 7000}
"""What no model costs."""


def _pricing(more: str) -> str:
    return f"pricing: {{{more}}}\n"


@rule(
    "XI440",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source=_COST,
    bad=(
        _pricing("input: '1', unit: «'0'», currency: USD"),
        _pricing("input: '1', unit: «'1000000'», currency: USD"),
    ),
    good=(
        _pricing("input: '1', unit: '0.000001', currency: USD"),
        _pricing("input: '0', unit: '0', currency: USD"),
    ),
    fix=Fix(
        spec='Pass unit=Decimal("0.000001") for prices per million tokens.',
        yaml="Write unit: '0.000001' for prices per million tokens.",
    ),
)
def pricing_unit(pricing: Pricing, _: Plugin) -> Iterator[Problem]:
    """The unit of a price is 0 or above 1, so costs are zero or far too high."""
    free = not pricing.input and not pricing.output
    if not (math.isfinite(pricing.unit) and (0 < pricing.unit <= 1 or free)):
        yield Problem(f"the unit is {pricing.unit}", at="unit")


@rule(
    "XI441",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source=_COST,
    bad=(_pricing("input: «'-1'», unit: '0.000001', currency: USD"),),
    good=(_pricing("input: '0', unit: '0.000001', currency: USD"),),
    fix="Write a price of 0 or more.",
)
def negative_price(pricing: Pricing, _: Plugin) -> Iterator[Problem]:
    """A price is negative."""
    for name in ("input", "output"):
        price: Decimal | float | None = getattr(pricing, name)
        if price is not None and math.isfinite(price) and price < 0:
            yield Problem(f"the price of {name} is {price}", at=name)


@rule(
    "XI442",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="daemon pkg/entities/plugin_entities/model_declaration.go: ModelPriceConfig",
    bad=(_pricing("input: '1', unit: '0.000001', currency: «''»"),),
    good=(_pricing("input: '1', unit: '0.000001', currency: RMB"),),
    fix="Write USD, RMB or another.",
)
def currency_missing(pricing: Pricing, _: Plugin) -> Iterator[Problem]:
    """A price has no currency, so the daemon refuses to describe the model."""
    if not pricing.currency:
        yield Problem("the currency is empty", at="currency")


def _priced(more: str) -> dict[str, str]:
    return {"models/llm/acme-1.yaml": _pricing(more)}


def _siblings(unit: str, price: str = "1") -> dict[str, str]:
    """Write an example with four models, the first of which has the unit, the others the price."""
    model = "model: {}\nmodel_type: llm\nmodel_properties: {{mode: chat, context_size: 4096}}\n"
    cheap = _pricing(f"input: '{price}', unit: '0.000001', currency: USD")
    files = {f"models/llm/m{n}.yaml": model.format(f"m{n}") + cheap for n in range(3)}
    return {"models/llm/acme-1.yaml": _pricing(f"input: '1', unit: {unit}, currency: USD"), **files}


@rule(
    "XI443",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source=_COST,
    bad=(
        _siblings("«'0.001'»"),
        _priced("input: '0.2', output: '1.01', unit: «'0.001'», currency: USD"),
        _priced("input: '7.1', unit: «'0.001'», currency: RMB"),
    ),
    good=(
        _siblings("'0.000001'"),
        _siblings("'0.001'", price="0"),
        _priced("input: '0.2', output: '1', unit: '0.001', currency: USD"),
        _priced("input: '7', unit: '0.001', currency: RMB"),
        _priced("input: '9000', unit: '0.001', currency: IDR"),
    ),
    fix=Fix(
        spec='Pass unit=Decimal("0.000001") for a price per million tokens.',
        yaml="Write unit: '0.000001' for a price per million tokens.",
    ),
)
def price_of_other_unit(project: Project, _: Plugin) -> Iterator[Problem]:
    """A model costs more than any does, or a hundred times as much as its siblings of another unit.

    Most likely its price is per million tokens, and its unit says per thousand.
    """
    groups: dict[tuple[str, str], list[Model]] = {}
    for model in project.models:
        if model.pricing and _is_finite(model.pricing):
            groups.setdefault((model.model_type, model.pricing.currency), []).append(model)
    for models in groups.values():
        prices = [model.pricing for model in models if model.pricing]
        usual = median(map(_cost, prices))
        unit = median(Decimal(price.unit) for price in prices)
        for model, price in zip(models, prices, strict=True):
            if (
                len(prices) > _FEW_SIBLINGS
                and price.unit > unit
                and _cost(price) > _FAR_ABOVE * usual
            ):
                times = int(_cost(price) / usual)
                message = f"{model.model} costs {times:,} times what its siblings do"
                yield Problem(message, at="unit", of=price)
            elif price.unit > _MILLIONTH and _per_million(price) > _MOST_PER_MILLION.get(
                price.currency, math.inf
            ):
                amount = f"{_per_million(price):,.0f} {price.currency}"
                yield Problem(f"{model.model} costs {amount} per million", at="unit", of=price)


def _per_million(pricing: Pricing) -> Decimal:
    """Return the higher of a model's prices for a million tokens, or characters."""
    dearest = max(Decimal(pricing.input), Decimal(pricing.output or 0))
    return dearest * Decimal(pricing.unit) / _MILLIONTH


def _cost(pricing: Pricing) -> Decimal:
    return Decimal(pricing.input) * Decimal(pricing.unit)


def _is_finite(pricing: Pricing) -> bool:
    numbers = (pricing.input, pricing.output or 0, pricing.unit)
    return all(map(math.isfinite, numbers)) and pricing.input > 0 and 0 < pricing.unit <= 1


RULES = (pricing_unit, negative_price, currency_missing, price_of_other_unit)
