"""The schemas for editors: valid themselves, true of what xinfer writes and people publish."""

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings

import provider_spec
from xinfer.spec.project import complete
from xinfer.testing import projects
from xinfer.yaml import read_document, to_data
from xinfer.yaml.json_schema import KINDS, json_schema

CORPUS = Path(os.environ.get("XINFER_CORPUS", ""))
PUBLISHED = sorted(CORPUS.rglob("*.yaml")) if str(CORPUS) != "." else []
VALIDATORS = {
    kind: jsonschema.Draft202012Validator(json_schema(declared)) for kind, declared in KINDS.items()
}


def plain(value):
    """Data as JSON holds it; an editor reads a time as text."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else value


def wrong(kind, data):
    return [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
        for error in VALIDATORS[kind].iter_errors(plain(data))
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_a_schema(kind):
    jsonschema.Draft202012Validator.check_schema(json_schema(KINDS[kind]))


def test_our_own_provider_is_valid():
    project = complete(provider_spec.project)
    assert wrong("manifest", to_data(project.manifest)) == []
    assert wrong("provider", to_data(project.provider)) == []


@given(project=projects())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_written_is_valid(project):
    whole = complete(project)
    assert wrong("manifest", to_data(whole.manifest)) == []
    assert wrong("provider", to_data(whole.provider)) == []
    for model in whole.models:
        assert wrong("model", to_data(model)) == []


RIGHT = {"model": "m", "model_type": "llm", "model_properties": {"mode": "chat"}}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": 4.1}, "4.1 is not of type 'string'"),
        ({"model_type": "llms"}, "'llms' is not one of"),
        ({"model_properties": {"contextsize": 1}}, "'contextsize' was unexpected"),
        ({"parameter_rules": None}, "None is not of type 'array'"),
        ({"parameter_rules": [{"type": "float"}]}, "'name' is a required property"),
        ({"label": {"zh_Hans": "甲"}}, "not valid under any"),
    ],
)
def test_mistakes_are_marked(change, words):
    (error,) = wrong("model", {**RIGHT, **change})
    assert words in error
    assert wrong("model", RIGHT) == []


@pytest.mark.parametrize("change", [{"features": None}, {"icon": "x.svg"}, {"pricing": None}])
def test_what_every_gate_accepts_is_valid(change):
    assert wrong("model", {**RIGHT, **change}) == []


def test_fields_are_told_of():
    fields = json_schema(KINDS["manifest"])["$defs"]["Manifest"]["properties"]
    assert "1 to 64 characters" in fields["author"]["description"]
    assert fields["type"]["default"] == "plugin"


@pytest.mark.only_if(bool(PUBLISHED), "set XINFER_CORPUS to a folder of published plugins")
def test_every_published_file_is_valid():
    kinds = {"manifest.yaml": "manifest", "_position.yaml": None}
    for path in PUBLISHED:
        kind = kinds.get(path.name, "provider" if path.parent.name == "provider" else "model")
        if kind:
            assert wrong(kind, read_document(path.read_bytes(), str(path)).data) == [], path


def test_the_command_prints_and_writes(tmp_path):
    command = [sys.executable, "-m", "xinfer", "schema"]
    printed = subprocess.run([*command, "model"], capture_output=True, text=True, check=True)
    assert json.loads(printed.stdout) == json_schema(KINDS["model"])
    file = tmp_path / "manifest.schema.json"
    subprocess.run([*command, "manifest", "-o", str(file)], check=True, capture_output=True)
    assert json.loads(file.read_text("utf-8")) == json_schema(KINDS["manifest"])
    refused = subprocess.run([*command, "tool"], capture_output=True, text=True)
    assert refused.returncode == 2
    assert "'tool' is not one of" in refused.stderr
