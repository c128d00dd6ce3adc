"""``xinfer check --review``: the marketplace's rules, beside all others."""

import zipfile
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from rules.valid_plugin import YAML

from xinfer.build.preparation import prepare, write
from xinfer.cli import main
from xinfer.rules import RULES, Stage
from xinfer.rules.review import RULES as OF_REVIEW

ROOT = Path(__file__).parent.parent
SPECS = (ROOT / "provider_spec.py", *sorted((ROOT / "examples").glob("*/provider_spec.py")))


def check(*arguments, code=0):
    done = CliRunner().invoke(main, ["check", *map(str, arguments)])
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture
def acme(tmp_path):
    """A small plugin without findings; returns a function that replaces files of it."""
    folder = tmp_path / "acme"

    def make(**replaced):
        for path, text in {**YAML, **replaced}.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, "utf-8")
        return folder

    make()
    return make


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.parent.name)
def test_what_is_built_here_passes_the_review_in_every_form(spec, tmp_path):
    built = write(prepare(spec), tmp_path)
    for form in (spec, built.folder, built.package):
        assert check("--review", "--strict", form) == "No findings.\n"


REQUIRED = (
    *("author", "name", "version", "type", "icon", "plugins", "privacy", "repo", "contact"),
    *("label", "label.en_US", "description", "description.en_US"),
    *("meta.version", "meta.arch", "meta.runner", "meta.runner.language"),
    *("meta.runner.version", "meta.runner.entrypoint"),
)


@pytest.mark.parametrize("name", REQUIRED)
def test_every_field_that_the_marketplace_requires_is_missed(name, acme):
    manifest = yaml.safe_load(YAML["manifest.yaml"])
    *above, last = name.split(".")
    owner = manifest
    for key in above:
        owner = owner[key]
    del owner[last]
    printed = check("--review", acme(**{"manifest.yaml": yaml.safe_dump(manifest)}), code=1)
    assert last in printed
    assert "manifest.yaml" in printed


BLOCKED = (
    *(".git/config", ".venv/pyvenv.cfg", "venv/x", "env/x", "models/__pycache__/x.txt"),
    *(".idea/x", ".vscode/x", "node_modules/x", ".pytest_cache/x", ".ruff_cache/x"),
    *(".env", ".DS_Store", "a.pem", "a.key", "a.pyc", "a.log", "a.bak", "sub/A.PEM"),
)


def test_every_file_that_the_review_blocks_is_found(acme):
    folder = acme(**dict.fromkeys(BLOCKED, "x"))
    printed = check("--review", folder, code=1)
    for path in BLOCKED:
        sentences = f"{path} is packed", f"{path} would be published", f"{_folder(path)}/ is packed"
        assert any(words in printed for words in sentences), path


def _folder(path):
    """Return the folder of which alone a finding speaks."""
    return path.rpartition("/")[0]


def test_an_example_of_an_environment_is_allowed(acme):
    assert check("--review", acme(**{".env.example": "KEY="})) == "No findings.\n"


def test_the_rules_of_the_review_alone_are_off_without_it(acme):
    folder = acme(**{"ca.pem": "-----BEGIN CERTIFICATE-----\n"})
    assert check("--strict", folder) == "No findings.\n"
    assert "XI554 ca.pem is packed" in check("--review", folder, code=1)
    assert check("--review", "--ignore", "XI554", folder) == "No findings.\n"


def test_a_suppression_of_the_review_is_used_only_with_it(acme):
    manifest = YAML["manifest.yaml"].replace(
        "contact: acme@example.com", "contact: '@acme' # xinfer: ignore[XI551] agreed by mail"
    )
    folder = acme(**{"manifest.yaml": manifest})
    assert check("--strict", folder) == "No findings.\n"
    assert check("--review", folder) == "No findings. 1 suppressed.\n"


def test_advice_of_the_review_fails_with_it_and_not_without(acme):
    folder = acme(**{"README.md": "# Acme\n"})
    assert "XI512" in check(folder)
    assert "XI512" in check("--review", folder, code=1)


LISTS = {
    "a list": lambda place: place.write_text("# ours\nacme/acme:0.1.0\n\nacme/b:9.0.0 # other\n"),
    "identifiers": lambda place: place.write_text(f"acme/acme:0.1.0@{'0' * 64}\n"),
    "a checkout": lambda place: (
        (place / "acme/acme").mkdir(parents=True),
        (place / "acme/acme/acme-0.1.0.difypkg").touch(),
    ),
}


@pytest.mark.parametrize("make", LISTS.values(), ids=LISTS)
def test_published_versions_are_listed_in_a_file_or_a_checkout(make, acme, tmp_path):
    place = tmp_path / "published"
    make(place)
    printed = check("--review", "--published", place, acme(), code=1)
    assert "XI555 version 0.1.0 is published already" in printed
    raised = YAML["manifest.yaml"].replace("version: 0.1.0", "version: 0.1.1", 1)
    assert check("--review", "--published", place, acme(**{"manifest.yaml": raised})) == (
        "No findings.\n"
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"acme\n", "Line 1 of "),
        (b"\xff", "cannot be read"),
        (None, "cannot be read"),
    ],
)
def test_a_list_that_cannot_be_read_is_named(content, words, acme, tmp_path):
    place = tmp_path / "versions.txt"
    if content is not None:
        place.write_bytes(content)
    printed = check("--review", "--published", place, acme(), code=2)
    assert words in printed
    assert "versions.txt" in printed
    assert "add --review" in check("--published", place, acme(), code=2)


def test_a_package_gets_the_findings_of_its_folder(acme, tmp_path):
    folder = acme(**{"PRIVACY.md": "Please fill in the privacy policy\n", "a.pem": "x"})
    package = tmp_path / "acme.difypkg"
    with zipfile.ZipFile(package, "w") as zipped:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            zipped.write(path, path.relative_to(folder))

    def codes(path):
        printed = check("--review", path, code=1)
        return [code for code in RULES if f" {code} " in printed]

    assert codes(folder) == codes(package) == ["XI513", "XI554"]


def test_each_rule_of_the_review_names_its_source():
    for rule in OF_REVIEW:
        assert rule.where in (Stage.REVIEW, Stage.RUN_TIME)
        assert rule.source.startswith("marketplace toolkit")
