"""Mistakes with one right answer are fixed where they stand, and nothing else changes."""

import subprocess
import sys
from codecs import BOM_UTF8

import pytest
import yaml

from xinfer.importer import repair
from xinfer.importer.repair import apply, edits_of
from xinfer.plugin.limits import UnreadablePlugin
from xinfer.plugin.read import read_plugin
from xinfer.rules import Severity, check
from xinfer.spec import Manifest, Model, Provider

MANIFEST = """\
# 插件 – keep this line
version: 0.1   # not a text yet
type: plugin
author: tariff
name: tariff
label:
  en-US: 关税 Tariff
  zh_hans: '关税'
description: {en_US: Prices}
icon: icon.svg
created_at: 2026-01-01 08:30:00.5+08:00
resource:
  memory: 1
plugin:
  models: [provider/tariff.yaml]
meta:
  version: 0.0.1
  arch: [AMD64, arm64]
  runner: {language: python, version: 3.12, entrypoint: main}
"""
FIXED = """\
# 插件 – keep this line
version: "0.1"   # not a text yet
type: plugin
author: tariff
name: tariff
label:
  en_US: 关税 Tariff
  zh_Hans: '关税'
description: {en_US: Prices}
icon: icon.svg
created_at: 2026-01-01T08:30:00.5+08:00
resource:
  memory: 1
plugins:
  models: [provider/tariff.yaml]
meta:
  version: 0.0.1
  arch: [amd64, arm64]
  runner: {language: python, version: "3.12", entrypoint: main}
"""
PROVIDER = """\
provider: tariff
label: {en_US: Tariff}
supported_model_types: [llm, text_embedding]
configurate_methods: [predefined-model]
provider_credential_schema:
  credential_form_schemas:
    - variable: depth
      type: text-input # how deep
      label: {en_US: Depth}
      default: 5
    - {variable: mode, type: select, label: {en_US: Y}, options:
        [{value: yes, label: {en_US: n}}]}
models:
  text-embedding:
    predefined: ['models/text_embedding/*.yaml']
extra: {python: {provider_source: provider/tariff.py, model_sources: }}
"""
FIXED_PROVIDER = """\
provider: tariff
label: {en_US: Tariff}
supported_model_types: [llm, text-embedding]
configurate_methods: [predefined-model]
provider_credential_schema:
  credential_form_schemas:
    - variable: depth
      type: text-input # how deep
      required: false
      label: {en_US: Depth}
      default: "5"
    - {variable: mode, type: select, required: false, label: {en_US: Y}, options:
        [{value: "yes", label: {en_US: n}}]}
models:
  text_embedding:
    predefined: ['models/text_embedding/*.yaml']
extra: {python: {provider_source: provider/tariff.py, model_sources: [] }}
"""
MODEL = "model: 4.1\nmodel_type: LLM\nmodel_properties: {}\nparameter_rules:\nfeatures:\n"
FIXED_MODEL = (
    'model: "4.1"\nmodel_type: llm\nmodel_properties: {}\nparameter_rules: []\nfeatures:\n'
)


def fixed(text, kind):
    """Fix until there is nothing more: the key comes before its value is looked at."""
    for _ in range(3):
        text = apply(text, edits_of(text.encode(), kind, "x.yaml"))
    return text


@pytest.mark.parametrize(
    ("text", "kind", "right"),
    [
        (MANIFEST, Manifest, FIXED),
        (PROVIDER, Provider, FIXED_PROVIDER),
        (MODEL, Model, FIXED_MODEL),
    ],
    ids=["manifest", "provider", "model"],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_what_has_one_right_answer_is_fixed(text, kind, right, newline):
    assert fixed(text.replace("\n", newline), kind) == right.replace("\n", newline)
    assert fixed(right, kind) == right


def test_each_fix_names_its_line():
    messages = [str(edit) for edit in edits_of(MANIFEST.encode(), Manifest, "manifest.yaml")]
    assert messages[0] == "manifest.yaml:2: quoted 0.1, which must be a string"
    assert "manifest.yaml:7: renamed the key en-US to en_US" in messages


@pytest.mark.parametrize(
    ("moment", "fixed"),
    [
        ("2024-09-20 00:13:50.29298939 -04:00", "2024-09-20T00:13:50.29298939-04:00"),
        ("2024-09-20 00:13:50+0800", "2024-09-20T00:13:50+08:00"),
        ("'2024-09-20 00:13:50'", "2024-09-20T00:13:50Z"),
        ("2024-09-20 00:13:50.5+00:00", "2024-09-20T00:13:50.5Z"),
    ],
)
def test_a_time_keeps_its_digits(moment, fixed):
    (edit,) = edits_of(f"created_at: {moment}\n".encode(), Manifest, "x.yaml")
    assert edit.text == fixed


@pytest.mark.parametrize(
    "text",
    [
        "created_at: 2026-13-01 08:30:00+08:00\n",
        "labell: {en_US: x}\nlabel: {en_US: y}\n",  # both are there: which is meant is not sure
        "lebal: 1\nnonsense: 2\n",
        "created_at: '01.02.2026'\n",
        "created_at: 2026-01-01\n",
        "version: [0.1\n",
        "version: !!str 3.12\n",
    ],
)
def test_what_has_no_one_answer_is_left(text):
    assert edits_of(text.encode(), Manifest, "x.yaml") == ()


@pytest.fixture
def folder(tmp_path, plugin_folder):
    def rewrite(path, old, new):
        file = plugin_folder / path
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new), "utf-8")

    rewrite("manifest.yaml", "version: '3.12'", "version: 3.12")
    rewrite("provider/tariff.yaml", "    required: false\n", "")
    rewrite("models/llm/tariff-swift.yaml", "model_type: llm", "modeltype: llm")
    return plugin_folder


def test_a_folder_is_fixed_file_after_file(folder):
    untouched = (folder / "models/llm/_position.yaml").read_bytes()
    assert [
        finding for finding in check(read_plugin(folder)) if finding.severity is Severity.REFUSED
    ]
    assert [edit.file for edit in repair(folder)] == [
        "manifest.yaml",
        "provider/tariff.yaml",
        "models/llm/tariff-swift.yaml",
    ]
    assert check(read_plugin(folder)) == ()
    assert repair(folder) == ()
    assert (folder / "models/llm/_position.yaml").read_bytes() == untouched
    form = yaml.safe_load((folder / "provider/tariff.yaml").read_text("utf-8"))
    fields = form["provider_credential_schema"]["credential_form_schemas"]
    assert [field["required"] for field in fields] == [True, False]


def test_a_file_that_begins_with_a_byte_order_mark_keeps_it_and_its_mode(folder):
    manifest = folder / "manifest.yaml"
    without = manifest.read_bytes()
    manifest.write_bytes(BOM_UTF8 + without)
    manifest.chmod(0o600)
    repair(folder)
    expected = without.replace(b"version: 3.12", b'version: "3.12"')
    assert manifest.read_bytes() == BOM_UTF8 + expected
    assert manifest.stat().st_mode & 0o777 == 0o600
    assert check(read_plugin(folder)) == ()


def test_only_a_folder_can_be_fixed(tmp_path):
    with pytest.raises(UnreadablePlugin, match=r"spec\.py is not a folder"):
        repair(tmp_path / "spec.py")


def test_check_fix_on_the_command_line(folder):
    command = [sys.executable, "-m", "xinfer", "check", str(folder), "--fix"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "No findings.\n")
    assert "provider/tariff.yaml" in done.stderr
    assert "renamed the key modeltype to model_type" in done.stderr
