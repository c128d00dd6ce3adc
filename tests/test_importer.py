"""A plugin's folder to a spec and back: equal key for key, and written as a person would."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutants import mutations

from xinfer.build import WrongValues, prepare, write
from xinfer.cli import main
from xinfer.importer import ImportFailed, import_plugin, write_spec
from xinfer.plugin.read import read_plugin
from xinfer.rules import check

ROOT = Path(__file__).parent.parent
OURS = ROOT / "dist/xinference"
CORPUS = Path(os.environ.get("XINFER_CORPUS", ""))
PUBLISHED = sorted(p for p in CORPUS.iterdir() if p.is_dir()) if str(CORPUS) != "." else []


def imported(folder):
    """Read a plugin and sort out what of it becomes Python."""
    return import_plugin(read_plugin(folder))


def data_of(folder):
    """Every YAML file of a plugin as data, by path."""
    return {
        path.relative_to(folder).as_posix(): yaml.safe_load(path.read_text("utf-8"))
        for path in sorted(folder.rglob("*.yaml"))
    }


def built_data(spec):
    return {
        path: yaml.safe_load(content)
        for path, content in prepare(spec).tree.items()
        if path.endswith(".yaml")
    }


@pytest.fixture
def plugin(tmp_path):
    """A small plugin, hand-written as people do."""
    folder = tmp_path / "acme"
    for path, text in SMALL.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    return folder


SMALL = {
    "manifest.yaml": """\
version: 0.0.1
type: plugin
author: acme
name: acme
label: {en_US: Acme}
description: {en_US: "Models of Acme"}
icon: icon.svg
created_at: '2024-09-20T00:03:44.658609186Z'
resource: {memory: 268435456}
plugins: {models: [provider/acme.yaml]}
meta:
  version: 0.0.1
  arch: [amd64]
  runner: {language: python, version: "3.12", entrypoint: main}
""",
    "provider/acme.yaml": """\
provider: acme
label: {en_US: Acme}
supported_model_types: [llm]
configurate_methods: [predefined-model]
provider_credential_schema:
  credential_form_schemas:
    # Found in the console, under Keys.
    - variable: api-key
      label: {en_US: Key}
      type: secret-input
      required: true
    - variable: class
      label: {en_US: Class}
      type: select
      default: a
      options:
        - value: a
          label: {en_US: A}
        - value: b
          label: {en_US: B}
          show_on: [{variable: api-key, value: x}]
    - variable: from_form
      label: {en_US: "A long label, longer than a line of the spec can be, so that it is broken"}
      type: text-input
      required: false
      show_on:
        - {variable: class, value: a}
        - {variable: class, value: b}
models:
  llm: {predefined: ["models/llm/*.yaml"], position: models/llm/_position.yaml}
extra:
  python: {provider_source: provider/acme.py, model_sources: [models/llm/llm.py]}
author: someone
""",
    "models/llm/_position.yaml": "- second\n- first\n",
    "models/llm/first.yaml": """\
model: first
model_type: llm
features: [vision]
model_properties: {mode: chat, context_size: 1024}
parameter_rules:
  - name: temperature
    use_template: temperature
    default: 0.7
  - name: max_tokens
    use_template: max_tokens
    max: 1024
# the price of 2024
pricing: {input: '0.0010', output: 0.002, unit: '0.001', currency: USD}
deprecated: false
""",
    "models/llm/2nd.yaml": """\
model: second
model_type: llm
label: null
model_properties: {mode: chat, context_size: 2048}
parameter_rules:
  - {name: temperature, use_template: temperature, default: 0.7}
