"""One mistake is one finding: each value of a good plugin, broken in each way."""

from collections.abc import Iterator

import pytest
import yaml
from rules.valid_plugin import MANIFEST, MODEL, PROVIDER, YAML

from xinfer.plugin.read import read_plugin
from xinfer.rules import check

MISSING = object()
BREAKS = {"missing": MISSING, "number": 5, "list": [[]], "null": None, "text": "no such"}
SEVERAL = {
    ("provider_credential_schema.credential_form_schemas.0.variable", "text"): (
        3,
        "three modules read the credential, each at a place of its own",
    ),
    ("models", "missing"): (2, "each folder of models that nothing reads is told once"),
}
"""Breaks with several findings: their number, and why."""


def places(value: object, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for step, below in items:
        yield (*at, step)
        if isinstance(below, dict | list):
            yield from places(below, (*at, step))


def broken(file: str, at: tuple[str | int, ...], new: object) -> str:
    data = yaml.safe_load(YAML[file])
    holder = data
    for step in at[:-1]:
        holder = holder[step]
    if new is MISSING:
        del holder[at[-1]]
    else:
        holder[at[-1]] = new
    text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False)
    return text.replace("2026-01-31 00:00:00+00:00", "2026-01-31T00:00:00Z")


@pytest.mark.parametrize("kind", BREAKS)
@pytest.mark.parametrize("file", [MANIFEST, PROVIDER, MODEL])
def test_one_broken_value_has_one_finding(tmp_path, file, kind):
    for path, text in YAML.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    for at in places(yaml.safe_load(YAML[file])):
        (tmp_path / file).write_text(broken(file, at, BREAKS[kind]))
        name = ".".join(map(str, at))
        most, _ = SEVERAL.get((name, kind), (1, ""))
        findings = [f"{f.code} {f.message}" for f in check(read_plugin(tmp_path))]
        assert len(findings) <= most, (name, findings)
