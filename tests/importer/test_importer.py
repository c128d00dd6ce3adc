"""A plugin's folder to a spec and back: equal key for key, or refused with nothing written."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from importer.small import SMALL, built_data, data_of, imported
from mutants import mutations

from xinfer.build.preparation import WrongValues, prepare, write
from xinfer.cli import main
from xinfer.importer import ImportFailed, write_spec
from xinfer.plugin.read import read_plugin
from xinfer.rules import check

ROOT = Path(__file__).parents[2]


def test_building_what_was_imported_gives_what_was_read(plugin, tmp_path):
    spec = write_spec(imported(plugin), tmp_path / "out")
    assert built_data(spec) == data_of(plugin)
    tree = prepare(spec).tree
    for path in ("models/llm/llm.py", "main.py", "requirements.txt", "_assets/icon.svg"):
        assert tree[path] == SMALL[path].encode()
    assert "pyproject.toml" not in tree
    assert not any(path.startswith("xinfer/") for path in tree)


@pytest.mark.parametrize("name", ["../../../x", "/etc/x", "..", ".", "a/b", "a b", "", "a\nb"])
def test_without_a_folder_a_name_that_leads_elsewhere_is_refused(
    plugin, tmp_path, monkeypatch, name
):
    here = tmp_path / "a/b/c/d"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    before = sorted(tmp_path.rglob("*"))
    manifest = plugin / "manifest.yaml"
    text = manifest.read_text("utf-8").replace("name: acme", f"name: {json.dumps(name)}")
    manifest.write_text(text, "utf-8")
    done = CliRunner().invoke(main, ["import", str(plugin)])
    assert done.exit_code == 2
    assert "is not a folder's name. Name the folder with -o." in done.output
    assert sorted(tmp_path.rglob("*")) == before


def test_without_a_folder_the_plugin_s_name_is_the_folder(plugin, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plugin.rename(tmp_path / "published")
    done = CliRunner().invoke(main, ["import", "published"])
    assert done.exit_code == 0, done.output
    assert "Wrote acme/provider_spec.py: 2 models, 4 files copied." in done.output
    assert (tmp_path / "acme/provider_spec.py").is_file()


@pytest.mark.parametrize(
    "moment",
    [
        "2025-10-09T05:51:49.525758979+08:00",
        "'2025-10-09T05:51:49.525758979Z'",
        "2025-10-09T05:51:49.52575897-04:00",
        '"2025-10-09T05:51:49.525758+08:00"',
    ],
)
def test_a_time_keeps_its_digits(plugin, tmp_path, moment):
    manifest = plugin / "manifest.yaml"
    text = manifest.read_text("utf-8").replace("'2024-09-20T00:03:44.658609186Z'", moment)
    manifest.write_text(text, "utf-8")
    spec = write_spec(imported(plugin), tmp_path / "out")
    built = yaml.load(prepare(spec).tree["manifest.yaml"], yaml.BaseLoader)
    assert built["created_at"] == moment.strip("'\"")
    assert built_data(spec) == data_of(plugin), "quoted or not, too"


def test_keys_of_no_format_are_kept_and_named_once(plugin):
    warnings = imported(plugin).warnings
    assert len(warnings) == 1
    assert warnings[0].startswith("provider/acme.yaml:")
    assert "author is not a key of the format" in warnings[0]


def test_a_plugin_of_ours_needs_no_import(xinference_folder):
    """Neither its folder nor its package, which tells nothing of who made it."""
    (package,) = xinference_folder.parent.glob("*.difypkg")
    for path in (xinference_folder, package):
        with pytest.raises(ImportFailed, match=r"was built by xinfer. Copy its provider_spec\.py"):
            imported(path)


def test_the_example_comes_back(tmp_path):
    built = write(prepare(ROOT / "examples/tariff/provider_spec.py"), tmp_path).folder
    (built / "provider_spec.py").rename(built / "own_spec.py")
    shutil.rmtree(built / "xinfer")
    spec = write_spec(imported(built), tmp_path / "out")
    assert built_data(spec) == data_of(built)


@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        ("models/llm/first.yaml", "model: a\nmodel: b\n", "first.yaml:2:1: model: appears a"),
        ("models/llm/first.yaml", "model: [\n", "models/llm/first.yaml:2"),
        ("models/llm/first.yaml", "model: 4\n", "expected a string, got 4: put it in quotes"),
        ("provider/acme.yaml", "provider: x\n", "provider/acme.yaml:1:1: label: is required"),
        ("manifest.yaml", "", "manifest.yaml:1:1: is empty"),
    ],
)
def test_what_cannot_be_kept_is_named_and_nothing_is_written(plugin, tmp_path, path, text, words):
    (plugin / path).write_text(text)
    with pytest.raises(ImportFailed) as caught:
        write_spec(imported(plugin), tmp_path / "out")
    assert words in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_values_that_do_not_fit_are_kept_as_they_are(plugin, tmp_path):
    path = plugin / "models/llm/first.yaml"
    path.write_text(path.read_text().replace("context_size: 1024", 'context_size: "1k"'))
    read = imported(plugin)
    assert any("context_size" in warning for warning in read.warnings)
    assert built_data(write_spec(read, tmp_path / "out")) == data_of(plugin)


def test_hostile_folders_are_answered(plugin, tmp_path):
    (plugin / "out").symlink_to("/etc/hostname")
    with pytest.raises(ImportFailed, match="is a link out of the plugin's folder"):
        imported(plugin)
    (plugin / "out").unlink()
    (plugin / "models/llm/first.yaml").write_bytes(b"model: \xff\n")
    with pytest.raises(ImportFailed, match="is not UTF-8"):
        imported(plugin)
    (plugin / "models/llm/first.yaml").write_text("a: " + "[" * 500 + "]" * 500)
    with pytest.raises(ImportFailed, match="nests too deep"):
        imported(plugin)
    with pytest.raises(ImportFailed, match=r"has no manifest\.yaml"):
        imported(tmp_path)


def test_a_folder_that_is_not_empty_is_left_alone(plugin, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("mine")
    with pytest.raises(ImportFailed, match="is not an empty folder"):
        write_spec(imported(plugin), tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_import_on_the_command_line(plugin, tmp_path):
    command = [sys.executable, "-m", "xinfer", "import", str(plugin), "-o", "spec"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Wrote spec/provider_spec.py: 2 models" in done.stdout
    assert "author is not a key" in done.stderr
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert again.returncode == 2
    assert "is not an empty folder" in again.stderr


@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_plugin_made_wrong_comes_back_as_it_was_or_is_refused(plugin, tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("wrong")
    wrong = folder / "plugin"
    shutil.copytree(plugin, wrong)
    file, text = data.draw(
        mutations(plugin, files=["manifest.yaml", "provider/acme.yaml", "models/llm/first.yaml"])
    )
    (wrong / file).write_text(text, "utf-8")
    try:
        read = imported(wrong)
        spec = write_spec(read, folder / "out")
    except ImportFailed:
        assert not (folder / "out").exists()
        return
    if any(finding.code == "XI004" for finding in check(read_plugin(wrong))):
        with pytest.raises(WrongValues, match="is null but must have a value"):
            built_data(spec)
    elif not any("added with its default" in line for line in read.warnings):
        assert built_data(spec) == data_of(wrong)


def test_null_in_a_field_of_a_form_keeps_the_spec_from_being_built(plugin, tmp_path):
    provider = plugin / "provider/acme.yaml"
    text = provider.read_text("utf-8").replace("    required: true\n", "    required:\n", 1)
    provider.write_text(text, "utf-8")
    spec = write_spec(imported(plugin), tmp_path / "out")
    with pytest.raises(WrongValues, match="required is null but must have a value"):
        prepare(spec)


def test_a_key_that_is_demanded_and_missing_is_added_and_said(plugin):
    manifest = plugin / "manifest.yaml"
    manifest.write_text(manifest.read_text("utf-8").replace("type: plugin\n", ""), "utf-8")
    assert any(
        "type is missing; added with its default" in line for line in imported(plugin).warnings
    )