pricing: {input: 1, unit: '0.001', currency: USD}
""",
    "models/llm/llm.py": "# the plugin's own\n",
    "main.py": "print('hi')\n",
    "requirements.txt": "dify_plugin>=0.9\n",
    "_assets/icon.svg": "<svg/>",
}


def test_building_what_was_imported_gives_what_was_read(plugin, tmp_path):
    spec = write_spec(imported(plugin), tmp_path / "out")
    assert built_data(spec) == data_of(plugin)
    tree = prepare(spec).tree
    for path in ("models/llm/llm.py", "main.py", "requirements.txt", "_assets/icon.svg"):
        assert tree[path] == SMALL[path].encode()
    assert "pyproject.toml" not in tree
    assert not any(path.startswith("xinfer/") for path in tree)


def test_the_spec_reads_as_a_person_would_have_written_it(plugin, tmp_path):
    text = write_spec(imported(plugin), tmp_path / "out").read_text("utf-8")
    assert "class AcmeCredentials(Credentials):" in text
    assert "    # Found in the console, under Keys.\n    api_key: Secret = secret_input(" in text
    assert 'variable="api-key"' in text
    assert "    class_: str = select(" in text
    assert "    from_form_: str | None = text_input(" in text
    assert "TEMPERATURE = ParameterRule(" in text
    assert text.count("ParameterRule(") == 2
    assert "# the price of 2024" in text
    assert "use_template=Template.TEMPERATURE" in text
    assert text.index('"second"') < text.index('"first"')
    assert max(map(len, text.splitlines())) <= 100


def test_all_comments_are_kept_where_they_belong(plugin, tmp_path):
    """On lines of their own, at line ends, in lists of positions, at the end, behind a ``|``."""
    provider = plugin / "provider/acme.yaml"
    text = provider.read_text("utf-8")
    text = text.replace("provider: acme\n", "provider: acme  # as in the URL\n")
    text = text.replace("      default: a\n", "      default: a  # the cheapest\n")
    text = text.replace("author: someone\n", "author: someone\n# the end\n")
    text = text.replace(
        "label: {en_US: Acme}\n", "label:\n  en_US: |  # of the company\n    A # b\n", 1
    )
    provider.write_text(text, "utf-8")
    (plugin / "models/llm/_position.yaml").write_text("- second  # the newest\n# old\n- first\n")
    model = plugin / "models/llm/first.yaml"
    model.write_text(
        model.read_text("utf-8").replace(
            "  - name: temperature\n", "  # as sampled\n  - name: temperature\n"
        ),
        "utf-8",
    )
    written = write_spec(imported(plugin), tmp_path / "out").read_text("utf-8")
    assert "    # Found in the console, under Keys.\n    api_key: Secret" in written
    assert "        # as in the URL\n        provider=" in written
    assert "    # the cheapest\n    class_: str = select(" in written
    assert "# of the company\n" in written
    assert "# b" not in written.replace("A # b", "")
    assert "# the end\n" in written
    assert '    # the newest\n    Model(\n        model="second"' in written
    assert '    # old\n    Model(\n        model="first"' in written
    assert "            # as sampled\n            TEMPERATURE,\n" in written
    assert "        # the price of 2024\n        pricing=" in written


@pytest.mark.parametrize(
    ("variable", "attribute"),
    [
        ("select", "select_"),
        ("str", "str_"),
        ("secret_input", "secret_input_"),
        ("to_form", "to_form_"),
        ("__class__", "class_"),
        ("id", "id"),
        ("2nd", "field_2nd"),
        ("密钥", "field"),
        ("", "field"),
        ("API Key", "api_key"),
    ],
)
def test_a_field_of_any_name_is_an_attribute(plugin, tmp_path, variable, attribute):
    """Also of a name that the class, or the lines below it, need for themselves."""
    provider = plugin / "provider/acme.yaml"
    text = provider.read_text("utf-8").replace(
        "variable: api-key\n", f"variable: '{variable}'\n", 1
    )
    provider.write_text(text.replace("variable: from_form", "variable: secret"), "utf-8")
    spec = write_spec(imported(plugin), tmp_path / "out")
    assert f"    {attribute}: Secret = secret_input(" in spec.read_text("utf-8")
    assert built_data(spec) == data_of(plugin)


PER_TYPE = """\
    - variable: size
      label: {{en_US: Size}}
      type: text-input
      required: true
      show_on: [{{variable: __model_type, value: {kind}}}]
