"""A plugin is one value: the same findings whichever way it came, and one for each mistake."""

import pytest
from rules.valid_plugin import YAML

from xinfer.build.preparation import plugin
from xinfer.importer import import_plugin, write_spec
from xinfer.plugin.archive import pack
from xinfer.plugin.read import plugin_files, read_plugin
from xinfer.rules import check
from xinfer.rules.examples import MANIFEST, MODEL, PROVIDER
from xinfer.spec import ModelType

SELECT = """\
    - variable: mode
      type: select
      required: true
      label: {en_US: Mode, zh_Hans: 模式}
      options:
        - value: a
          label: {en_US: Yes}
"""


@pytest.fixture
def folder(tmp_path):
    for path, text in {**YAML, "_assets/icon.svg": "<svg/>"}.items():
        (tmp_path / "acme" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "acme" / path).write_text(text)
    return tmp_path / "acme"


def replace(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("path", "old", "new", "code", "message"),
    [
        (
            PROVIDER,
            "credential_form_schemas:\n",
            f"credential_form_schemas:\n{SELECT}",
            "XI011",
            "expected a string, got true",
        ),
        (
            MODEL,
            YAML[MODEL].partition("parameter_rules")[2],
            ":\n  - name: heat\n    use_template: temperatur\n",
            "XI011",
            "expected one of temperature, ",
        ),
        (MANIFEST, "entrypoint: main", "entrypoint: main.py", "XI110", "'main.py' is not the name"),
        (PROVIDER, "type: secret-input", "type: secret_input", "XI011", "expected one of text-"),
    ],
)
def test_one_mistake_is_one_finding(folder, path, old, new, code, message):
    replace(folder / path, old, new)
    (finding,) = check(read_plugin(folder))
    assert (finding.code, finding.span.file) == (code, str(folder / path))
    assert finding.message.startswith(message)


@pytest.mark.parametrize(
    ("languages", "message"),
    [
        (["fr_FR: A"], "fr_FR is not a language of Dify"),
        (["fr_FR: A", "de_DE: A"], "de_DE and fr_FR are not languages of Dify"),
    ],
)
def test_languages_that_dify_has_not_are_one_finding(folder, languages, message):
    label = "label:\n  en_US: Acme\n"
    replace(folder / PROVIDER, label, label + "".join(f"  {line}\n" for line in languages))
    (finding,) = check(read_plugin(folder))
    assert (finding.code, finding.message) == ("XI006", message)


def test_a_fault_in_one_file_hides_none_in_another(folder):
    (folder / MANIFEST).write_text("author: [\n")
    replace(folder / PROVIDER, "type: secret-input", "type: secret_input")
    replace(folder / MODEL, "model_type: llm", "model_type: lm")
    files = {finding.span.file for finding in check(read_plugin(folder))}
    assert files == {str(folder / path) for path in (MANIFEST, PROVIDER, MODEL)}


def test_a_folder_a_package_and_an_imported_spec_have_the_same_findings(folder, tmp_path):
    python = "models/llm/llm.py"
    replace(folder / python, "\n", "\nimport openai\n")
    (folder / "readme").mkdir()
    package = tmp_path / "acme.difypkg"

    def findings():
        package.write_bytes(pack(plugin_files(folder).items()))
        spec = write_spec(import_plugin(read_plugin(folder)), tmp_path / "imported")
        ways = read_plugin(folder), read_plugin(package), plugin(spec)
        return [
            [(f.code, f.severity, f.message, f.line) for f in check(way) if f.code[:3] == "XI6"]
            for way in ways
        ]

    first, *others = findings()
    assert others == [first, first]
    assert [line for *_, line in first] == ["import openai"]


def test_models_that_no_list_names_come_last_though_the_list_repeats_one(folder):
    for name in ("added", "zed"):
        (folder / f"models/llm/{name}.yaml").write_text(YAML[MODEL].replace("acme-1", name))
    (folder / "models/llm/_position.yaml").write_text("- acme-1\n- acme-1\n- zed\n")
    models = [model for model in read_plugin(folder).models if model.model_type is ModelType.LLM]
    assert [model.model for model in models] == ["acme-1", "zed", "added"]
