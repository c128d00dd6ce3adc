"""``xinfer diff`` on specs, folders and packages."""

import json
import shutil

import pytest
from command_line import xinfer


@pytest.fixture
def changed(plugin_folder, tmp_path):
    new = tmp_path / "new"
    shutil.copytree(plugin_folder, new)
    provider = new / "provider/tariff.yaml"
    provider.write_text(provider.read_text("utf-8").replace("secret-input", "text-input"), "utf-8")
    return new


def test_a_spec_its_folder_and_its_package_are_the_same(plugin_folder):
    spec = "examples/tariff/provider_spec.py"
    (package,) = plugin_folder.parent.glob("*.difypkg")
    for old, new in ((spec, plugin_folder), (plugin_folder, package), (package, spec)):
        done = xinfer("diff", old, new)
        assert (done.returncode, done.stdout) == (0, "Nothing changed.\n")


def test_the_command_marks_what_breaks(plugin_folder, changed):
    done = xinfer("diff", plugin_folder, changed)
    assert done.returncode == 0
    assert "! api_key: secret-input → text-input" in done.stdout
    assert xinfer("diff", plugin_folder, changed, "--exit-code").returncode == 1
    assert xinfer("diff", plugin_folder, plugin_folder, "--exit-code").returncode == 0
    note = xinfer("diff", plugin_folder, changed, "--format", "markdown").stdout
    assert "- api_key: secret-input → text-input (**breaks**: " in note
    (row,) = json.loads(xinfer("diff", plugin_folder, changed, "--format", "json").stdout)
    assert row["about"] == "Credentials"


def test_a_check_against_the_version_that_users_have(plugin_folder, changed):
    done = xinfer("check", changed, "--against", plugin_folder)
    assert done.returncode == 0
    assert "advice (run time) XI801 api_key: secret-input → text-input" in done.stdout
    assert f"{changed}/provider/tariff.yaml" in done.stdout
    assert xinfer("check", changed, "--against", plugin_folder, "--strict").returncode == 1
    assert "XI80" not in xinfer("check", plugin_folder, "--against", plugin_folder).stdout


@pytest.mark.parametrize("path", ["nothing", "tests", "README.md"])
def test_what_is_no_plugin_is_said_in_one_line(plugin_folder, path):
    done = xinfer("diff", plugin_folder, path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ")
    assert len(done.stderr.strip().splitlines()) == 1