"""


def test_a_field_that_returns_per_model_type_is_one_field(plugin, tmp_path):
    provider = plugin / "provider/acme.yaml"
    text = provider.read_text("utf-8")
    one, other = (PER_TYPE.format(kind=kind) for kind in ("llm", "rerank"))
    forms = "  credential_form_schemas:\n"
    provider.write_text(text.replace(forms, forms + one + "    # too\n" + other), "utf-8")
    spec = write_spec(imported(plugin), tmp_path / "out")
    written = spec.read_text("utf-8")
    assert 'show_on={"__model_type": ("llm", "rerank")}' in written
    assert "    # too\n    size: str = text_input(" in written
    assert "size_" not in written
    assert built_data(spec) == data_of(plugin)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Size", "Size of a batch"),  # Dify shows the label of the first one
        ("required: true", "required: false"),
        ("__model_type", "class"),
        ("value: rerank}", "value: llm}"),
    ],
)
def test_fields_that_differ_otherwise_stay_fields_of_their_own(plugin, tmp_path, old, new):
    provider = plugin / "provider/acme.yaml"
    one, other = (PER_TYPE.format(kind=kind) for kind in ("llm", "rerank"))
    forms = "  credential_form_schemas:\n"
    text = provider.read_text("utf-8").replace(forms, forms + one + other.replace(old, new))
    provider.write_text(text, "utf-8")
    spec = write_spec(imported(plugin), tmp_path / "out")
    kind = "llm" if "llm" in new else "rerank"
    assert f"\n    size_{kind}: str" in spec.read_text("utf-8")
    assert built_data(spec) == data_of(plugin)


NUMBER = """\
    - variable: size
      label: {{en_US: Size}}
      type: text-input
      required: false
      {default}
"""


@pytest.mark.parametrize(
    ("code", "default", "written"),
    [
        ("int(credentials.get('size', 1))", "default: '4096'", "size: int = text_input("),
        ("int(credentials['size'])", "", "size: int | None = text_input("),
        ("int(self.credentials.get('size') or 1)", "default: '1'", "size: int = text_input("),
        ("float(credentials['size'])", "default: '0.5'", "size: float = text_input("),
        ("float(credentials['size'])", "default: '10'", "size: float = text_input("),
        ("int(credentials['size'])\nfloat(credentials['size'])", "", "size: float | None ="),
        ("if credentials.get('size'): int(credentials['size'])", "", "size: int | None ="),
        ("credentials.get('size') is not None and int(credentials['size'])", "", "size: int |"),
        # A default or a use that is no number, or none at all.
        ("int(credentials['size'])", "default: '4096 '", "size: str = text_input("),
        ("int(credentials['size'])", "default: '1.0'", "size: str = text_input("),
        ("float(credentials['size'])", "default: '1.0'", "size: str = text_input("),
        ("int(credentials['size'])", "default: auto", "size: str = text_input("),
        ("int(credentials['size'])\nprint(credentials['size'])", "", "size: str | None ="),
        ("int(parameters['size'])", "default: '4096'", "size: str = text_input("),
        ("pass", "default: '4096'", "size: str = text_input("),
        ("'int(credentials[size])'", "default: '4096'", "size: str = text_input("),
        ("from dify_plugin import OAICompatLargeLanguageModel", "", "size: str | None ="),
        ("def broken(:", "default: '1'", "size: str = text_input("),
    ],
)
def test_a_number_is_typed_where_its_default_and_every_use_say_so(
    plugin, tmp_path, code, default, written
):
    (plugin / "models/llm/llm.py").write_text(code, "utf-8")
    provider = plugin / "provider/acme.yaml"
    forms = "  credential_form_schemas:\n"
    text = provider.read_text("utf-8").replace(forms, forms + NUMBER.format(default=default))
    provider.write_text(text, "utf-8")
    spec = write_spec(imported(plugin), tmp_path / "out")
    assert f"    {written}" in spec.read_text("utf-8")
    assert built_data(spec) == data_of(plugin)


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


def test_long_texts_are_broken_by_columns_and_come_back(plugin, tmp_path):
    """Chinese has no spaces to break at, and each character takes two columns."""
    provider = plugin / "provider/acme.yaml"
    chinese = "控制推理深度。none 关闭思考；low 轻量推理（速度快，适合简单任务）、medium 平衡。" * 3
    label = f'{{en_US: Class, zh_Hans: "{chinese}", ja_JP: "{"x" * 90} {"y " * 60}"}}'
    text = provider.read_text("utf-8").replace("{en_US: Class}", label)
    provider.write_text(text, "utf-8")
    spec = write_spec(imported(plugin), tmp_path / "out")
    assert built_data(spec) == data_of(plugin)
    lines = spec.read_text("utf-8").splitlines()
    wide = [line for line in lines if sum(1 + (ord(c) > 0x2E80) for c in line) > 100]
    assert [line.strip("' \"") for line in wide] == [f'ja_JP="{"x" * 90}'], "no word is broken"


def test_comments_that_have_no_other_place_stand_above_the_project(plugin, tmp_path):
    provider = plugin / "provider/acme.yaml"
    text = provider.read_text("utf-8").replace("models:\n", "models:  # by type\n")
    provider.write_text(text, "utf-8")
    written = write_spec(imported(plugin), tmp_path / "out").read_text("utf-8")
    assert "# by type\nproject = Project(" in written


MODEL = """\
model: {name}
model_type: llm
features: {features}
model_properties: {{mode: chat, context_size: {size}}}
parameter_rules:
  - {{name: temperature, use_template: temperature, max: {temperature}}}
  - {{name: max_tokens, use_template: max_tokens, max: {tokens}}}
