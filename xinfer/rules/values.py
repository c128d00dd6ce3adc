"""Rules of any object: fields of their type, texts that can be written, keys that are read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from decimal import Decimal
from difflib import get_close_matches
from enum import Enum

from attrs import frozen

from xinfer.plugin.plugin import Form, Plugin
from xinfer.rules.finding import Finding, Severity, Stage
from xinfer.rules.rule import Problem, rule
from xinfer.schema import (
    REFUSES_OTHER_KEYS,
    Choice,
    Field,
    InPython,
    Object,
    OneOf,
    Scalar,
    Type,
    dotted,
    fields_of,
    per_class,
)
from xinfer.spec import I18n, ProviderModels
from xinfer.spec.declaration import Declaration
from xinfer.spec.span import Steps


def _context_size(size: str) -> dict[str, str]:
    properties = f'ModelProperties(mode="chat", context_size={size})'
    model = f'Model(model="acme-1", model_type=ModelType.LLM, model_properties={properties})'
    return {"provider_spec.py": f"models = ({model},)\n"}


def _rule(line: str) -> dict[str, str]:
    rule = f"parameter_rules:\n  - name: top_a\n    type: float\n    {line}\n"
    return {"models/llm/acme-1.yaml": rule}


def _label(text: str) -> dict[str, str]:
    form = f"secret_input(label=I18n({text}, zh_Hans='模型'), sets=api_key)"
    fields = f"class AcmeCredentials(Credentials):\n    api_key: Secret = {form}\n"
    return {"provider_spec.py": fields}


@rule(
    "XI001",
    Severity.REFUSED,
    Stage.START,
    source="sdk core/entities/plugin/setup.py, entities/model/schema.py: the types of their fields",
    bad=(_context_size('«"8k"»'), _context_size("«8_192.0»"), _context_size("«True»")),
    good=(_context_size("8192"),),
    fix="Give it a value of that type.",
)
def wrong_type(declared: Declaration, _: Plugin) -> Iterator[Problem]:
    """A field holds a value of another type than it is declared with.

    The YAML would hold a value that the daemon or the SDK does not read.
    """
    for field, exact in _of(type(declared)).exact:
        value = getattr(declared, field.name)
        if type(value) not in exact and not field.type.fits(value):
            yield Problem(
                f"{field.name} is {_readable(value)}, expected {field.type}", at=field.name
            )


@rule(
    "XI002",
    Severity.REFUSED,
    Stage.PACKING,
    source="Python's codecs, RFC 3629 section 3: UTF-8 has no code for half of a pair",
    bad=(_label(r'«"Model \ud83d"»'),),
    good=(_label('"Model 😀"'),),
    fix="Remove the character; usually an emoji was cut in half.",
)
def unencodable_text(declared: Declaration, _: Plugin) -> Iterator[Problem]:
    """A text holds a lone surrogate, which no file can hold."""
    for name in _of(type(declared)).texts:
        value = getattr(declared, name)
        if isinstance(value, str) and not value.isascii() and not _encodable(value):
            yield Problem(f"{name} holds a lone surrogate and cannot be written", at=name)


@rule(
    "XI003",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="daemon pkg/utils/parser/yaml.go, sdk entities/model/provider.py: both ignore it",
    bad=({"provider/acme.yaml": "backgruond: «'#fff'»\n"}, {"manifest.yaml": "lable: «Acme»\n"}),
    good=({"provider/acme.yaml": "background: '#fff'\n"},),
    fix="Correct its spelling, or leave it out.",
)
def unknown_key(declared: Declaration, _: Plugin) -> Iterator[Problem]:
    """The format has no such key; the daemon and the SDK ignore it."""
    names = fields_of(type(declared))
    if type(declared) in (*REFUSES_OTHER_KEYS, ProviderModels):
        return  # rules of their own say so
    for key, value in declared.extra_keys.items():
        if value is not None and not (isinstance(declared, I18n) and key not in names):
            problem = (
                "has a value that nothing reads" if key in names else "is not a key of the format"
            )
            yield Problem(f"{key} {problem}{did_you_mean(key, names)}", at=key)


@rule(
    "XI004",
    Severity.REFUSED,
    Stage.START,
    source="sdk entities/model/schema.py, provider.py: lists and texts that are not optional",
    bad=({"models/llm/acme-1.yaml": "parameter_rules:«»\n"},),
    good=({"models/llm/acme-1.yaml": "parameter_rules: []\n"},),
    fix="Leave the key out, or give it a value.",
)
def null_value(declared: Declaration, _: Plugin) -> Iterator[Problem]:
    """A key that must have a value is null; the SDK does not start.

    YAML reads ``parameter_rules:`` with nothing behind it as null, not as a list.
    """
    fields = fields_of(type(declared))
    for key, value in declared.extra_keys.items():
        if value is None and key in fields and not fields[key].reads_null:
            yield Problem(f"{key} is null but must have a value", at=key)


@rule(
    "XI005",
    Severity.REFUSED,
    Stage.UPLOAD,
    source="daemon internal/core/plugin_manager/packages.go: PersistPackage stores it as JSON",
    bad=(_rule("max: «.inf»"), _rule("default: «.nan»")),
    good=(_rule("max: 1.5"),),
    fix="Write a finite number, or leave it out.",
)
def not_finite(declared: Declaration, _: Plugin) -> Iterator[Problem]:
    """A number is infinite or NaN, which JSON cannot hold.

    The daemon keeps what a plugin declares as JSON, and fails when the plugin is uploaded.
    """
    for name in _of(type(declared)).numbers:
        value = getattr(declared, name)
        if isinstance(value, (float, Decimal)) and not math.isfinite(value):
            yield Problem(f"{name} is {value}", at=name)


def mistyped(objects: Iterable[tuple[Steps, Declaration]], form: Form) -> Iterator[Finding]:
    """Check what holds of any object, of each of these with their paths."""
    for path, declared in objects:
        for rule_ in RULES:
            yield from rule_.findings(declared, dotted(path) or "project", None, form)


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """Guess which of the known words was meant; the end of a message, or nothing."""
    near = get_close_matches(word, list(words), n=1)
    return f"; did you mean {near[0]}?" if near and near[0] != word else ""


@frozen
class _Checks:
    """What to look at in the objects of a class, worked out once.

    :param exact: each field with the types of which every value fits.
    :param texts: the fields that may hold a text; ``numbers`` likewise.
    """

    exact: tuple[tuple[Field, frozenset[type]], ...]
    texts: tuple[str, ...]
    numbers: tuple[str, ...]


@per_class
def _of(kind: type[Declaration]) -> _Checks:
    fields = fields_of(kind).values()
    return _Checks(
        exact=tuple((field, frozenset(_exact(field.type))) for field in fields),
        texts=tuple(field.name for field in fields if _may_be(field.type, (str,))),
        numbers=tuple(field.name for field in fields if _may_be(field.type, (float, Decimal))),
    )


def _exact(of: Type) -> Iterator[type]:
    """Yield the types all of whose values fit."""
    match of:
        case OneOf():
            for part in of.types:
                yield from _exact(part)
        case Scalar():
            yield from (int, float) if of.kind is float else (of.kind,)
        case Object():
            yield of.kind
        case Choice(enumeration=kind) if kind:
            yield kind
        case _:
            return


def _may_be(of: Type, kinds: tuple[type, ...]) -> bool:
    types = of.types if isinstance(of, OneOf) else (of,)
    return any(
        part.kind in (*kinds, object) for part in types if isinstance(part, Scalar | InPython)
    )


def _readable(value: object) -> str:
    text = value.name if isinstance(value, Enum) else repr(value)
    text = text if len(text) <= 40 else text[:37] + "..."
    return f"{text} (of type {type(value).__name__})"


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


RULES = (
    wrong_type,
    unencodable_text,
    unknown_key,
    null_value,
    not_finite,
)
