"""From a spec on disk to a plugin on disk, and from an edit to all that follows from it."""

import ast
import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

from xinfer.build.emit import ConflictError, emit
from xinfer.build.load import load_spec
from xinfer.build.preparation import prepare, write
from xinfer.build.sources import CarriedFileError
from xinfer.plugin.files import files_in_memory
from xinfer.spec import CustomizableModel, Model, ModelProperties, ModelType
from xinfer.spec.declaration import evolve

ROOT = Path(__file__).parent.parent
LANGUAGES = ("en_US", "zh_Hans")
GUIDE = yaml.safe_load((ROOT / "tests/data/guide/xinference.yaml").read_text("utf-8"))


def provider_of(prepared):
    return yaml.safe_load(prepared.tree["provider/xinference.yaml"])


def contains(ours, theirs):
    """Everything of theirs is in ours; in a list, in the same order."""
    if isinstance(theirs, dict):
        # Texts are in our own words, but there is one wherever the guide has one.
        return all(
            key in ours and (key in LANGUAGES or contains(ours[key], theirs[key])) for key in theirs
        )
    if isinstance(theirs, list):
        remaining = iter(ours)
        return all(any(contains(candidate, item) for candidate in remaining) for item in theirs)
    return ours == theirs


def test_the_provider_file_holds_everything_of_the_guides():
    assert contains(provider_of(prepare(ROOT / "provider_spec.py")), GUIDE)


def test_the_model_form_is_the_provider_form_without_what_dify_asks_itself():
    provider = provider_of(prepare(ROOT / "provider_spec.py"))
    everything = provider["provider_credential_schema"]["credential_form_schemas"]
    form = provider["model_credential_schema"]["credential_form_schemas"]
    assert everything[:2] == [
        field for field in everything if field["variable"] in ("model_type", "model_name")
    ]
    assert form == everything[2:]
    assert provider["model_credential_schema"]["model"]["label"]["zh_Hans"] == "模型名称"


def emitted(folder, code):
    """Run code in the emitted plugin, away from this project."""
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    return json.loads(run.stdout)


def test_an_edited_label_default_and_new_field_change_the_form_and_what_runs(home):
    spec = home / "provider_spec.py"
    text = spec.read_text("utf-8")
    edited = text.replace(
        "timeout_input()", 'timeout_input(label=I18n("Patience in seconds"), default=90.5)'
    ).replace(
        "    max_retries: int",
        '    region: str = text_input(label=I18n("Region"), default="eu")\n    max_retries: int',
    )
    spec.write_text(edited, "utf-8")
    built = write(prepare(spec), home / "dist")
    form = yaml.safe_load((built.folder / "provider/xinference.yaml").read_text("utf-8"))
    fields = {
        field["variable"]: field
        for field in form["model_credential_schema"]["credential_form_schemas"]
    }
    assert fields["invoke_timeout"]["label"]["en_US"] == "Patience in seconds"
    assert fields["invoke_timeout"]["default"] == "90.5"
    placeholder = fields["invoke_timeout"]["placeholder"]
    assert placeholder["en_US"].endswith("90.5 by default")
    assert placeholder["zh_Hans"].endswith("默认 90.5")
    assert list(fields).index("region") == list(fields).index("max_retries") - 1
    assert fields["region"]["required"] is False
    got = emitted(
        built.folder,
        "import json, xinfer, provider_spec as spec\n"
        "entered = spec.XinferenceCredentials.from_form("
        "{'server_url': 'http://h:1/v1', 'model_uid': 'm'})\n"
        "try: spec.XinferenceCredentials.from_form({'invoke_timeout': 'x'})\n"
        "except ValueError as error: said = str(error)\n"
        "print(json.dumps([entered.invoke_timeout, entered.region, said, xinfer.__file__]))",
    )
    assert got[:2] == [90.5, "eu"]
    assert "Patience in seconds" in got[2]
    assert Path(got[3]).is_relative_to(built.folder)


def test_the_package_holds_the_files_sorted_and_without_folders(tmp_path):
    prepared = prepare(ROOT / "provider_spec.py")
    package = zipfile.ZipFile(write(prepared, tmp_path).package)
    assert package.namelist() == sorted(prepared.tree)
    assert all(package.read(path) == content for path, content in prepared.tree.items())


def test_the_order_of_files_on_disk_does_not_matter(home):
    tree = prepare(home / "provider_spec.py").tree
    files = files_in_memory(tree, home)
    assert [*files] == [*files_in_memory(dict(reversed(tree.items())), home)]


def test_what_the_ignore_file_names_is_not_packed(home, tmp_path):
    (home / "plugin/.difyignore").write_text("notes.txt\n")
    (home / "plugin/notes.txt").write_text("mine")
    built = write(prepare(home / "provider_spec.py"), tmp_path)
    names = zipfile.ZipFile(built.package).namelist()
    assert "notes.txt" not in names
    assert ".difyignore" in names
    assert not (built.folder / "notes.txt").exists()


def test_a_plugin_without_an_ignore_file_leaves_out_what_tools_leave_there(home, tmp_path):
    left = [".git/config", ".venv/bin/x", "models/__pycache__/x.pyc", "old.difypkg", ".DS_Store"]
    for path in left:
        (home / "plugin" / path).parent.mkdir(parents=True, exist_ok=True)
        (home / "plugin" / path).write_text("left")
    prepared = prepare(home / "provider_spec.py")
    assert not set(left) & set(prepared.tree)
    reasons = {gone.path: gone.reason for gone in prepared.plugin.files.left_out}
    assert reasons[".git/"] == "line 2 of .difyignore (.git/)"
    assert "old.difypkg" in reasons


