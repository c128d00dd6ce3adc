"""One mistake is one finding: each value of a good plugin, broken in each way."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from rules.valid_plugin import YAML

from xinfer.plugin.read import read_plugin
from xinfer.rules import check
from xinfer.rules.examples import MANIFEST, MODEL, PROVIDER


def _delete(holder: Any, step: Any) -> None:
    del holder[step]


def _misspell(holder: Any, step: Any) -> None:
    holder[f"{step}s"] = holder.pop(step)


def _add_a_key(holder: Any, step: Any) -> None:
    holder[step]["surplus"] = 1


def _put(value: Any) -> Any:
    return lambda holder, step: holder.__setitem__(step, value)


BREAKS = {
    "missing": _delete,
    "number": _put(5),
    "list": _put([[]]),
    "null": _put(None),
    "text": _put("no such"),
    "misspelt": _misspell,
    "unknown": _add_a_key,
}

FIELD = "provider_credential_schema.credential_form_schemas.0"
RULE = "parameter_rules.0"
NONE = {
    # Keys that may be left out, and items of lists. Without a form, what code reads is not judged.
    (MANIFEST, "missing"): [
        *("label.zh_Hans", "description.zh_Hans", "meta.minimum_dify_version", "tags", "tags.0"),
        *("meta.arch.0", "meta.arch.1"),
    ],
    (MANIFEST, "null"): ["label.zh_Hans", "description.zh_Hans", "meta.minimum_dify_version"],
    (PROVIDER, "missing"): ["label.zh_Hans", "icon_small", f"{FIELD}.label.zh_Hans", FIELD],
    (PROVIDER, "null"): ["label.zh_Hans", "icon_small", f"{FIELD}.label.zh_Hans"],
    (MODEL, "missing"): [
        *("label", "label.en_US", "features", "features.0", "parameter_rules", RULE),
        *(f"{RULE}.max", "pricing", "pricing.output"),
    ],
    (MODEL, "null"): ["label", "features", f"{RULE}.max", "pricing", "pricing.output"],
    # Values that are as good as those that they replace.
    (MANIFEST, "text"): [
        *("label.en_US", "label.zh_Hans", "description.en_US", "description.zh_Hans"),
        *("meta.runner.version", "contact"),
    ],
    (PROVIDER, "text"): [
        *("label.en_US", "label.zh_Hans", f"{FIELD}.label.en_US", f"{FIELD}.label.zh_Hans")
    ],
    (MODEL, "text"): ["label.en_US", f"{RULE}.name", "pricing.currency"],
    (MODEL, "number"): [
        *("model_properties.context_size", f"{RULE}.max", "pricing.input", "pricing.output")
    ],
}
"""Breaks that are no mistakes."""
SEVERAL = {
    # Three modules read the credential, each at a place of its own.
    (PROVIDER, "text"): {f"{FIELD}.variable": ("XI661",) * 3},
    # Each folder of models that nothing reads is told once.
    (PROVIDER, "missing"): {"models": ("XI226",) * 2},
    # What a missing key leads to, and which key was meant.
    (MANIFEST, "misspelt"): {
        **dict.fromkeys(
            [
                *("type", "resource", "resource.memory", "plugins", "meta", "meta.version"),
                *("meta.arch", "meta.runner", "meta.runner.language", "meta.runner.version"),
                "meta.runner.entrypoint",
            ],
            ("XI003", "XI013"),
        ),
        **dict.fromkeys(["privacy", "repo", "contact"], ("XI003", "XI117")),
        "plugins.models": ("XI003", "XI120"),
    },
    (PROVIDER, "misspelt"): {
        "supported_model_types": ("XI003", "XI013"),
        "configurate_methods": ("XI003", "XI013"),
        "provider_credential_schema": ("XI003", "XI220"),
        f"{FIELD}.required": ("XI003", "XI320"),
        "models": ("XI003", "XI226", "XI226"),
        "models.llm.predefined": ("XI003", "XI226"),
        "models.llm.position": ("XI003", "XI225"),
        "models.moderation.predefined": ("XI003", "XI226"),
        "extra": ("XI003", "XI215"),
        "extra.python.model_sources": ("XI003", "XI223"),
    },
    (MODEL, "misspelt"): {
        "model_properties.mode": ("XI412", "XI414"),
        "model_properties.context_size": ("XI407", "XI412"),
        f"{RULE}.use_template": ("XI003", "XI421"),
    },
}
"""Breaks with several findings: their codes."""


def places(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for step, below in items:
        yield (*at, step)
        if isinstance(below, dict | list):
            yield from places(below, (*at, step))


def _is_possible(kind: str, place: tuple[str | int, ...], value: Any) -> bool:
    if kind == "unknown":
        return isinstance(value, dict)
    return len(place) > 1 and (kind != "misspelt" or isinstance(place[-1], str))


def broken(document: dict[str, Any], kind: str) -> Iterator[tuple[str, str]]:
    """Yield the name of each value, and the text of the document in which it is broken."""
    whole = {"": document}
    for place in places(whole):
        data: Any = copy.deepcopy(whole)
        holder = data
        for step in place[:-1]:
            holder = holder[step]
        if _is_possible(kind, place, holder[place[-1]]):
            BREAKS[kind](holder, place[-1])
            text = yaml.safe_dump(data[""], allow_unicode=True, sort_keys=False)
            text = text.replace("2026-01-31 00:00:00+00:00", "2026-01-31T00:00:00Z")
            yield ".".join(map(str, place[1:])), text


@pytest.mark.parametrize("kind", BREAKS)
@pytest.mark.parametrize("file", [MANIFEST, PROVIDER, MODEL])
def test_one_broken_value_has_one_finding(tmp_path, file, kind):
    for path, text in YAML.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    codes = {}
    for name, text in broken(yaml.safe_load(YAML[file]), kind):
        (tmp_path / file).write_text(text)
        findings = check(read_plugin(tmp_path))
        codes[name] = tuple(sorted(finding.code for finding in findings))
    assert {name: row for name, row in codes.items() if len(row) != 1} == {
        **dict.fromkeys(NONE.get((file, kind), ()), ()),
        **SEVERAL.get((file, kind), {}),
    }


@pytest.mark.parametrize(
    ("file", "value", "code"),
    [
        (MANIFEST, "privacy: PRIVACY.md", "XI003"),
        (PROVIDER, "background: '#fff'", "XI003"),
        (MODEL, "  mode: chat", "XI412"),
    ],
)
def test_a_value_that_cannot_be_read_hides_no_unknown_key_beside_it(tmp_path, file, value, code):
    files = {**YAML, PROVIDER: f"background: '#fff'\n{YAML[PROVIDER]}"}
    key = value.split(":")[0]
    indent = key.removesuffix(key.strip())
    files[file] = files[file].replace(value, f"{key}: [[]]\n{indent}surplus: 1")
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    findings = check(read_plugin(tmp_path))
    (unknown,) = [finding for finding in findings if finding.path.endswith("surplus")]
    assert (unknown.code, len(findings)) == (code, 2)
