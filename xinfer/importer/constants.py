"""Constants for what models share, named after what they hold.

The names depend on the set of models alone, not on their order. They say how values differ; a
number is appended only if the difference cannot be part of a name.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import combinations, takewhile

from attrs import define, field, frozen

from xinfer.importer.expressions import Expressions
from xinfer.importer.names import Names, constant
from xinfer.spec import I18n, Model, ModelProperties, ParameterRule, Pricing

_MOST_WORDS = 3
"""Words of a text in a name."""
_MOST_CHOICES = 500
"""Differences to try for the name of a list."""


@frozen
class _Shared:
    """A value that occurs at least twice."""

    value: object
    expression: ast.expr
    source: str
    count: int


type _Trait = str | tuple[str, ...]
"""A part of a name: as it is, or a text, of which the words that differ are taken."""

type _Namer = Callable[[Sequence[_Shared]], Iterable[tuple[str, _Shared]]]


@define
class Constants:
    """The expressions that have a name.

    :ivar names: the name of each expression, by its source.
    """

    names: dict[str, str] = field(factory=dict)
    _free: Names = field(factory=Names)

    def gather(
        self, models: Iterable[Model], expressions: Expressions
    ) -> Iterator[tuple[str, ast.expr]]:
        """Name the values that occur at least twice; yield name and expression, used ones first."""
        models = tuple(models)
        expressions.constants = self.names
        properties = [model.model_properties for model in models]
        kinds: list[tuple[Iterable[object], _Namer]] = [
            ((rule for model in models for rule in model.parameter_rules), _by_words(_rule)),
            ((model.parameter_rules for model in models), _by_members("RULES")),
            ((model.features for model in models), _by_members("FEATURES")),
            ((each.voices for each in properties), _by_words(_voices)),
            (properties, _by_words(_properties)),
            ((model.pricing for model in models), _by_words(_pricing)),
        ]
        for values, names_of in kinds:
            shared = _shared(values, expressions)
            # Names that are equal get numbers in the order of their values' text.
            for wish, value in sorted(names_of(shared), key=lambda pair: (pair[0], pair[1].source)):
                name = self._free.free(wish)
                self.names[value.source] = name
                yield name, value.expression


def _by_members(noun: str) -> _Namer:
    """Name lists after what distinguishes them from the most frequent one."""

    def names_of(shared: Sequence[_Shared]) -> Iterator[tuple[str, _Shared]]:
        words = {value.source: tuple(_members(value.expression)) for value in shared}
        ranked = sorted(shared, key=lambda value: (-value.count, value.source))
        for value in ranked:
            if value is ranked[0]:
                yield f"STANDARD_{noun}", value
            else:
                others = [words[other.source] for other in ranked if other is not value]
                standard = words[ranked[0].source]
                yield constant(noun, *_difference(words[value.source], standard, others)), value

    return names_of


def _members(members: ast.expr) -> Iterator[str]:
    """Name the members of a list: constants by their names, features and rules by theirs."""
    for member in members.elts if isinstance(members, ast.Tuple) else ():
        match member:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                yield name
            case ast.Call(keywords=[ast.keyword(value=ast.Constant(value=str(name))), *_]):
                yield constant(name)


def _shared(values: Iterable[object], expressions: Expressions) -> list[_Shared]:
    """Find what occurs at least twice and is longer than a name would be."""
    by_source: dict[str, tuple[object, ast.expr]] = {}
    counts: Counter[str] = Counter()
    for value in values:
        if value is None or (isinstance(value, tuple) and len(value) < 2):
            continue
        expression = expressions.of(value)
        source = expressions.source(expression)
        by_source.setdefault(source, (value, expression))
        counts[source] += 1
    return [
        _Shared(value, expression, source, counts[source])
        for source, (value, expression) in by_source.items()
        if counts[source] > 1
    ]


def _difference(
    words: Sequence[str], standard: Sequence[str], others: Sequence[Sequence[str]]
) -> list[str]:
    """Find the fewest words that distinguish a list from all others."""
    more = [word for word in words if word not in standard]
    less = [word for word in standard if word not in words and not _replaced(word, words)]
    choices: list[tuple[tuple[str, ...], tuple[str, ...]]]
    choices = [(chosen, ()) for size in (1, 2) for chosen in combinations(more, size)]
    choices += [((), (word,)) for word in less]
    choices += [((word,), (missing,)) for word in more for missing in less]
    choices += [(chosen, ()) for chosen in combinations(more, 3)]
    for chosen, missing in choices[:_MOST_CHOICES]:
        if not any(_fits(other, chosen, missing) for other in others):
            return _with(chosen, missing)
    return _with(more[:2], less[:2])


def _fits(words: Iterable[str], chosen: Iterable[str], missing: Iterable[str]) -> bool:
    return set(chosen) <= set(words) and set(missing).isdisjoint(words)


def _with(chosen: Sequence[str], missing: Sequence[str]) -> list[str]:
    words = ["WITH", "_AND_".join(chosen)] if chosen else []
    return words + (["WITHOUT", "_AND_".join(missing)] if missing else [])


def _replaced(word: str, words: Iterable[str]) -> bool:
    """Return whether a list holds the same parameter with other limits."""
    return any(other.startswith(word) or word.startswith(other) for other in words)


def _by_words(describe: Callable[..., Iterable[_Trait]]) -> _Namer:
    """Name values after their first trait, and twins also after the traits that differ."""

    def names_of(shared: Sequence[_Shared]) -> Iterator[tuple[str, _Shared]]:
        traits = {value.source: tuple(describe(value.value)) for value in shared}
        chosen = {source: [str(first)] for source, (first, *_) in traits.items()}
        for index in range(1, max(map(len, traits.values()), default=0)):
            for sources in _twins(chosen):
                words = _telling([traits[source][index] for source in sources])
                for source, word in zip(sources, words, strict=True):
                    chosen[source].append(word)
        for value in shared:
            yield constant(*chosen[value.source]), value

    return names_of


def _twins(chosen: Mapping[str, list[str]]) -> list[list[str]]:
    """Group what would have the same name."""
    by_name: dict[str, list[str]] = {}
    for source, words in chosen.items():
        by_name.setdefault(constant(*words), []).append(source)
    return [sources for sources in by_name.values() if len(sources) > 1]


def _telling(traits: Sequence[_Trait]) -> list[str]:
    """Shorten traits to what differs; empty if they are the same."""
    if len(set(traits)) == 1:
        return [""] * len(traits)
    texts = [trait if isinstance(trait, tuple) else None for trait in traits]
    common = takewhile(
        lambda words: len(set(words)) == 1, zip(*(text or () for text in texts), strict=False)
    )
    same = sum(1 for _ in common)
    return [
        str(trait) if text is None else " ".join(text[same : same + _MOST_WORDS])
        for trait, text in zip(traits, texts, strict=True)
    ]


def _rule(rule: ParameterRule) -> Iterator[_Trait]:
    """Describe a rule: its parameter, then what its twins may have otherwise."""
    limit = _word("", rule.max) if rule.name.endswith("tokens") else ""
    yield f"{rule.name} {limit}"
    yield "" if limit else _word("max", rule.max)
    yield _word("min", rule.min)
    yield _word("default", rule.default)
    yield "required" if rule.required else ""
    yield "of options" if rule.options else ""
    yield str(rule.type or "")
    yield _word("precision", rule.precision)
    yield "from template" if rule.use_template else ""
    yield "with help" if rule.help else ""
    yield rule.options
    yield tuple(rule.label.en_US.split()) if rule.label else ""
    yield from _texts(rule.help)
    yield "not required" if "required" in rule.explicit and not rule.required else ""
    for number in (rule.default, rule.min, rule.max):
        yield type(number).__name__ if isinstance(number, int | float) else ""


def _texts(text: I18n | None) -> Iterator[_Trait]:
    """Offer a text more than once: what is the same for some twins differs for others."""
    words = tuple(text.en_US.split()) if text else ()
    yield from (words, words, words)


def _properties(properties: ModelProperties) -> Iterator[str]:
    """Describe properties by their values: ``CHAT_128K``."""
    size = properties.context_size
    mode = properties.mode or ""
    yield f"{mode or 'context'} {_size(size)}" if size is not None else mode or "properties"
    yield _word("chunks", properties.max_chunks)
    yield _word("words", properties.word_limit)
    yield _word("upload", properties.file_upload_limit)
    yield properties.default_voice or ""
    yield properties.audio_type or ""
    yield properties.supported_file_extensions or ""
    yield _word("workers", properties.max_workers)
    yield _word("characters", properties.max_characters_per_chunk)
    yield " ".join(map(str, properties.extra_keys))


def _voices(voices: Sequence[object]) -> Iterator[str]:
    yield "voices"
    yield str(len(voices))


def _pricing(pricing: Pricing) -> Iterator[str]:
    """Describe a price: ``FREE``, ``USD_2_5_AND_10_PER_MILLION``."""
    if not pricing.input and not pricing.output:
        yield "free"
        yield pricing.currency
    else:
        amounts = [_digits(n) for n in (pricing.input, pricing.output) if n is not None]
        per = _PER.get(Decimal(str(pricing.unit)), "")
        yield f"{pricing.currency} {' and '.join(amounts)} {per}"
        yield ""
    yield f"unit {_digits(pricing.unit)}"
    yield "" if isinstance(pricing.input, Decimal) else "as numbers"
    yield f"as {pricing.input} and {pricing.output or ''}".replace(".", "_")
    yield "" if isinstance(pricing.unit, Decimal) else "unit as number"


_PER = {
    Decimal(1): "per token",
    Decimal("0.001"): "per thousand",
    Decimal("0.000001"): "per million",
}


def _size(tokens: int) -> str:
    """Write 131072 as 128K, as people call it, and 128000 in digits."""
    for unit, letter in ((1024 * 1024, "M"), (1024, "K")):
        if tokens % unit == 0 and tokens % 1000:
            return f"{tokens // unit}{letter}"
    return _digits(tokens)


def _word(name: str, value: object) -> str:
    match value:
        case None:
            return ""
        case bool() | str():
            return f"{name} {_first_words(str(value)) or 'empty'}"
        case int() | float() | Decimal():
            return f"{name} {_digits(value)}"
        case _:
            return name


def _digits(number: float | Decimal) -> str:
    """Write a number such that a name can hold it: ``0_7``, ``MINUS_2``."""
    text = format(Decimal(str(number)).normalize(), "f")
    return text.replace("-", "minus ").replace(".", "_")


def _first_words(text: str) -> str:
    return " ".join(text.split()[:_MOST_WORDS])
