"""What a finding looks like: its characters underlined, and the author's calls that led there."""

import json
from runpy import run_path

import pytest

from xinfer.cli.report import show
from xinfer.rules import Report, check_one


@pytest.fixture
def findings(tmp_path, monkeypatch):
    """Check the object ``rule`` of a module in the current folder."""
    monkeypatch.chdir(tmp_path)

    def of(text):
        (tmp_path / "spec.py").write_text(f"from xinfer.spec import *\n{text}", "utf-8")
        return Report(check_one(run_path(str(tmp_path / "spec.py"))["rule"], "rule"))

    return of


HELPER = """\
def seed(名, low):
\treturn ParameterRule(name="种子", type=ParameterType.INT, min=low, max=3)
rule = seed("x", 17)
"""


def test_the_argument_is_underlined_and_the_calls_are_shown(findings, capsys):
    show(findings(HELPER))
    _, message, path, line, carets, called, caller, under, *_ = capsys.readouterr().out.splitlines()
    assert message == "  broken (run time) XI424 the minimum 17 is above the maximum 3"
    assert path == "    rule.min"
    assert line.startswith("        3 | return ParameterRule(name=")
    # Each Chinese character is as wide as two carets.
    before = line[line.index("return") : line.index("low")]
    assert carets == f"          | {' ' * (len(before) + 2)}^^^"
    assert called == "    called from spec.py:4"
    assert caller == '        4 | rule = seed("x", 17)'
    assert under == "          |        ^^^^^^^^^^^^^"


def test_programs_get_the_whole_span(findings, capsys):
    reported = findings(HELPER)
    show(reported, "json")
    (data,) = json.loads(capsys.readouterr().out)
    column = HELPER.splitlines()[1].index("low") + 1
    assert (data["line"], data["column"]) == (3, column)
    assert (data["end_line"], data["end_column"]) == (3, column + 3)
    assert data["called_from"] == ["spec.py:4"]
    show(reported, "sarif")
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    (result,) = run["results"]
    assert run["columnKind"] == "unicodeCodePoints"
    region = result["locations"][0]["physicalLocation"]["region"]
    assert region["startColumn"] == column
    assert result["relatedLocations"][0]["physicalLocation"]["region"]["startLine"] == 4
    show(reported, "github")
    assert f"file=spec.py,line=3,col={column},endColumn={column + 3}::" in capsys.readouterr().out


def test_a_call_over_lines_is_underlined_to_the_end_of_its_first(findings, capsys):
    show(findings('rule = ParameterRule(name="",\n    type=ParameterType.INT)\n'))
    out = capsys.readouterr().out
    assert '    2 | rule = ParameterRule(name="",' in out
    show(findings('rule = ParameterRule(name="a", options=("a",),\n    type=ParameterType.INT)\n'))
    assert "^^^^^^" in capsys.readouterr().out
