"""A finding points at what it is about: an argument of a call, a key of YAML."""

from linecache import getline
from pathlib import Path

import pytest
from rules.checking import check_project

import provider_spec
from xinfer.build.preparation import prepare
from xinfer.plugin.read import read_plugin
from xinfer.rules import check
from xinfer.spec import ParameterRule, ParameterType
from xinfer.spec.declaration import evolve
from xinfer.spec.project import complete

PREPARED = prepare(Path(provider_spec.__file__))
PROJECT, FILES = complete(provider_spec.project), PREPARED.tree
DECLARED = PROJECT.customizable_models[0]


def of(rule):
    declared = evolve(DECLARED, parameter_rules=(rule,))
    findings = check_project(evolve(PROJECT, customizable_models=(declared,)), FILES)
    (finding,) = (finding for finding in findings if finding.code.startswith("XI4"))
    return finding


def pointed(finding):
    """Return what stands in the line from where the finding points."""
    return getline(finding.span.file, finding.span.line)[finding.span.column - 1 :].rstrip()


def test_an_argument():
    finding = of(
        ParameterRule(
            name="seed",
            type=ParameterType.INT,
            min=7,  # above the other
            max=3,
        )
    )
    assert (finding.code, pointed(finding)) == ("XI424", "7,  # above the other")


def test_an_argument_behind_letters_of_many_bytes():
    finding = of(ParameterRule(name="种子", type=ParameterType.INT, min=7, max=3))
    assert pointed(finding) == "7, max=3))"


def test_an_item():
    finding = of(ParameterRule(name="s", type=ParameterType.STRING, options=("a", "b" * 256)))
    assert pointed(finding) == '"b" * 256)))'


def test_what_the_call_does_not_say_itself():
    limits = {"min": 7, "max": 3}
    finding = of(ParameterRule(name="seed", type=ParameterType.INT, **limits))
    assert pointed(finding) == 'ParameterRule(name="seed", type=ParameterType.INT, **limits))'


@pytest.mark.parametrize(
    ("file", "right", "wrong", "code", "points"),
    [
        ("manifest.yaml", "version: '0.1.0'", "version: v1", "XI101", "v1"),
        (
            "provider/tariff.yaml",
            "- models/llm/*.yaml",
            "- models/llm/*.yaml\n    - nothing/*.yaml",
            "XI218",
            "nothing/*.yaml",
        ),
        ("models/llm/tariff-swift.yaml", "context_size: ", "context_size: -", "XI406", "-"),
    ],
)
def test_a_key_of_yaml(plugin_folder, file, right, wrong, code, points):
    path = plugin_folder / file
    assert right in path.read_text()
    path.write_text(path.read_text().replace(right, wrong, 1))
    (finding,) = check(read_plugin(plugin_folder))
    assert finding.span.file == str(path)
    assert finding.code == code
    assert pointed(finding).startswith(points)
