"""Parameters of a language model, from ``NAME=VALUE`` and from files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xinfer.cli.options import UnusableInput

if TYPE_CHECKING:
    from xinfer.spec import ParameterRule, Project

_SWITCHES = ("enable_thinking", "thinking", "enable_reasoning")
"""What providers call the parameter that switches thinking on."""


def rules_of(project: Project, model_type: str, model: str | None) -> Mapping[str, ParameterRule]:
    """Return the parameters that a model has, or may have, by name."""
    predefined = [m for m in project.models if m.model_type == model_type]
    chosen = [m.parameter_rules for m in predefined if m.model == (model or predefined[0].model)]
    added = [m.parameter_rules for m in project.customizable_models if m.model_type == model_type]
    return {rule.name: rule for rules in (*chosen, *added)[:1] for rule in rules or ()}


def parameters(
    written: Iterable[str],
    rules: Mapping[str, ParameterRule],
    *,
    json_schema: Path | None = None,
    think: bool | None = None,
) -> Iterator[tuple[str, Any]]:
    """Read each ``name=value``: a text where the parameter is one, else JSON.

    :param json_schema: a file for the parameter of that name.
    :param think: for the parameter that switches thinking.
    :raises UnusableInput: the model has no such parameter.
    """
    for text in written:
        name, equals, value = text.partition("=")
        if not equals:
            raise UnusableInput(f"--param {text} needs the form NAME=VALUE, e.g. temperature=0.2.")
        _expect(name, rules)
        yield name, value if _is_text(rules[name]) else _plain(value)
    if json_schema is not None:
        _expect("json_schema", rules)
        yield "json_schema", read_json(json_schema.read_text("utf-8"), "--json-schema", dict)[1]
        if "response_format" in rules:
            yield "response_format", "json_schema"
    if think is not None:
        switch = next((name for name in _SWITCHES if name in rules), _SWITCHES[0])
        _expect(switch, rules)
        yield switch, think


def read_json(
    text: str, option: str, kind: type[dict[str, Any]] | type[list[Any]]
) -> tuple[Any, str]:
    """Read an option's JSON.

    :return: the value, and the text it was read from.
    :raises UnusableInput: it is not JSON, or of another kind.
    """
    try:
        value = json.loads(text)
    except ValueError as error:
        raise UnusableInput(f"{option} is not JSON: {error}.") from None
    if not isinstance(value, kind):
        raise UnusableInput(f"{option} must hold {'an object' if kind is dict else 'a list'}.")
    return value, text


def _expect(name: str, rules: Mapping[str, ParameterRule]) -> None:
    if name in rules:
        return
    if not rules:
        raise UnusableInput(f"The model has no parameters, so {name} cannot be set.")
    near = get_close_matches(name, rules, n=1)
    hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(rules)}."
    raise UnusableInput(f"The model has no parameter {name}: {hint}")


def _is_text(rule: ParameterRule) -> bool:
    from xinfer.rules.parameters import TEMPLATES
    from xinfer.spec import ParameterType

    kind = rule.type or (TEMPLATES[rule.use_template][0] if rule.use_template else None)
    return kind in (ParameterType.STRING, ParameterType.TEXT)


def _plain(value: str) -> Any:
    """Read JSON; anything else is refused by the plugin, as Dify's users see it."""
    try:
        return json.loads(value)
    except ValueError:
        return value
