"""Messages for the file that one has: what is wrong with it, where, and how to fix it."""

import shutil

import pytest
from click.testing import CliRunner
from rules.plugins import lay
from rules.valid_plugin import YAML

from xinfer.cli import main
from xinfer.importer import ImportFailed, import_plugin
from xinfer.plugin.archive import pack
from xinfer.plugin.read import plugin_files, read_plugin
from xinfer.rules import check
from xinfer.rules.examples import MANIFEST, MODEL, PROVIDER


@pytest.fixture
def folder(tmp_path):
    return lay(None, {MANIFEST: ""}, tmp_path)[0]


def replace(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def finding_in(folder):
    (finding,) = check(read_plugin(folder))
    file = finding.span.file.removeprefix(f"{folder}/")
    return finding.code, file, finding.span.line, finding.message, finding.fix


def not_imported(folder):
    with pytest.raises(ImportFailed) as error:
        import_plugin(read_plugin(folder))
    return str(error.value)


def line_of(path, text):
    return path.read_text().splitlines().index(text) + 1


def test_a_tab(folder):
    replace(folder / PROVIDER, "  en_US: Acme", "\ten_US: Acme")
    message = "a tab indents the line"
    assert finding_in(folder) == ("XI011", PROVIDER, 3, message, "Indent it with spaces.")
    assert not_imported(folder) == f"{PROVIDER}:3:1: {message}: indent it with spaces"


@pytest.mark.parametrize("character", ["@", "`", "%"])
def test_a_character_that_no_value_begins_with(folder, character):
    replace(folder / MODEL, "model: acme-1", f"model: {character}acme-1")
    message = f"a value cannot begin with {character}"
    assert finding_in(folder) == ("XI011", MODEL, 1, message, "Put it in quotes.")


def test_what_else_is_not_yaml(folder):
    replace(folder / MODEL, "model: acme-1", "model: acme: 1")
    code, file, line, message, fix = finding_in(folder)
    assert (code, file, line, fix) == ("XI011", MODEL, 1, "Correct it.")
    assert message.startswith("not YAML, mapping values are not allowed")


@pytest.mark.parametrize("path", [MANIFEST, PROVIDER, MODEL])
def test_a_second_document(folder, path):
    (folder / path).write_text(f"{YAML[path]}---\nmodel: b\n")
    line = len(YAML[path].splitlines()) + 1
    message = "a second document begins here, and Dify reads one"
    assert finding_in(folder) == ("XI011", path, line, message, "Remove it.")


def test_a_manifest_of_another_ending(folder):
    (folder / MANIFEST).rename(folder / "manifest.yml")
    fix = "Rename manifest.yml to manifest.yaml."
    message = "there is no manifest.yaml; there is manifest.yml"
    assert finding_in(folder) == ("XI702", "manifest.yml", 1, message, fix)
    assert not_imported(folder).endswith(
        "has no manifest.yaml. Rename its manifest.yml to manifest.yaml."
    )


def test_a_provider_of_another_ending(folder):
    (folder / PROVIDER).rename(folder / "provider/acme.yml")
    line = line_of(folder / MANIFEST, f"    - {PROVIDER}")
    message = f"there is no {PROVIDER}"
    assert finding_in(folder) == (
        "XI011",
        MANIFEST,
        line,
        message,
        "Did you mean provider/acme.yml?",
    )


def test_a_provider_that_is_left_out(folder):
    (folder / ".difyignore").write_text("acme.yaml\n")
    message = f"{PROVIDER} is left out by line 1 of .difyignore (acme.yaml)"
    assert message in [finding.message for finding in check(read_plugin(folder))]


def test_a_folder_that_is_a_link(folder):
    shutil.move(folder / "models", folder.parent / "models")
    (folder / "models").symlink_to(folder.parent / "models")
    fix = "Put the folder itself there, or leave it out with a line in .difyignore."
    assert finding_in(folder) == ("XI710", "models", 1, "models is a link to a folder", fix)


def test_a_link_that_leads_to_the_plugin(folder):
    link = folder.parent / "link"
    link.symlink_to(folder)
    assert check(read_plugin(link)) == ()


@pytest.mark.parametrize("file", [MANIFEST, PROVIDER, MODEL])
@pytest.mark.parametrize("command", ["check", "import", "pack"])
def test_a_file_of_a_plugin_given_as_its_path(folder, file, command):
    done = CliRunner().invoke(main, [command, str(folder / file)])
    assert done.exit_code == 2
    words = f"{folder / file} is one file of a plugin: name its folder, {folder}."
    assert done.output == f"Error: {words}\n"


def test_languages_are_one_finding_a_file(folder):
    replace(folder / MANIFEST, "label:\n  en_US: Acme\n", "label:\n  en_US: Acme\n  fr_FR: Acme\n")
    replace(folder / PROVIDER, "  zh_Hans: Acme\n", "  zh_Hans: Acme\n  zh_hans: Acme\n")
    replace(
        folder / PROVIDER, "        en_US: API key\n", "        en_US: API key\n        ko_KR: 키\n"
    )
    findings = check(read_plugin(folder))
    assert [(f.code, f.span.file.removeprefix(f"{folder}/"), f.message) for f in findings] == [
        ("XI006", MANIFEST, "fr_FR is not a language of Dify"),
        ("XI006", PROVIDER, "ko_KR and zh_hans are not languages of Dify"),
    ]
    warnings = import_plugin(read_plugin(folder)).warnings
    assert [line for line in warnings if "language" in line] == [
        f"{MANIFEST}: fr_FR is not a language of Dify; kept as it is",
        f"{PROVIDER}: zh_hans is not a language of Dify; kept as it is",
        f"{PROVIDER}: ko_KR is not a language of Dify; kept as it is",
    ]


def test_a_misspelt_language(folder):
    replace(folder / MANIFEST, "  zh_Hans: Acme", "  zh_hans: Acme")
    messages = [finding.message for finding in check(read_plugin(folder))]
    assert "zh_hans is not a language of Dify; did you mean zh_Hans?" in messages


def test_findings_of_a_package_have_lines(folder, tmp_path):
    replace(folder / MANIFEST, "version: 0.1.0", "version: v1")
    package = tmp_path / "acme.difypkg"
    package.write_bytes(pack(plugin_files(folder).items()))
    (finding,) = check(read_plugin(package))
    assert (finding.span.file, finding.span.line, finding.line) == (MANIFEST, 1, "version: v1")
    text = CliRunner().invoke(main, ["check", str(package)]).output
    assert "        1 | version: v1\n          |          ^^\n" in text


BEFORE_MODELS, _, AFTER_MODELS = YAML[PROVIDER].partition("models:\n  llm:\n")


@pytest.mark.parametrize(
    ("models", "path", "words"),
    [
        (
            "models:\n  - models/llm/*.yaml\n",
            "models",
            "write a key for each type, e.g. llm, and the patterns under its predefined",
        ),
        (
            "models:\n  llm:\n    - models/llm/*.yaml\n",
            "models.llm",
            "write the patterns under a key predefined",
        ),
    ],
)
def test_a_list_of_models_is_explained(folder, models, path, words):
    extra = AFTER_MODELS[AFTER_MODELS.index("extra:") :]
    (folder / PROVIDER).write_text(f"{BEFORE_MODELS}{models}{extra}")
    (finding,) = (f for f in check(read_plugin(folder)) if f.code == "XI011")
    assert finding.message == "expected a mapping, got a list"
    assert finding.fix == f"{words[0].upper()}{words[1:]}."
    assert not_imported(folder).endswith(f": {path}: {finding.message}: {words}")


def test_a_provider_that_is_no_list(folder):
    replace(folder / MANIFEST, f"models:\n    - {PROVIDER}", f"models: {PROVIDER}")
    line = line_of(folder / MANIFEST, f"  models: {PROVIDER}")
    message = f"expected a list, got '{PROVIDER}'"
    assert finding_in(folder) == ("XI011", MANIFEST, line, message, f"Write - {PROVIDER}.")
    assert not_imported(folder).endswith(f"plugins.models: {message}: write - {PROVIDER}")
