"""The workflow that ``xinfer init`` writes: a tag builds, checks, signs, attests and attaches."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from command_line import xinfer

from xinfer import __version__

BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A new project with its package and a key pair, and its workflow."""
    folder = tmp_path_factory.mktemp("new") / "acme"
    for command in (("init", "acme", "--out", folder), ("build",), ("keygen", "acme")):
        done = xinfer(*command, cwd=folder if folder.exists() else folder.parent)
        assert done.returncode == 0, done.stderr
    return folder, yaml.safe_load((folder / ".github/workflows/ci.yaml").read_text())


@pytest.fixture
def release(built, tmp_path):
    """Return a function that runs the commands of the release; gh notes how it is called."""
    folder, workflow = built
    (tmp_path / "place").mkdir()
    shutil.copy(folder / "dist/acme-0.0.1.difypkg", tmp_path / "place")
    scripts = {
        "gh": f'echo "$@" > {tmp_path}/gh.txt',
        "uvx": f'[ "$2" = "dify-xinfer[signing]=={__version__}" ] && shift 2 && exec {BIN}/"$@"',
    }
    (tmp_path / "bin").mkdir()
    for name, text in scripts.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / "bin" / name).chmod(0o755)

    def run(tag, **secrets):
        printed = ""
        for step in workflow["jobs"]["release"]["steps"]:
            if "run" not in step:
                continue
            declared = step.get("env", {})
            environment = {
                name: secrets.get(value.removeprefix("${{ secrets.").removesuffix(" }}"), "")
                for name, value in declared.items()
            }
            done = subprocess.run(
                ["bash", "-e", "-c", step["run"]],
                cwd=tmp_path / "place",
                env={
                    **os.environ,
                    **environment,
                    "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
                    "GITHUB_REF_NAME": tag,
                },
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
            )
            printed += done.stdout + done.stderr
            if done.returncode:
                break
        return done.returncode, printed

    return run


def test_a_tag_is_checked_built_attested_and_attached(built):
    _, workflow = built
    assert workflow[True]["push"]["tags"] == ["v*"]
    test, release = (workflow["jobs"][name] for name in ("test", "release"))
    commands = [step["run"] for step in test["steps"] if "run" in step]
    assert commands == [
        "uv run xinfer check --format github",
        "uv run pytest",
        "uv run xinfer build",
    ]
    assert test["permissions"] == {"contents": "read"}
    assert release["needs"] == "test"
    assert release["if"] == "startsWith(github.ref, 'refs/tags/v')"
    actions = [step["uses"].partition("@")[0] for step in release["steps"] if "uses" in step]
    assert actions == [
        "actions/download-artifact",
        "astral-sh/setup-uv",
        "actions/attest-build-provenance",
    ]
    names = [step.get("name") or step["uses"].partition("@")[0] for step in release["steps"]]
    # What is attested is what is attached: nothing is signed in between.
    assert names[-3:] == ["Sign", "actions/attest-build-provenance", "Attach to the release"]


@pytest.mark.parametrize("ending", ["", "\n\n"])
def test_with_a_key_the_release_holds_a_signed_package_too(built, release, tmp_path, ending):
    folder, _ = built
    key = (folder / "acme.private.pem").read_text().strip() + ending
    code, printed = release("v0.0.1", SIGNING_KEY=key)
    assert code == 0, printed
    assert "Wrote acme-0.0.1.signed.difypkg, signed as community." in printed
    signed = tmp_path / "place/acme-0.0.1.signed.difypkg"
    verified = xinfer("verify", signed, "--key", folder / "acme.public.pem")
    assert verified.stdout.startswith("The signature is valid.\n")
    assert (tmp_path / "gh.txt").read_text() == (
        "release create v0.0.1 --verify-tag --generate-notes "
        "./acme-0.0.1.difypkg ./acme-0.0.1.signed.difypkg\n"
    )


def test_without_a_key_the_package_is_attached_as_it_is(release, tmp_path):
    code, printed = release("v0.0.1")
    assert code == 0, printed
    assert "::notice::The package is not signed" in printed
    assert (tmp_path / "gh.txt").read_text().endswith(" ./acme-0.0.1.difypkg\n")


@pytest.mark.parametrize(
    ("tag", "key", "words"),
    [
        ("v0.0.2", "", "::error::The tag is v0.0.2, and the build made acme-0.0.1.difypkg."),
        ("v0.0.1", "nothing", "/dev/stdin cannot be used"),
    ],
)
def test_a_release_that_cannot_be_made_is_not(release, tmp_path, tag, key, words):
    code, printed = release(tag, SIGNING_KEY=key)
    assert code != 0
    assert words in printed
    assert not (tmp_path / "gh.txt").exists()