def test_a_carried_file_may_not_stand_for_a_declared_one(home):
    (home / "plugin/manifest.yaml").write_text("x: 1\n")
    with pytest.raises(ConflictError, match=r"plugin/manifest.yaml is written by the build"):
        prepare(home / "provider_spec.py")


def test_a_carried_module_takes_the_place_of_the_generated_one(home):
    (home / "plugin/models/llm").mkdir(parents=True)
    (home / "plugin/models/llm/llm.py").write_text("# mine\n")
    tree = prepare(home / "provider_spec.py").tree
    assert tree["models/llm/llm.py"] == b"# mine\n"
    assert b"RerankModel" in tree["models/rerank/rerank.py"]


CLIENT = ["requests>=2.32.3", "urllib3>=2.2,<3"]


def test_the_plugin_requires_what_the_parts_of_xinfer_in_it_need(home):
    spec = home / "provider_spec.py"
    lines = prepare(spec).tree["requirements.txt"].decode().splitlines()
    assert lines == ["dify_plugin>=0.9.0", "attrs>=24.3", *CLIENT]
    text = spec.read_text("utf-8")
    own = 'requirements=("dify_plugin==0.9.0", "Attrs==25.1.0"),'
    spec.write_text(text.replace("project = Project(", f"project = Project(\n    {own}"), "utf-8")
    prepared = prepare(spec)
    lines = prepared.tree["requirements.txt"].decode().splitlines()
    assert lines == ["dify_plugin==0.9.0", "Attrs==25.1.0", *CLIENT]
    assert prepared.project.requirements == tuple(lines)
    assert emit_with(requirements=("dify_plugin",))["requirements.txt"] == b"dify_plugin\n"


def emit_with(**changes):
    project = load_spec(ROOT / "provider_spec.py").project
    return emit(evolve(project, **changes), modules={}, carried={}, runtime={})


def test_requirements_with_quotes_are_written_as_toml():
    line = 'tomli; python_version < "3.13"'
    tree = emit_with(requirements=("dify_plugin>=0.9.0", line))
    declared = tomllib.loads(tree["pyproject.toml"].decode())["project"]
    assert declared["dependencies"] == ["dify_plugin>=0.9.0", line]


@pytest.mark.parametrize("name", ["360ai", "my-ai", "a_b", "x.y"])
def test_whatever_the_provider_is_called_its_class_is_python(name):
    provider = evolve(load_spec(ROOT / "provider_spec.py").project.provider, provider=name)
    tree = emit_with(provider=provider)
    classes = [
        n for n in ast.walk(ast.parse(tree[f"provider/{name}.py"])) if type(n) is ast.ClassDef
    ]
    assert len(classes) == 1
    ast.parse(tree["models/llm/llm.py"])


def test_models_of_types_that_nothing_serves_are_left_to_the_checks():
    custom = CustomizableModel(model_type=ModelType.MODERATION)
    assert not [path for path in emit_with(customizable_models=(custom,)) if "moderation" in path]
    drawn = Model(model="m", model_type=ModelType.TEXT2IMG, model_properties=ModelProperties())
    assert "models/text2img/m.yaml" in emit_with(models=(drawn,))


@pytest.mark.parametrize(
    ("code", "carried"),
    [
        ("from xinfer.spec import I18n", {"spec"}),
        ("import provider_spec", {"spec", "provider_spec.py"}),
        ("from provider_spec import project as p", {"spec", "provider_spec.py"}),
        ("if 1:\n    import xinfer.runtime.dify.llm", {"spec", "runtime"}),
        ("from xinfer.runtime.dify import llm", {"spec", "runtime"}),
        ("xinferences = 1", set()),
        ("# from xinfer.spec import I18n\nTEXT = 'import xinfer.spec'", set()),
        ("from xinfer.spec import (", set()),
    ],
)
def test_code_of_ones_own_gets_what_it_imports(home, code, carried):
    spec = home / "provider_spec.py"
    text, _, _ = spec.read_text("utf-8").partition("    runtime=Xinference(")
    spec.write_text(f"{text})\n", "utf-8")
    (home / "plugin/main.py").write_text(f"{code}\n", "utf-8")
    parts = {"xinfer/spec/": "spec", "xinfer/runtime/dify/": "runtime", "provider_spec.py": ""}
    tree = prepare(spec).tree
    parts_in_tree = {
        name or path for path, name in parts.items() if any(p.startswith(path) for p in tree)
    }
    assert parts_in_tree == carried
    assert not [path for path in tree if path.startswith(("models/", "provider/x.py"))]


def _link(path):
    path.symlink_to("/etc/hostname")


def _dangle(path):
    path.symlink_to("nowhere")


def _circle(path):
    path.symlink_to(path.name)


def _folder(path):
    path.symlink_to(path.parent)


@pytest.mark.parametrize(
    ("make", "name", "reason"),
    [
        (_link, "x", "is a link out of the plugin's folder"),
        (_dangle, "x", "is a link that leads nowhere"),
        (_circle, "x", "is a link in a circle"),
        (_folder, "x", "is a link to a folder"),
        (os.mkfifo, "x", "is a named pipe"),
        (Path.touch, "a\\b", "is a name with a backslash"),
        (Path.touch, os.fsdecode(b"x\xff"), "is a name that is not UTF-8"),
    ],
)
def test_what_is_no_ordinary_file_is_refused_unless_it_is_left_out(home, make, name, reason):
    make(home / "plugin" / name)
    with pytest.raises(CarriedFileError, match=reason):
        prepare(home / "provider_spec.py")
    (home / "plugin/.difyignore").write_text("[xa]*\n")
    prepare(home / "provider_spec.py")
