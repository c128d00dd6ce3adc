"""What ``xinfer init`` writes: it checks, answers, passes its own tests and builds, at once."""

import itertools
import json
import os
import pty
import re
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import pytest
from command_line import run, xinfer
from representatives import every

from xinfer.build.load import load_spec
from xinfer.cli.templates import ANSWERS, TYPES, Answers, Kind, render
from xinfer.ruff import run_ruff
from xinfer.spec import ModelType
from xinfer.testing.server import FakeServer, Served

OF_ONE_TYPE = list(itertools.product(Kind, ((model_type,) for model_type in TYPES)))
OF_ALL_TYPES = [(kind, TYPES) for kind in Kind]
CASES = every(
    [*OF_ONE_TYPE, *OF_ALL_TYPES],
    *((kind, (ModelType.LLM,)) for kind in (Kind.OPENAI_COMPATIBLE, Kind.OWN_PYTHON)),
)
INPUTS = {
    ModelType.LLM: ("Hello",),
    ModelType.TEXT_EMBEDDING: ("Hello",),
    ModelType.RERANK: ("a cat", "a dog", "a kitten"),
    ModelType.TTS: ("Hello", "-o", "hello.mp3"),
}


def init(folder, *arguments):
    done = xinfer("init", "acme", "--author", "me", *arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "acme"


def answers(kind=Kind.OPENAI_COMPATIBLE, types=TYPES, **changes):
    return Answers(
        **{
            "name": "acme",
            "author": "me",
            "kind": kind,
            "types": types,
            "languages": ("en_US", "zh_Hans"),
            "created": date(2026, 1, 2),
            "contact": "me@example.com",
            **changes,
        }
    )


@pytest.mark.parametrize(
    ("kind", "types"), CASES, ids=lambda value: value if isinstance(value, str) else "-".join(value)
)
def test_it_checks_answers_passes_its_tests_and_builds(tmp_path, kind, types):
    options = [option for model_type in types for option in ("--type", model_type)]
    project = init(tmp_path, "--kind", kind, *options, "--language", "zh_Hans")
    checked = xinfer("check", "--strict", cwd=project)
    assert (checked.returncode, checked.stdout) == (0, "No findings.\n")
    for model_type in types:
        if model_type in INPUTS:
            answered = xinfer("invoke", model_type, *INPUTS[model_type], cwd=project)
            assert answered.returncode == 0, answered.stderr
    tested = run("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=project)
    assert tested.returncode == 0, tested.stdout
    assert "skipped" not in tested.stdout
    assert xinfer("build", cwd=project).returncode == 0
    assert (project / "dist/acme-0.0.1.difypkg").is_file()
    again = xinfer("init", "--diff", cwd=project)
    assert (again.returncode, again.stdout) == (0, "Nothing differs from today's templates.\n")


@pytest.mark.parametrize("kind", Kind)
def test_its_python_is_formatted_and_clean(tmp_path, kind):
    files = render(answers(kind))
    python = {path: text for path, text in files.items() if path.endswith(".py")}
    for path, text in python.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, "utf-8")
    formatted = run_ruff("format", "--check", "--line-length=100", ".", folder=tmp_path)
    assert formatted.returncode == 0, formatted.stdout.decode()
    selected = (
        "--select=B,E,F,I,UP,SIM,RET",
        "--line-length=100",
        "--config",
        "src=['.', 'plugin']",
    )
    checked = run_ruff("check", *selected, ".", folder=tmp_path)
    assert checked.returncode == 0, checked.stdout.decode()


LONGEST = {
    Kind.OPENAI_COMPATIBLE: 60,
    Kind.HOSTED: 70,
    Kind.OWN_PYTHON: 70,
    Kind.XINFERENCE: 75,
}


@pytest.mark.parametrize(("kind", "lines"), LONGEST.items())
@pytest.mark.parametrize("languages", [("en_US",), ("en_US", "zh_Hans")])
def test_a_spec_is_short(kind, lines, languages):
    files = render(answers(kind, types=(ModelType.LLM,), languages=languages))
    assert len(files["provider_spec.py"].splitlines()) <= lines
    own = [path for path in files if path.startswith("plugin/") and path.endswith(".py")]
    assert bool(own) is (kind is Kind.OWN_PYTHON)


@pytest.mark.parametrize("kind", Kind)
def test_chinese_is_written_where_it_is_asked_for(kind):
    english = render(answers(kind, languages=("en_US",)))
    assert not [path for path, text in english.items() if re.search("[\u4e00-\u9fff]", text)]
    both = render(answers(kind))
    assert 'zh_Hans="' in both["provider_spec.py"]
    assert "| **API 密钥** |" in both["plugin/readme/README_zh_Hans.md"]


def test_icons_show_the_initials_in_light_and_dark():
    files = render(answers(name="acme-cloud"))
    icons = {
        path: ElementTree.fromstring(text) for path, text in files.items() if "_assets" in path
    }
    assert len(icons) == 2
    for icon in icons.values():
        texts = [node.text for node in icon.iter("{http://www.w3.org/2000/svg}text")]
        assert texts == ["AC"]
    light, dark = (files[f"plugin/_assets/icon_s_{end}.svg"] for end in ("en", "dark_en"))
    assert light != dark


def test_the_answers_are_kept_and_read_again():
    choices = answers(
        Kind.HOSTED,
        url="https://api.example.com/v1",
        models={"llm": ("big", "small")},
        context_sizes={"big": 131_072},
    )
    text = render(choices)[ANSWERS]
    assert tomllib.loads(text)["init"]["kind"] == "hosted"
    assert Answers.from_toml(text) == choices


def test_diff_shows_what_the_templates_would_write(tmp_path):
    project = init(tmp_path)
    spec = project / "provider_spec.py"
    spec.write_text(spec.read_text().replace("8192", "4096"))
    (project / ".gitignore").unlink()
    run_diff = xinfer("init", "--diff", cwd=project)
    assert run_diff.returncode == 1
    assert '+                "context_size": first_of(setting("context_size")' in run_diff.stdout
    assert "+dist/" in run_diff.stdout
    assert "4096" in spec.read_text()
    assert not (project / ".gitignore").exists()


def test_a_running_server_fills_in_its_models(tmp_path):
    served = [
        Served(uid="big", limits={"context_length": 131_072}),
        Served(uid="embedder", model_type="embedding", abilities=("embed",)),
    ]
    with FakeServer(served, key="sk-1") as server:
        refused = xinfer("init", "acme", "--from-url", server.url, cwd=tmp_path)
        assert refused.returncode == 2
        assert "Give its key with --key" in refused.stderr
        project = init(
            tmp_path, "--kind", "hosted", "--from-url", f"{server.url}/v1", "--key", "sk-1"
        )
        url = f"{server.url}/v1"
    declared = load_spec(project / "provider_spec.py").project
    assert [(m.model, m.model_type.value) for m in declared.models] == [
        ("big", "llm"),
        ("embedder", "text-embedding"),
    ]
    assert declared.models[0].model_properties.context_size == 131_072
    assert declared.runtime.base_url == url
    assert "sk-1" not in "".join(p.read_text() for p in project.rglob("*.*") if p.is_file())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Name the provider, e.g. xinfer init acme."),
        (("Acme Corp",), "The name 'Acme Corp' is refused by Dify: use lower-case letters"),
        (("acme", "--author", "Me"), "The author 'Me' is refused by Dify"),
        (("acme", "--kind", "anthropic"), "'anthropic' is not one of 'openai-compatible'"),
        (("acme", "--from-url", "localhost:1"), "is not a URL: begin with http:// or https://"),
        (("acme", "--from-url", "http://127.0.0.1:9"), "does not list models"),
        (("--diff",), "There is no .xinfer.toml"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_written(tmp_path, arguments, words):
    failed = xinfer("init", *arguments, cwd=tmp_path)
    assert failed.returncode == 2
    assert words in " ".join(failed.stderr.split())
    assert "Traceback" not in failed.stderr
    assert not list(tmp_path.iterdir())


def test_a_folder_with_files_is_left_alone(tmp_path):
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme/notes.txt").write_text("mine")
    failed = xinfer("init", "acme", cwd=tmp_path)
    assert failed.returncode == 2
    assert "acme is not empty: choose another name, or another --out." in failed.stderr
    assert [path.name for path in (tmp_path / "acme").iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("notes.txt", "notes.txt is a file: choose another name, or another --out."),
        ("/proc/nowhere/acme", "/proc/nowhere/acme cannot be written: No such file or directory."),
    ],
)
def test_a_folder_that_cannot_be_made_is_refused(tmp_path, out, message):
    (tmp_path / "notes.txt").write_text("mine")
    failed = xinfer("init", "acme", "--author", "me", "--out", out, cwd=tmp_path)
    assert (failed.returncode, failed.stdout) == (2, "")
    assert message in failed.stderr
    assert "Traceback" not in failed.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_terminal_is_asked(tmp_path):
    control, terminal = pty.openpty()
    asked = subprocess.Popen(
        [sys.executable, "-m", "xinfer", "init"],
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    )
    os.write(control, b"acme\nme\nxinference\nllm, nothing\nllm, rerank\ny\n")
    _, errors = asked.communicate(timeout=60)
    os.close(terminal)
    os.close(control)
    assert asked.returncode == 0, errors.decode()
    saved = tomllib.loads((tmp_path / "acme" / ANSWERS).read_text())["init"]
    assert (saved["author"], saved["kind"]) == ("me", "xinference")
    assert saved["types"] == ["llm", "rerank"]
    assert saved["languages"] == ["en_US", "zh_Hans"]
    assert b"Choose from llm, text-embedding" in errors
    assert json.loads(xinfer("check", "--format", "json", cwd=tmp_path / "acme").stdout) == []


def test_the_fixtures_of_the_pytest_plugin(tmp_path):
    project = init(tmp_path)
    (Path(project) / "tests/test_more.py").write_text(
        "from xinfer.daemon.invocation import Invocation\n"
        "from xinfer.spec import ModelType\n\n\n"
        "def test_a_question_reaches_the_service(provider, plugin, server, spec):\n"
        "    assert spec.manifest.name == 'acme'\n"
        "    assert not server.requests\n"
        "    call = provider.invocation(ModelType.LLM, 'Hi', credentials={\n"
        "        'base_url': server.url + '/v1', 'api_key': 'sk-conformance-0f6b2c'})\n"
        "    list(call.run(plugin))\n"
        "    assert server.requests[-1].body['messages'][-1]['content'] == 'Hi'\n"
    )
    tested = run("-m", "pytest", "-q", "-k", "reaches", cwd=project)
    assert tested.returncode == 0, tested.stdout
