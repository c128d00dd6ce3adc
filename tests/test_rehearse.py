"""``xinfer rehearse``: an installation as the daemon makes it, where it succeeds and where not."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from command_line import xinfer
from registry import needs_registry
from representatives import every

from xinfer.build.preparation import prepare, write
from xinfer.cli import main
from xinfer.daemon.environment import CommandFailed, Environment
from xinfer.daemon.offline import isolated
from xinfer.daemon.rehearsal import rehearse
from xinfer.plugin.archive import pack

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted(path.name for path in (ROOT / "examples").iterdir() if path.is_dir())


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """Build the Xinference plugin into a package."""
    return write(prepare(ROOT / "provider_spec.py"), tmp_path_factory.mktemp("built")).package


@pytest.fixture
def changed(package, tmp_path):
    """Return a function that packs the plugin with other contents of some files."""

    def make(**contents):
        with zipfile.ZipFile(package) as old:
            files = {name: old.read(name) for name in old.namelist()}
        for name, content in contents.items():
            if content is None:
                del files[name]
            else:
                files[name] = content
        path = tmp_path / "changed.difypkg"
        path.write_bytes(pack(sorted(files.items())))
        return path

    return make


def outcomes(rehearsal):
    return {step.name: step.outcome for step in rehearsal.steps}


STEPS = (
    *("unpack", "environment", "byte-compile", "import the SDK"),
    *("start", "configuration", "model schemas", "serverless start"),
)
LIMITS = {"environment": 600, "byte-compile": 600, "start": 120, "serverless start": 20}
"""Seconds, of the daemon; the last of the marketplace."""


def assert_installed(done):
    assert done.passed, done.steps
    assert outcomes(done) == dict.fromkeys(STEPS, "ok")
    assert {step.name: step.limit for step in done.steps if step.limit} == LIMITS
    assert all(step.seconds < step.limit for step in done.steps if step.limit)
    assert any(line.startswith("dify-plugin==") for line in done.installed)
    assert 0 < done.memory < done.requested


@needs_registry
def test_the_plugin_installs_and_starts(package):
    steps = []
    done = rehearse(package, tell=steps.append)
    assert_installed(done)
    assert done.steps == steps
    assert done.network == "allowed"
    assert done.identifier == f"xinfer/xinference:0.1.0@{done.checksum}"
    assert done.sha256 == hashlib.sha256(package.read_bytes()).hexdigest()


@needs_registry
@pytest.mark.parametrize(
    "spec",
    every(["provider_spec.py", *(f"examples/{e}/provider_spec.py" for e in EXAMPLES)]),
)
def test_an_offline_package_installs_and_starts_without_a_network(spec, tmp_path):
    offline = tmp_path / "offline.difypkg"
    platforms = "linux/amd64,linux/arm64"
    packed = xinfer("pack", "--offline", "--platform", platforms, ROOT / spec, "-o", offline)
    assert packed.returncode == 0, packed.stderr
    report = tmp_path / "report.json"
    done = xinfer("rehearse", "--no-network", offline, "--json", report)
    assert done.returncode == 0, done.stdout
    data = json.loads(report.read_text())
    assert data["network"] == ("none" if isolated() else "unreachable")
    assert [(step["name"], step["outcome"]) for step in data["steps"]] == [
        (name, "ok") for name in STEPS
    ]
    assert {step["name"]: step["limit"] for step in data["steps"] if step["limit"]} == LIMITS
    assert "start (" in done.stdout
    assert " of 120 s)\n" in done.stdout
    assert f"SHA-256: {hashlib.sha256(offline.read_bytes()).hexdigest()}\n" in done.stdout
    assert f"Identifier: {data['identifier']}\nIt installs and starts.\n" in done.stdout


@needs_registry
def test_a_plugin_that_does_not_start_ends_with_its_own_words(changed):
    done = rehearse(changed(**{"main.py": b"raise RuntimeError('no such luck')\n"}))
    assert outcomes(done)["start"] == "failed"
    assert "no such luck" in done.steps[-1].text


@needs_registry
def test_a_requirement_that_does_not_exist(changed):
    project = (
        b'[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.12"\n'
        b'dependencies = ["dify_plugin>=999"]\n'
    )
    done = rehearse(changed(**{"pyproject.toml": project}))
    assert outcomes(done) == {"unpack": "ok", "environment": "failed"}
    assert "dify-plugin" in done.steps[-1].text


def test_a_plugin_without_a_list_of_requirements(changed):
    done = rehearse(changed(**{"pyproject.toml": None, "requirements.txt": None}))
    assert outcomes(done)["environment"] == "failed"
    assert "neither pyproject.toml nor requirements.txt" in done.steps[-1].text


@needs_registry
def test_a_plugin_that_ends_at_once_in_serverless_mode(changed):
    main = (
        b"import os, sys\n"
        b"if os.environ['INSTALL_METHOD'] == 'serverless':\n    print('no port')\n    sys.exit(3)\n"
        b"from dify_plugin import DifyPluginEnv, Plugin\n"
        b"plugin = Plugin(DifyPluginEnv())\n"
        b"if __name__ == '__main__':\n    plugin.run()\n"
    )
    done = rehearse(changed(**{"main.py": main}))
    assert outcomes(done)["start"] == "ok"
    assert outcomes(done)["serverless start"] == "failed"
    assert done.steps[-1].text == "The plugin ended with exit code 3.\nno port"


def test_without_a_network_what_must_be_fetched_is_missing(package):
    done = rehearse(package, network=False)
    assert outcomes(done)["environment"] == "failed"
    unreachable = "Network is unreachable" if isolated() else "Connection refused"
    assert unreachable in done.steps[-1].text
    assert "DEBUG" not in done.steps[-1].text


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04cut"])
def test_what_is_no_package_is_one_sentence(tmp_path, content):
    file = tmp_path / "odd.difypkg"
    file.write_bytes(content)
    done = rehearse(file)
    assert outcomes(done) == {"unpack": "failed"}
    assert str(file) in done.steps[0].text


def test_the_command_writes_a_report_with_hashes(package, tmp_path):
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "xinfer", "rehearse", str(package), "--no-network"]
    run = subprocess.run(
        [*command, "--json", str(report)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert "failed  environment" in run.stdout
    data = json.loads(report.read_text())
    assert data["passed"] is False
    assert len(data["sha256"]) == len(data["checksum"]) == 64
    assert [step["outcome"] for step in data["steps"]] == ["ok", "failed"]


@pytest.mark.parametrize(
    ("program", "limits", "words"),
    [
        ("import time; print('on its way', flush=True); time.sleep(60)", {"limit": 0.5}, "longer"),
        ("import time; time.sleep(60)", {"silence": 0.5}, "uv printed nothing for"),
        ("import sys; print('DEBUG tried'); sys.exit('no wheel')", {}, "no wheel"),
        ("raise SystemExit(3)", {}, "ended with exit code 3"),
    ],
)
def test_a_command_that_fails_or_takes_too_long_is_ended(tmp_path, program, limits, words):
    environment = Environment(tmp_path, tmp_path / "cache")
    with pytest.raises(CommandFailed, match=words):
        environment.run([sys.executable, "-c", program], **limits)


@pytest.mark.parametrize("name", ["a_folder", "a_file/report.json"])
def test_a_report_that_cannot_be_written_is_one_error(package, tmp_path, name):
    (tmp_path / "a_folder").mkdir()
    (tmp_path / "a_file").touch()
    done = xinfer("rehearse", "--no-network", package, "--json", tmp_path / name)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert name in done.stderr


def test_without_a_place_to_install_it_is_one_error(package, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    done = CliRunner().invoke(main, ["rehearse", str(package)])
    assert done.exit_code == 2
    assert done.output.startswith("Error: ")
    assert "No such file or directory" in done.output


def test_an_interrupted_rehearsal_leaves_nothing_behind(package, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "xinfer", "rehearse", "--no-network", package],
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert "unpack" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert errors.strip() == "Aborted!"
    assert list(tmp_path.iterdir()) == []