pricing: {{input: '{price}', output: '{price}', unit: '0.000001', currency: USD}}
"""


@pytest.fixture
def many(plugin):
    """Models that share rules, lists of them, features, properties and prices."""
    rows = [
        ("[vision, tool-call]", 131072, 1, 8192, "0"),
        ("[vision, tool-call]", 131072, 1, 8192, "0"),
        ("[vision, tool-call]", 131072, 1, 8192, "2.50"),
        ("[tool-call, document]", 128000, 2, 8192, "2.50"),
        ("[tool-call, document]", 128000, 2, 8192, "0"),
        ("[vision]", 4096, 2, 4096, "3"),
    ]
    keys = ("features", "size", "temperature", "tokens", "price")
    for old in ("first", "2nd", "_position"):
        (plugin / f"models/llm/{old}.yaml").unlink()
    provider = plugin / "provider/acme.yaml"
    text = provider.read_text("utf-8").replace(", position: models/llm/_position.yaml", "")
    provider.write_text(text, "utf-8")

    def write(order):
        for number, row in enumerate(order):
            values = dict(zip(keys, rows[row], strict=True))
            text = MODEL.format(name=f"model-{row}", **values)
            (plugin / f"models/llm/{number}.yaml").write_text(text, "utf-8")
        return plugin

    return write


def constants_of(spec):
    """The constants of a spec and their values, as text."""
    tree = ast.parse(spec.read_text("utf-8"))
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    return {ast.unparse(node.targets[0]): ast.unparse(node.value) for node in assigned}


def test_constants_are_named_after_what_they_hold(many, tmp_path):
    found = constants_of(write_spec(imported(many(range(6))), tmp_path / "out"))
    found.pop("project")
    assert list(found) == [
        "MAX_TOKENS_8192",
        "TEMPERATURE_MAX_1",
        "TEMPERATURE_MAX_2",
        "RULES_WITH_TEMPERATURE_MAX_2",
        "STANDARD_RULES",
        "FEATURES_WITH_DOCUMENT",
        "STANDARD_FEATURES",
        "CHAT_128000",
        "CHAT_128K",
        "FREE",
        "USD_2_5_AND_2_5_PER_MILLION",
    ]
    assert found["STANDARD_RULES"] == "(TEMPERATURE_MAX_1, MAX_TOKENS_8192)"
    assert found["STANDARD_FEATURES"] == "(Feature.VISION, Feature.TOOL_CALL)"


def test_the_order_of_models_changes_no_name(many, tmp_path):
    first = constants_of(write_spec(imported(many(range(6))), tmp_path / "first"))
    second = constants_of(write_spec(imported(many([4, 2, 5, 0, 3, 1])), tmp_path / "second"))
    assert first.keys() == second.keys()
    assert {**first, "project": ""} == {**second, "project": ""}


def test_what_would_be_written_in_any_case_is_left_out(plugin, tmp_path):
    written = write_spec(imported(plugin), tmp_path / "out").read_text("utf-8")
    for word in ("PluginType", "Resource(", "Runner(", "memory"):
        assert word not in written
    assert "meta=Meta(arch=(Arch.AMD64,))" in written
    assert "deprecated=False" in written, "it stands in the YAML, and no build would write it"


def test_keys_of_no_format_are_kept_and_named_once(plugin):
    warnings = imported(plugin).warnings
    assert len(warnings) == 1
    assert warnings[0].startswith("provider/acme.yaml:")
    assert "author is not a key of the format" in warnings[0]


def test_a_plugin_of_ours_needs_no_import(tmp_path):
    """Neither its folder nor its package, which tells nothing of who made it."""
    package = write(prepare(ROOT / "provider_spec.py"), tmp_path).package
    for path in (OURS, package):
        with pytest.raises(ImportFailed, match=r"was built by xinfer. Copy its provider_spec\.py"):
            imported(path)


def test_the_example_comes_back(tmp_path):
    built = write(prepare(ROOT / "examples/tariff/provider_spec.py"), tmp_path).folder
    (built / "provider_spec.py").rename(built / "own_spec.py")
    shutil.rmtree(built / "xinfer")
    spec = write_spec(imported(built), tmp_path / "out")
    assert built_data(spec) == data_of(built)


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("models/llm/first.yaml", "model: a\nmodel: b\n", "first.yaml:2:1: model: appears a"),
        ("models/llm/first.yaml", "model: [\n", "models/llm/first.yaml:2"),
        ("models/llm/first.yaml", "model: 4\n", "expected a string, got 4: put it in quotes"),
        ("provider/acme.yaml", "provider: x\n", "provider/acme.yaml:1:1: label: is required"),
        ("manifest.yaml", "", "manifest.yaml:1:1: is empty"),
    ],
)
def test_what_cannot_be_kept_is_named_and_nothing_is_written(plugin, tmp_path, path, text, said):
    (plugin / path).write_text(text)
    with pytest.raises(ImportFailed) as caught:
        write_spec(imported(plugin), tmp_path / "out")
    assert said in str(caught.value)
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
    try:
        built = built_data(spec)
    except WrongValues:  # a number that JSON cannot hold is imported and not built
        return
    if not any("added with its default" in line for line in read.warnings):
        assert built == data_of(wrong)


def test_a_key_that_is_demanded_and_missing_is_added_and_said(plugin):
    manifest = plugin / "manifest.yaml"
    manifest.write_text(manifest.read_text("utf-8").replace("type: plugin\n", ""), "utf-8")
    assert any(
        "type is missing; added with its default" in line for line in imported(plugin).warnings
    )


@pytest.mark.skipif(not PUBLISHED, reason="XINFER_CORPUS names no folder of published plugins")
@pytest.mark.parametrize("folder", PUBLISHED, ids=lambda path: path.name)
def test_every_published_plugin_comes_back(folder, tmp_path):
    spec = write_spec(imported(folder), tmp_path / "out")
    assert built_data(spec) == data_of(folder)
    check(prepare(spec).plugin)
    ours = [
        "provider_spec.py",
        *(["provider_models"] if (spec.parent / "provider_models").exists() else []),
    ]
    for command in (["format", "--check"], ["check", "--select=E4,E7,E9,F,I,UP"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", "--line-length=100", *ours],
            cwd=spec.parent,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout
    suppressed = write_spec(imported(folder), tmp_path / "suppressed", baseline=True)
    assert check(prepare(suppressed).plugin) == ()
    assert built_data(suppressed) == data_of(folder)
    shutil.rmtree(tmp_path / "out")


@pytest.mark.skipif(not PUBLISHED, reason="XINFER_CORPUS names no folder of published plugins")
def test_imported_specs_pass_a_type_checker(tmp_path):
    for folder in PUBLISHED:
        write_spec(imported(folder), tmp_path / folder.name)
    specs = [str(path) for path in tmp_path.glob("*/provider_spec.py")]
    config = tmp_path / "mypy.ini"
    config.write_text("[mypy]\nstrict = True\nfollow_imports = silent\n")
    for spec in specs:
        done = subprocess.run(
            [sys.executable, "-m", "mypy", f"--config-file={config}", "provider_spec.py"],
            cwd=Path(spec).parent,
            env={**os.environ, "MYPYPATH": str(ROOT)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{spec}\n{done.stdout}"
