"""The wheel, in an environment of its own: what a user has who never saw this repository."""

import os
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from representatives import every
from sybil import Document
from test_docs import Page

ROOT = Path(__file__).parent.parent
UV = shutil.which("uv")
ALONE = {
    **{key: value for key, value in os.environ.items() if not key.startswith(("UV_", "PYTHON"))},
    "VIRTUAL_ENV": "",
}


def run(*command, cwd, **environment):
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**ALONE, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )


def done(*command, cwd, **environment):
    ended = run(*command, cwd=cwd, **environment)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    done(UV, "build", "--wheel", "--out-dir", folder, cwd=ROOT)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def bare(wheel, tmp_path_factory):
    """An environment that holds the wheel and what it requires, no extra."""
    folder = tmp_path_factory.mktemp("bare")
    done(UV, "venv", "--python", sys.executable, folder / "env", cwd=folder)
    install = (UV, "pip", "install", "--python", folder / "env/bin/python")
    done(*install, wheel, cwd=folder)
    return folder / "env/bin"


def test_the_wheel_holds_the_package_its_types_and_the_way_in(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {"dify_xinfer.py", "xinfer/py.typed", "xinfer/__main__.py"} <= set(names)
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"dify_xinfer.py", "xinfer", next(t for t in tops if t.endswith(".dist-info"))}
    assert wheel.name.startswith("dify_xinfer-0.1.0-")


@pytest.mark.parametrize("command", [("xinfer",), ("dify-xinfer",), ("python", "-m", "xinfer")])
def test_every_way_in_gives_the_version(bare, tmp_path, command):
    name, *rest = command
    printed = done(bare / name, *rest, "--version", cwd=tmp_path).stdout
    assert printed == "xinfer, version 0.1.0\n"


def test_a_spec_is_built_checked_and_imported_outside_the_repository(bare, tmp_path):
    shutil.copy(ROOT / "examples/tariff/provider_spec.py", tmp_path)
    shutil.copytree(ROOT / "examples/tariff/plugin", tmp_path / "plugin")
    xinfer = bare / "xinfer"
    assert done(xinfer, "check", cwd=tmp_path).stdout == "No findings.\n"
    built = done(xinfer, "build", cwd=tmp_path).stdout
    assert built.startswith("Wrote dist/tariff (")
    assert done(xinfer, "check", "dist/tariff", cwd=tmp_path).stdout == "No findings.\n"
    # As a plugin that nobody built with xinfer.
    shutil.copytree(
        tmp_path / "dist/tariff",
        tmp_path / "published",
        ignore=shutil.ignore_patterns("xinfer", "provider_spec.py", ".xinfer.json"),
    )
    done(xinfer, "import", "published", "-o", "again", cwd=tmp_path)
    done(xinfer, "build", "--spec", "again/provider_spec.py", "--out", "twice", cwd=tmp_path)
    first, second = (tmp_path / folder / "tariff/manifest.yaml" for folder in ("dist", "twice"))
    assert first.read_text("utf-8") == second.read_text("utf-8")
    assert "run xinfer build" in first.read_text("utf-8")


def test_a_missing_extra_is_named_with_the_command_that_installs_it(bare, tmp_path):
    shutil.copy(ROOT / "provider_spec.py", tmp_path)
    shutil.copytree(ROOT / "plugin", tmp_path / "plugin")
    failed = run(bare / "xinfer", "invoke", "llm", "Hello", cwd=tmp_path)
    assert failed.returncode == 2
    assert failed.stderr == (
        "Error: xinfer invoke starts the plugin, which needs Dify's SDK: install the extra with\n"
        f"    uv pip install --python {bare / 'python'} 'dify-xinfer[runtime]'\n"
    )


def test_with_the_extra_a_model_answers(bare, wheel, tmp_path):
    shutil.copy(ROOT / "provider_spec.py", tmp_path)
    shutil.copytree(ROOT / "plugin", tmp_path / "plugin")
    done(UV, "venv", "--python", sys.executable, "env", cwd=tmp_path)
    install = (UV, "pip", "install", "--python", "env/bin/python")
    done(*install, f"{wheel}[runtime]", cwd=tmp_path)
    answered = done("env/bin/xinfer", "invoke", "llm", "Hello", cwd=tmp_path)
    assert answered.stdout.startswith("Hello!")


def test_another_project_of_the_same_import_name_is_reported(bare, tmp_path):
    other = tmp_path / "xinfer-1.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: xinfer\nVersion: 1.0\n")
    for name in ("xinfer", "dify-xinfer"):
        failed = run(bare / name, "--version", cwd=tmp_path, PYTHONPATH=str(tmp_path))
        assert failed.returncode == 1
        assert 'this environment also holds the distribution "xinfer"' in failed.stderr
        assert "-m pip uninstall xinfer dify-xinfer" in failed.stderr
        assert "Traceback" not in failed.stderr


def test_the_metadata_links_and_the_extras():
    metadata = distribution("dify-xinfer").metadata
    assert set(metadata.get_all("Provides-Extra")) == {
        "runtime",
        "testing",
        "tokens",
        "preview",
        "signing",
    }
    assert "Typing :: Typed" in metadata.get_all("Classifier")
    links = dict(link.split(", ", 1) for link in metadata.get_all("Project-URL"))
    assert {"Documentation", "Source", "Issues", "Changelog"} == set(links)


def test_the_strategies_name_the_extra_they_need(bare, tmp_path):
    done(bare / "python", "-c", "from xinfer.testing.server import FakeServer", cwd=tmp_path)
    failed = run(bare / "python", "-c", "from xinfer.testing import texts", cwd=tmp_path)
    assert "xinfer.testing.texts needs hypothesis: install dify-xinfer[testing]" in failed.stderr


@pytest.mark.parametrize("part", every(("two blocks", "the whole"), "two blocks"))
def test_the_tutorial_runs_as_written_in_an_empty_folder(wheel, tmp_path, part):
    """With uv as it is, and the wheel where an index would have it."""
    environment = {
        **ALONE,
        "UV_FIND_LINKS": str(wheel.parent),
        "UV_PYTHON_DOWNLOADS": "never",
        "COLUMNS": "100",
        "NO_COLOR": "1",
    }
    page = Page(tmp_path, environment)
    blocks = list(Document.parse(str(ROOT / "docs/tutorial.md"), page.parse).examples())
    chosen = blocks if part == "the whole" else blocks[:2]
    assert "invoke llm" in chosen[1].region.parsed["source"]
    for example in chosen:
        page.folder.mkdir(exist_ok=True)
        example.evaluate()
    assert (tmp_path / "acme/uv.lock").is_file()
