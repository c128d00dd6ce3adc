"""The commands as a user types them: what they print, what they leave behind, how they exit."""

import json
import os
import pty
import shutil
import subprocess
import sys

import pytest
from command_line import ROOT, run, xinfer

from xinfer.testing.server import FakeServer


def test_git_tracks_what_the_spec_builds(xinference_folder):
    """Of dist/, what is generated; the copy of xinfer and of the spec is ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "dist/xinference"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    tracked = {path.removeprefix("dist/xinference/") for path in listed.stdout.split("\0") if path}
    built = {
        path.relative_to(xinference_folder).as_posix(): path.read_bytes()
        for path in xinference_folder.rglob("*")
        if path.is_file()
    }
    generated = {
        path for path in built if path != "provider_spec.py" and not path.startswith("xinfer/")
    }
    assert tracked == generated
    stale = [p for p in tracked if (ROOT / "dist/xinference" / p).read_bytes() != built[p]]
    assert not stale, "run build.py and commit what it changes"


def test_a_build_writes_once_and_a_hand_edit_is_found_and_undone(home):
    first = run("build.py", cwd=home)
    assert "Wrote dist/xinference" in first.stdout, first.stderr
    assert (home / "dist/xinference-0.1.0.difypkg").is_file()
    assert "is up to date" in run("build.py", cwd=home).stdout
    assert run("build.py", "--check", cwd=home).returncode == 0
    manifest = home / "dist/xinference/manifest.yaml"
    manifest.write_text(manifest.read_text().replace("author: xinfer", "author: someone"))
    checked = run("build.py", "--check", cwd=home)
    assert checked.returncode == 1
    assert "-author: someone" in checked.stdout
    assert "+author: xinfer" in checked.stdout
    assert "author: someone" in manifest.read_text()
    run("build.py", cwd=home)
    assert "author: xinfer" in manifest.read_text()


def test_a_clone_is_up_to_date_before_its_first_build(home):
    run("build.py", cwd=home)
    plugin = home / "dist/xinference"
    (plugin / "xinfer/__init__.py").unlink()
    checked = run("build.py", "--check", cwd=home)
    assert (checked.returncode, "xinfer/__init__.py (on disk)" in checked.stdout) == (1, True)
    shutil.rmtree(plugin / "xinfer")
    (plugin / "provider_spec.py").unlink()
    checked = run("build.py", "--check", cwd=home)
    assert (checked.returncode, checked.stdout.count("\n")) == (0, 1)
    (plugin / "manifest.yaml").unlink()
    assert run("build.py", "--check", cwd=home).returncode == 1


def test_nothing_is_written_when_a_check_fails(home):
    spec = home / "provider_spec.py"
    spec.write_text(spec.read_text().replace('author="xinfer"', 'author="X Infer"'))
    built = run("build.py", cwd=home)
    assert built.returncode == 1
    assert "XI102" in built.stdout
    assert not (home / "dist").exists()


def test_a_spec_that_does_not_import_is_unusable(home):
    (home / "provider_spec.py").write_text("from xinfer.spec import Nothing\n")
    for command in (("build.py",), ("-m", "xinfer", "check")):
        failed = run(*command, cwd=home)
        assert failed.returncode == 2, failed
        assert 'provider_spec.py", line 1' in failed.stderr
        assert "cannot import name 'Nothing'" in failed.stderr


def test_findings_for_people_programs_and_pull_requests(home):
    spec = home / "provider_spec.py"
    text = spec.read_text().replace('name="xinference"', 'name="X"')
    spec.write_text(text)
    before = text[: text.index('"X"')].splitlines()
    line, column = len(before), len(before[-1]) + 1
    plain = xinfer("check", cwd=home)
    assert plain.returncode == 1
    assert "refused (upload) XI103 the name 'X' does not fit an identifier" in plain.stdout
    assert f'{line} | name="X",' in plain.stdout
    (finding,) = json.loads(xinfer("check", "--format", "json", cwd=home).stdout)
    assert (finding["code"], finding["file"], finding["line"]) == (
        "XI103",
        "provider_spec.py",
        line,
    )
    github = xinfer("check", "--format", "github", cwd=home).stdout
    where = f"file=provider_spec.py,line={line},col={column},endColumn={column + 3}"
    assert github.startswith(f"::error title=refused (upload) XI103,{where}::")


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        (
            'label=I18n("Tariff Swift")',
            'label="Tariff Swift"',
            "label is 'Tariff Swift' (of type s",
        ),
        (
            "use_template=Template.TOP_P",
            'use_template="top"',
            "use_template is 'top' (of type str)",
        ),
        ('label=I18n("API key"', 'label=str("API key"', "label is"),
        ("features=TOOLS", "features=[*TOOLS]", "expected a tuple of Feature"),
    ],
)
def test_a_value_of_another_type_is_a_finding_at_its_argument(tmp_path, right, wrong, words):
    """Also where no YAML could be made of it."""
    shutil.copytree(ROOT / "examples/tariff", tmp_path / "tariff")
    spec = tmp_path / "tariff/provider_spec.py"
    text = spec.read_text("utf-8").replace(', zh_Hans="API 密钥"', "")
    assert right in text
    spec.write_text(text.replace(right, wrong, 1), "utf-8")
    line = next(n for n, row in enumerate(spec.read_text("utf-8").splitlines(), 1) if wrong in row)
    checked = xinfer("check", str(spec), "--format", "json")
    (finding,) = json.loads(checked.stdout)
    assert (checked.returncode, finding["code"], finding["line"]) == (1, "XI001", line)
    assert words in finding["message"]
    built = xinfer("build", "--spec", str(spec), "--out", str(tmp_path / "out"))
    assert built.returncode == 1
    assert words in built.stdout
    assert not (tmp_path / "out").exists()


def test_values_that_no_yaml_can_be_made_of_are_listed(tmp_path):
    shutil.copytree(ROOT / "examples/tariff", tmp_path / "tariff")
    spec = tmp_path / "tariff/provider_spec.py"
    text = spec.read_text("utf-8")
    right = 'label=I18n("Tariff Swift")'
    line = text[: text.index(right)].count("\n") + 1
    spec.write_text(text.replace(right, 'label="Tariff Swift"'), "utf-8")
    for command in (("diff", str(spec), str(spec)), ("invoke", "--spec", str(spec), "llm", "Hi")):
        done = xinfer(*command)
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1
        assert f"{spec}:{line}:" in done.stderr
        assert "expected I18n" in done.stderr


def test_what_follows_from_the_provider_is_found_at_the_provider(tmp_path):
    shutil.copytree(ROOT / "examples/tariff", tmp_path / "tariff")
    spec = tmp_path / "tariff/provider_spec.py"
    text = spec.read_text("utf-8")
    # Of a plugin that nothing serves, the build makes no module of the provider.
    text = text.replace('runtime=OpenAICompatible(dialect="openai", validated_by=ModelList()),', "")
    spec.write_text(text, "utf-8")
    checked = xinfer("check", str(spec), "--format", "json")
    files = [
        finding["file"] for finding in json.loads(checked.stdout) if finding["code"] == "XI216"
    ]
    assert set(files) == {str(spec)}


def test_a_clean_spec_exits_with_0():
    clean = xinfer("check")
    assert (clean.returncode, clean.stdout) == (0, "No findings.\n")


def test_invoke_streams_an_answer_through_the_emitted_plugin():
    with FakeServer() as server:
        answered = xinfer(
            "invoke", "llm", "Hello", "--server-url", server.url, "--model-uid", "chat"
        )
    assert answered.returncode == 0, answered.stderr
    assert answered.stdout.startswith("Hello!")
    assert "finish reason: stop" in answered.stderr
    assert "tokens" in answered.stderr


def test_invoke_needs_no_server_of_ones_own():
    answered = xinfer("invoke", "llm", "Hello", "-p", "max_tokens=2")
    assert answered.returncode == 0, answered.stderr
    assert "finish reason: length" in answered.stderr
    assert "A fake server answers" in answered.stderr


@pytest.mark.parametrize(
    ("credentials", "words"),
    [
        (("--server-url", "host:9997", "--model-uid", "chat"), "is not a URL"),
        (("--server-url", "http://127.0.0.1:9", "--model-uid", "chat"), "cannot be reached"),
        (("--model-uid", "chat"), "is required, but empty"),
    ],
)
def test_invoke_says_what_is_wrong_with_the_credentials(credentials, words):
    failed = xinfer("invoke", "llm", "Hello", *credentials, "--max-retries", "0")
    assert failed.returncode == 1
    assert words in failed.stderr
    assert "Traceback" not in failed.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("rerank", "q"), "needs a query and at least one document"),
        (("speech2text", "nofile.mp3"), "There is no file nofile.mp3"),
        (("speech2text", "a.mp3", "b.mp3"), "one recording, not 2"),
        (("llm", "Hi", "-p", "temprature=1"), "no parameter temprature: did you mean temperature?"),
        (("llm", "Hi", "-p", "depth=1"), "no parameter depth: choose from temperature, "),
        (("llm", "Hi", "-p", "top_p"), "needs the form NAME=VALUE"),
        (("text-embedding", "Hi", "-p", "top_p=1"), "The model has no parameters"),
        (("moderation", "Hi"), "moderation"),
    ],
)
def test_what_invoke_cannot_do_is_said_before_anything_starts(arguments, words):
    failed = xinfer("invoke", *arguments)
    assert failed.returncode == 2
    assert words in failed.stderr
    assert "fake server" not in failed.stderr


def test_a_parameter_that_is_a_text_stays_one():
    schema = """json_schema={"type": "object"}"""
    answered = xinfer("invoke", "llm", "Hi", "-p", schema, "-p", "response_format=json_schema")
    assert answered.returncode == 0, answered.stderr
    assert json.loads(answered.stdout) == {}


def test_speech_is_not_poured_into_a_terminal():
    control, terminal = pty.openpty()
    command = [sys.executable, "-m", "xinfer", "invoke", "tts", "Hi."]
    failed = subprocess.run(command, stdout=terminal, stderr=subprocess.PIPE, cwd=ROOT, text=True)
    os.close(terminal)
    os.close(control)
    assert failed.returncode == 2
    assert "name a file with -o" in failed.stderr


@pytest.mark.parametrize(
    "arguments", [("check",), ("check", "nope"), ("diff", "nope", "."), ("check", "--fix", "nope")]
)
def test_what_is_not_there_is_said_with_what_could_be(tmp_path, arguments):
    failed = xinfer(*arguments, cwd=tmp_path)
    missing = "nope" if "nope" in arguments else "provider_spec.py"
    assert failed.returncode == 2
    assert failed.stderr == (
        f"Error: There is no {missing}: name a provider_spec.py, a plugin's folder or a .difypkg.\n"
    )


def test_the_second_provider_builds_with_the_same_command(tmp_path):
    built = run(
        "build.py", "--spec", "examples/tariff/provider_spec.py", "--out", str(tmp_path / "dist")
    )
    assert built.returncode == 0, built.stdout + built.stderr
    assert (tmp_path / "dist/tariff/manifest.yaml").is_file()
    assert "own Python" not in built.stdout


def test_a_build_says_that_no_runtime_is_declared(tmp_path):
    answers = ("--author", "me", "--contact", "me@example.org", "--type", "llm")
    done = xinfer(
        "init", "odd", "--kind", "own-python", *answers, "--language", "zh_Hans", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    built = xinfer("build", cwd=tmp_path / "odd")
    assert "No runtime is declared: the plugin's own Python serves its models." in built.stdout


def test_a_rule_has_a_page():
    pages = xinfer("explain", "--all").stdout
    page = xinfer("explain", "xi425").stdout
    assert page in pages
    assert "**Bad**: `models/llm/acme-1.yaml`\n\n```yaml\n" in page
    assert "**Bad**: `models/llm/llm.py`\n\n```python\n" in xinfer("explain", "XI655").stdout
    assert "````text\n# Acme" in xinfer("explain", "XI511").stdout, "a fence in a fence"
    unknown = xinfer("explain", "XI999")
    assert unknown.returncode == 2
    assert "There is no rule XI999" in unknown.stderr


def test_a_folder_and_a_package_are_checked_like_a_spec(home):
    run("build.py", cwd=home)
    for path in ("dist/xinference", "dist/xinference-0.1.0.difypkg"):
        checked = xinfer("check", path, cwd=home)
        assert (checked.returncode, checked.stdout) == (0, "No findings.\n")
    provider = home / "dist/xinference/provider/xinference.yaml"
    provider.write_text(provider.read_text().replace("type: radio", "type: dropdown"))
    checked = xinfer("check", "dist/xinference", cwd=home)
    assert checked.returncode == 1
    assert "dist/xinference/provider/xinference.yaml" in checked.stdout
    assert "expected one of text-input, secret-input, select, radio, switch" in checked.stdout
    assert checked.stdout.count("^") >= 1


def test_code_scanning_gets_its_format(home):
    spec = home / "provider_spec.py"
    spec.write_text(spec.read_text().replace('name="xinference"', 'name="X"'))
    log = json.loads(xinfer("check", "--format", "sarif", cwd=home).stdout)
    (finding,) = log["runs"][0]["results"]
    assert finding["ruleId"] == log["runs"][0]["tool"]["driver"]["rules"][0]["id"] == "XI103"
    location = finding["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "provider_spec.py"


@pytest.mark.parametrize("path", ["nothing", "README.md"])
def test_what_is_no_plugin_is_unusable(path):
    checked = xinfer("check", path)
    assert checked.returncode == 2
    assert "Traceback" not in checked.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("chat",),
        ("voices",),
        ("chat", "--spec"),
        ("invoke", "llm", "Hi"),
        ("tokens", "llm", "Hi"),
        ("validate", "llm"),
        ("schema", "llm"),
        ("doctor", "--server-url", "http://127.0.0.1:9", "--timeout", "-1"),
    ],
)
def test_without_a_spec_or_with_bad_values_one_error_is_printed(command, tmp_path):
    failed = xinfer(*command, cwd=tmp_path)
    assert (failed.returncode, failed.stdout) == (2, "")
    assert failed.stderr.splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in failed.stderr
