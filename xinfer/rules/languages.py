"""Rules of texts in several languages."""

from __future__ import annotations

from collections.abc import Iterator

from xinfer.plugin.plugin import Plugin
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.rule import Problem, rule
from xinfer.rules.values import did_you_mean
from xinfer.schema import fields_of, span_of, walk
from xinfer.spec import I18n


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
    fix="Use en_US, zh_Hans, ja_JP and pt_BR; users of other languages read English.",
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


def _message(languages: list[str]) -> str:
    *others, last = languages
    if others:
        return f"{', '.join(others)} and {last} are not languages of Dify"
    return f"{last} is not a language of Dify{did_you_mean(last, fields_of(I18n))}"


RULES = (unsupported_language,)
