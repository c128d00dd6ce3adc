"""``xinfer rehearse``: an installation as the daemon makes it, where it succeeds and where not."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from xinfer.build.preparation import prepare, write
from xinfer.daemon.offline import isolated
from xinfer.daemon.rehearsal import rehearse
from xinfer.plugin.archive import pack

ROOT = Path(__file__).parent.parent


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


def reachable(rehearsal):
    """Leave a test out where no package index can be reached."""
    texts = [step.text for step in rehearsal.steps if step.outcome == "failed"]
    if any("error sending request" in text for text in texts):
        pytest.skip("no package index can be reached")
    return rehearsal


def test_the_plugin_installs_and_starts(package):
    steps = []
    done = reachable(rehearse(package, tell=steps.append))
    assert done.passed, done.steps
    assert list(outcomes(done)) == [
        "unpack",
        "environment",
        "byte-compile",
        "import the SDK",
        "start",
        "serverless start",
    ]
    assert done.steps == steps
    assert done.identifier == f"xinfer/xinference:0.1.0@{done.checksum}"
    assert any(line.startswith("dify-plugin==") for line in done.installed)
    assert 0 < done.memory < done.requested


def test_a_plugin_that_does_not_start_ends_with_its_own_words(changed):
    done = reachable(rehearse(changed(**{"main.py": b"raise RuntimeError('no such luck')\n"})))
    assert outcomes(done)["start"] == "failed"
    assert "no such luck" in done.steps[-1].text


def test_a_requirement_that_does_not_exist(changed):
    project = (
        b'[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.12"\n'
        b'dependencies = ["dify_plugin>=999"]\n'
    )
    done = reachable(rehearse(changed(**{"pyproject.toml": project})))
    assert outcomes(done) == {"unpack": "ok", "environment": "failed"}
    assert "dify-plugin" in done.steps[-1].text


def test_a_plugin_without_a_list_of_requirements(changed):
    done = rehearse(changed(**{"pyproject.toml": None, "requirements.txt": None}))
    assert outcomes(done)["environment"] == "failed"
    assert "neither pyproject.toml nor requirements.txt" in done.steps[-1].text


def test_a_plugin_that_ends_at_once_in_serverless_mode(changed):
    main = (
        b"import os, sys\n"
        b"if os.environ['INSTALL_METHOD'] == 'serverless':\n    sys.exit(3)\n"
        b"from dify_plugin import DifyPluginEnv, Plugin\n"
        b"plugin = Plugin(DifyPluginEnv())\n"
        b"if __name__ == '__main__':\n    plugin.run()\n"
    )
    done = reachable(rehearse(changed(**{"main.py": main})))
    assert outcomes(done)["start"] == "ok"
    assert outcomes(done)["serverless start"] == "failed"
    assert "exit code 3" in done.steps[-1].text


def test_without_a_network_what_must_be_fetched_is_missing(package):
    done = rehearse(package, network=False)
    assert outcomes(done)["environment"] == "failed"
    unreachable = "Network is unreachable" if isolated() else "Connection refused"
    assert unreachable in done.steps[-1].text


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
