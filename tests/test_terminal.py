"""What a terminal would act on is shown, whichever command prints it, also in a pipe."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinfer.cli.terminal import json_text, visible
from xinfer.spec.errors import quoted

ROOT = Path(__file__).parent.parent
HOSTILE = "a\x1b]0;title\x07b\x1b[2Jc\x9bd\u202ee\x7ff"
ACTED_ON = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def run(*arguments, cwd):
    command = [sys.executable, "-m", "xinfer", *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300)
    assert not ACTED_ON.search(done.stdout + done.stderr)
    assert "Traceback" not in done.stderr
    return done


def test_an_answer_of_a_model(tmp_path):
    spec = str(ROOT / "provider_spec.py")
    told = run("invoke", "llm", HOSTILE, "--spec", spec, cwd=tmp_path)
    assert told.returncode == 0
    assert "\\x1b]0;title\\x07b\\x1b[2Jc\\x9bd\\u202ee\\x7ff" in told.stdout
    scripted = run("invoke", "llm", HOSTILE, "--spec", spec, "--json", cwd=tmp_path)
    assert HOSTILE in json.loads(scripted.stdout)["text"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("keygen", "{}"),
        ("check", "{}"),
        ("build", "--spec", "{}"),
        ("import", "{}"),
        ("pack", "{}"),
        ("verify", "{}", "--key", "{}"),
        ("sign", "{}", "--key", "{}"),
        ("rehearse", "{}"),
        ("publish", "{}", "{}"),
        ("docs", "{}"),
        ("diff", "{}", "{}"),
        ("preview", "{}"),
        ("explain", "{}"),
        ("serve", "--{}"),
        ("init", "{}"),
        ("{}",),
    ],
    ids=lambda arguments: arguments[0],
)
def test_what_a_user_names(arguments, tmp_path):
    filled_in = [argument.replace("{}", HOSTILE) for argument in arguments]
    done = run(*filled_in, cwd=tmp_path)
    assert "\\u202e" in done.stdout + done.stderr


def test_each_character_has_one_escape():
    """That of ``repr``, which messages use for a name in quotation marks."""
    for character in map(chr, range(0x10000)):
        if (escape := visible(character)) != character:
            assert escape == repr(character)[1:-1] == quoted(character)
        else:
            assert not ACTED_ON.match(character)


@given(st.text(st.characters() | st.sampled_from(HOSTILE + "\n\ud800")), st.sampled_from([None, 2]))
def test_json_stays_json(text, indent):
    written = json_text({text: [text]}, indent=indent)
    assert json.loads(written) == {text: [text]}
    assert visible(written, keep="\n") == written
