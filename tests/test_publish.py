"""``xinfer publish``: the folder and the text that the marketplace expects, or why not yet."""

import zipfile
from pathlib import Path

import pytest
from command_line import ROOT, xinfer

from xinfer.plugin.archive import pack


@pytest.fixture
def home(home):
    """Add an empty checkout of the marketplace's repository."""
    (home / "marketplace").mkdir()
    return home


def built(home, version="0.1.0", **replaced):
    spec = home / "provider_spec.py"
    text = (
        (ROOT / "provider_spec.py").read_text().replace('version="0.1.0"', f'version="{version}"')
    )
    for old, new in replaced.items():
        assert old in text
        text = text.replace(old, new)
    spec.write_text(text)
    run = xinfer("build", cwd=home)
    assert run.returncode == 0, run.stdout + run.stderr
    return Path("dist") / f"xinference-{version}.difypkg"


def test_a_new_plugin_lies_where_it_is_looked_for(home):
    run = xinfer("publish", "marketplace", built(home), cwd=home)
    assert run.returncode == 0, run.stdout + run.stderr
    target = home / "marketplace/xinfer/xinference/xinference-0.1.0.difypkg"
    assert target.read_bytes() == (home / "dist/xinference-0.1.0.difypkg").read_bytes()
    text = (home / "dist/PULL_REQUEST.md").read_text()
    assert "- **Plugin name**: xinference\n- **Version**: 0.1.0\n" in text
    assert "- [x] New plugin\n- [ ] Version update\n" in text
    assert "Models that you host yourself" in text


def test_an_update_says_what_changed_since_the_published_version(home):
    xinfer("publish", "marketplace", built(home), cwd=home)
    update = built(home, "0.2.0", **{"    invoke_timeout: ": "    patience: "})
    run = xinfer("publish", "marketplace", update, cwd=home)
    assert run.returncode == 0, run.stdout + run.stderr
    text = (home / "dist/PULL_REQUEST.md").read_text()
    assert "- [ ] New plugin\n- [x] Version update\n" in text
    assert "version: 0.1.0 → 0.2.0" in text
    assert "**breaks**" in text
    assert len(list((home / "marketplace").rglob("*.difypkg"))) == 2


@pytest.mark.parametrize(("version", "words"), [("0.2.0", "published already"), ("0.1.0", "newer")])
def test_a_version_that_is_not_new_is_refused(home, version, words):
    xinfer("publish", "marketplace", built(home, "0.2.0"), cwd=home)
    run = xinfer("publish", "marketplace", built(home, version), cwd=home)
    assert run.returncode == 1
    assert "XI555" in run.stdout
    assert words in run.stdout
    assert "Raise the version." in run.stdout
    assert len(list((home / "marketplace").rglob("*.difypkg"))) == 1


def test_what_the_review_refuses_is_not_published(home):
    (home / "plugin/PRIVACY.md").write_text("please fill in the privacy policy\n")
    run = xinfer("publish", "marketplace", built(home), cwd=home)
    assert run.returncode == 1
    assert "XI513" in run.stdout
    assert "1 finding to correct before it is published." in run.stdout
    assert not list((home / "marketplace").rglob("*.difypkg"))
    assert not (home / "dist/PULL_REQUEST.md").exists()


def test_a_contact_that_no_mail_reaches_is_a_warning(home):
    run = xinfer("publish", "marketplace", built(home), cwd=home)
    assert run.returncode == 0
    assert "Warning: no mail reaches the contact maintainers@example.org" in run.stderr
    update = built(home, "0.2.0", **{"maintainers@example.org": "help@example-models.org"})
    run = xinfer("publish", "marketplace", update, cwd=home)
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize("place", ["marketplace/xinfer", "dist/PULL_REQUEST.md"])
def test_what_cannot_be_written_is_one_error_and_nothing_is_published(home, place):
    package = built(home)
    if place.endswith(".md"):
        (home / place).mkdir()
    else:
        (home / place).touch()
    run = xinfer("publish", "marketplace", package, cwd=home)
    assert run.returncode == 2
    assert run.stderr.startswith(f"Error: {place}")
    assert run.stderr.count("\n") == 1
    assert not list((home / "marketplace").rglob("*.difypkg"))


def test_a_folder_that_is_not_there(home):
    run = xinfer("publish", "nowhere", built(home), cwd=home)
    assert run.returncode == 2
    assert "There is no folder nowhere" in run.stderr


def test_a_package_names_no_place_outside_of_the_folder(home):
    built(home)
    with zipfile.ZipFile(home / "dist/xinference-0.1.0.difypkg") as package:
        files = {name: package.read(name) for name in package.namelist()}
    files["manifest.yaml"] = (
        files["manifest.yaml"]
        .replace(b"author: xinfer\n", b"author: ../.. # xinfer: ignore[XI102] mine\n")
        .replace(b"name: xinference\n", b"name: ../x # xinfer: ignore[XI103] mine\n")
    )
    (home / "x.difypkg").write_bytes(pack(files.items()))
    before = sorted(home.rglob("*"))
    for arguments in (("publish", "marketplace", "x.difypkg"), ("pack", "x.difypkg")):
        run = xinfer(*arguments, cwd=home)
        assert run.returncode == 2, run.stdout
        assert "../../../x:0.1.0 is not an identifier that Dify installs" in run.stderr
    run = xinfer("rehearse", "x.difypkg", cwd=home)
    assert run.returncode == 1
    assert "is not an identifier that Dify installs" in run.stdout
    assert sorted(home.rglob("*")) == before
