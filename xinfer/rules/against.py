"""Rules of a new version beside the one that users have: what becomes of stored credentials."""

from __future__ import annotations

from collections.abc import Iterator

from xinfer.diff import Change
from xinfer.plugin.plugin import Plugin
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.rule import Problem, rule

_ACME_0 = "model: acme-0\nmodel_type: llm\nmodel_properties: {mode: chat, context_size: 8192}\n"


def _form(type_: str) -> str:
    field = "variable: api_key\n      type: {}\n      label: {{en_US: API key, zh_Hans: API Key}}"
    fields = f"credential_form_schemas:\n    - {field.format(type_)}\n      required: true"
    return f"provider_credential_schema:\n  {fields}\n"


@rule(
    "XI801",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="dify api/core/entities/provider_configuration.py: extract_secret_variables",
    bad=(
        {
            "before:provider/acme.yaml": _form("text-input"),
            "provider/acme.yaml": _form("secret-input")
            .replace("variable", "«variable")
            .replace("required: true", "required: true»"),
        },
    ),
    good=(
        {
            "before:provider/acme.yaml": _form("secret-input"),
            "provider/acme.yaml": _form("secret-input"),
        },
    ),
    fix="Declare a new field, and let the code read both.",
)
def secret_retyped(change: Change, new: Plugin) -> Iterator[Problem]:
    """A credential turned from a secret to plain text, or back; stored values do not follow.

    Dify encrypts by the type that the form has when users save, and decrypts by the one that it
    has when a model is called.
    """
    if change.retyped:
        yield Problem(f"{change.text}: {change.breaks}", of=change.of or new.project)


@rule(
    "XI802",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="dify api/core/entities/provider_configuration.py: values and models are found by name",
    bad=({"before:models/llm/acme-0.yaml": _ACME_0, "models/llm/_position.yaml": "- acme-1\n"},),
    good=({"before:models/llm/acme-0.yaml": _ACME_0, "models/llm/acme-0.yaml": _ACME_0},),
    fix="Keep what users have, or say so in the release note.",
)
def stored_broken(change: Change, new: Plugin) -> Iterator[Problem]:
    """Something that users of the previous version have stored stops working."""
    if change.breaks and not change.retyped:
        yield Problem(f"{change.text}: {change.breaks}", of=change.of or new.project)


RULES = (
    secret_retyped,
    stored_broken,
)
