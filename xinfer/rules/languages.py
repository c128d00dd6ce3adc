"""Rules of texts in several languages."""

from __future__ import annotations

from collections.abc import Iterator

from xinfer.plugin.plugin import Plugin
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.rule import Problem, rule
from xinfer.rules.values import did_you_mean
from xinfer.schema import fields_of, span_of, walk
from xinfer.spec import (
    CredentialSchema,
    CustomizableModel,
    I18n,
    Model,
    ModelCredentialSchema,
)


@rule(
    "XI006",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="daemon and sdk: I18nObject has four fields",
    bad=(
        {"manifest.yaml": "label:\n  en_US: Acme\n  fr_FR: «Acme»\n"},
        {
            "provider/acme.yaml": "label:\n  en_US: Acme\n  zh_CN: «Acme»\n  fr_FR: Acme\n"
            "help:\n  title: {en_US: Get a key, fr_FR: Obtenir}\n"
            "  url: {en_US: 'https://example.com/keys'}\n"
        },
    ),
    good=({"manifest.yaml": "label:\n  en_US: Acme\n  pt_BR: Acme\n"},),
    fix="Use en_US and zh_Hans, in the manifest also ja_JP and pt_BR; others read English.",
)
def unsupported_language(plugin: Plugin, _: Plugin) -> Iterator[Problem]:
    """A file has texts in languages that Dify does not have; nobody sees them."""
    for declared in (plugin.manifest, plugin.provider, *plugin.models):
        texts = (text for _, text in walk(declared) if isinstance(text, I18n))
        first: dict[str, I18n] = {}
        for text in texts:
            for language, value in text.extra_keys.items():
                if value is not None:
                    first.setdefault(language, text)
        if first:
            language, text = next(iter(first.items()))
            yield Problem(_message(sorted(first)), span=span_of(text, language))


@rule(
    "XI016",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="graphon model_runtime/entities/common_entities.py: I18nObject has en_US and zh_Hans",
    bad=(
        {"provider/acme.yaml": "label:\n  en_US: Acme\n  zh_Hans: 顶点\n  ja_JP: «頂点»\n"},
        {
            "models/llm/acme-1.yaml": "label:\n  en_US: Acme 1\n  pt_BR: «Acme Um»\n"
            "parameter_rules:\n  - name: top_a\n    type: float\n"
            "    label: {en_US: Top A, ja_JP: トップ A}\n"
        },
    ),
    good=(
        {"provider/acme.yaml": "label:\n  en_US: Acme\n  zh_Hans: 顶点\n"},
        {"manifest.yaml": "label:\n  en_US: Acme\n  ja_JP: 頂点\n"},
    ),
    fix="Leave them out. In the manifest, Japanese is shown.",
)
def language_never_shown(plugin: Plugin, _: Plugin) -> Iterator[Problem]:
    """The texts of a provider or a model are also in Japanese or Portuguese; nobody sees them.

    Dify drops these texts when it loads a provider, and shows English to users of both languages.
    """
    for declared in (plugin.provider, *plugin.models):
        texts = [text for _, text in walk(declared) if isinstance(text, I18n)]
        in_vain = [(lang, text) for text in texts for lang in _DROPPED if getattr(text, lang)]
        if in_vain:
            language, text = in_vain[0]
            languages = sorted({lang for lang, _ in in_vain})
            message = f"Dify never shows {' and '.join(languages)} of a provider or a model"
            yield Problem(message, span=span_of(text, language))


_DROPPED = ("ja_JP", "pt_BR")


_TWO_FIELDS = (
    "provider_credential_schema:\n  credential_form_schemas:\n"
    "    - {{variable: api_key, type: secret-input, required: true, "
    "label: {{en_US: API key, zh_Hans: API 密钥}}}}\n"
    "    - {{variable: team, type: text-input, required: true, label: {}}}\n"
)
_TWO_RULES = (
    "parameter_rules:\n"
    "  - {{name: top_a, type: float, label: {{en_US: Top A, zh_Hans: 前 A}}}}\n"
    "  - {{name: beams, type: int, label: {}}}\n"
)


@rule(
    "XI017",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="graphon model_runtime/entities/common_entities.py: zh_Hans is en_US where it is empty",
    bad=(
        {"provider/acme.yaml": _TWO_FIELDS.format("«{en_US: Team}»")},
        {"models/llm/acme-1.yaml": _TWO_RULES.format("«{en_US: Beams, zh_Hans: ''}»")},
    ),
    good=(
        {"provider/acme.yaml": _TWO_FIELDS.format("{en_US: Team, zh_Hans: 团队}")},
        {"models/llm/acme-1.yaml": _TWO_RULES.format("{en_US: Beams, zh_Hans: 束数}")},
    ),
    fix="Add zh_Hans, also where it equals the English.",
)
def label_without_chinese(plugin: Plugin, _: Plugin) -> Iterator[Problem]:
    """Some labels of a form, or of a model's parameters, have Chinese, and others have none.

    Dify shows the English ones among the Chinese.
    """
    for labels in _labels_side_by_side(plugin):
        lacking = {name: label for name, label in labels.items() if not _has_chinese(label)}
        if 0 < len(lacking) < len(labels):
            first, *others = (label.span for label in lacking.values())
            have = "has" if len(lacking) == 1 else "have"
            yield Problem(
                f"the label of {', '.join(lacking)} {have} no zh_Hans, as others beside it have",
                span=first,
                related=tuple(filter(None, others)),
            )


def _labels_side_by_side(plugin: Plugin) -> Iterator[dict[str, I18n]]:
    """Yield the labels that users see together, by the name of the field or parameter."""
    described = plugin.declared.customizable_models if plugin.declared else ()
    for _, declared in walk((plugin.provider, *plugin.models, *described)):
        match declared:
            case CredentialSchema() | ModelCredentialSchema():
                yield {f.variable: f.label for f in declared.credential_form_schemas}
            case Model() | CustomizableModel():
                yield {r.name: r.label for r in declared.parameter_rules if r.label}


def _has_chinese(label: I18n) -> bool:
    return bool(label.zh_Hans) or label.extra_keys.get("zh_Hans") is not None


def _message(languages: list[str]) -> str:
    *others, last = languages
    if others:
        return f"{', '.join(others)} and {last} are not languages of Dify"
    return f"{last} is not a language of Dify{did_you_mean(last, fields_of(I18n))}"


RULES = (
    unsupported_language,
    language_never_shown,
    label_without_chinese,
)
