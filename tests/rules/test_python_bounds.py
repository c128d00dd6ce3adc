"""Reading a plugin's Python takes steps in proportion to its size, and has a documented end."""

import sys

import pytest
from code_plugin import LLM, SOURCES, project, under
from rules.checking import check_project

from xinfer.rules.python import linter
from xinfer.rules.python.code import MOST_TOKENS


def findings(sources):
    return check_project(project(), {path: text.encode() for path, text in sources.items()})


def steps(sources):
    """Count the calls of functions that a check makes."""
    count = 0

    def note(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        findings(sources)
    finally:
        sys.setprofile(None)
    return count


def of_files(number):
    files = {f"models/m{n}.py": f"from models import m{n + 1}\n" for n in range(number)}
    return {**under(LLM, "from models import m0\n"), **files, f"models/m{number}.py": "X = 1\n"}


def of_lines(begin, line, end=""):
    return lambda number: under(
        LLM, begin + "".join(line.format(n, n + 1) for n in range(number)) + end
    )


TOKENS = (
    "\n\nclass Late(AcmeLargeLanguageModel):\n    def get_num_tokens(self, *a):\n        n = 0\n"
)
GROWING = {
    "files": of_files,
    "chained classes": of_lines("\n\nclass A0:\n    pass\n", "class A{1}(A{0}):\n    pass\n"),
    "missing imports": of_lines("\n\n", "def f{0}():\n    from models.nothing{0} import x\n"),
    "undefined names": of_lines("\n\n", "def f{0}():\n    return undefined{0}\n"),
    "credentials": of_lines("\n\ndef f(credentials):\n", "    credentials['k{0}']\n"),
    "imports for types": of_lines("\n\nif typing.TYPE_CHECKING:\n", "    import m{0}\n"),
    "variables": of_lines("\n\ndef f(x0):\n", "    x{1} = x{0}\n"),
    "a name": of_lines("\n\nx = 0\n", "x = x\nprint(x)\n"),
    "returns": of_lines(TOKENS, "        if n:\n            return n\n", "        return n\n"),
}


@pytest.mark.parametrize("kind", GROWING)
def test_twice_as_much_takes_about_twice_the_steps(kind):
    findings(SOURCES)  # what is worked out once
    small, large = (steps(GROWING[kind](number)) for number in (150, 300))
    assert large < 2.5 * small


@pytest.mark.parametrize(
    ("tokens", "codes"), [(MOST_TOKENS - 3_000, set()), (MOST_TOKENS + 1, {"XI600"})]
)
def test_what_is_larger_than_the_bound_is_reported_and_not_read(tokens, codes):
    generated = "[" + "1," * (tokens // 2 - 1) + "]\n"
    reported = findings(
        {**under(LLM, "from models import generated\n"), "models/generated.py": generated}
    )
    assert {finding.code for finding in reported if finding.code.startswith("XI6")} == codes
    assert {finding.span.file for finding in reported if finding.code == "XI600"} <= {
        "models/generated.py"
    }


def test_what_crashes_ruff_hides_nothing_in_other_files():
    later = "\n\ndef later():\n    import crash\n    return crash, undefined\n"
    for crash in ("-" * 20_000 + ")", "x = " + "1+" * 20_000 + "1\n"):
        by_code = {
            finding.code: finding for finding in findings({**under(LLM, later), "crash.py": crash})
        }
        assert by_code["XI628"].message == "undefined is not defined"
        assert by_code.keys() & {"XI600", "XI602"}


def test_users_settings_change_nothing(monkeypatch, tmp_path):
    sources = under(LLM, "\n\ndef later():\n    return undefined  # noqa: F821\n")
    monkeypatch.setenv("RUFF_OUTPUT_FILE", str(tmp_path / "elsewhere"))
    (tmp_path / "ruff.toml").write_text("lint.ignore = ['F821']\nexclude = ['*']\n")
    monkeypatch.chdir(tmp_path)
    assert [finding.code for finding in findings(sources) if finding.code[:3] == "XI6"] == ["XI628"]
    assert not (tmp_path / "elsewhere").exists()


def test_ruff_is_called_once_for_all_files(monkeypatch):
    calls = []
    call = linter._call_ruff
    monkeypatch.setattr(linter, "_call_ruff", lambda *arguments: calls.append(call(*arguments)))
    findings(of_files(20))
    assert len(calls) == 1
