"""pack, keygen, sign and verify, as people call them."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from plugin.signed import SIGNED
from plugin.trees import TREES, write_tree

from xinfer.cli import main
from xinfer.plugin.archive import package_files
from xinfer.plugin.offline import OfflineError, with_wheels
from xinfer.plugin.read import plugin_files
from xinfer.plugin.signature import generate_key

ROOT = Path(__file__).parents[2]
KEY = ("--key", str(SIGNED / "test-only.private.pem"))
PUBLIC = ("--key", str(SIGNED / "test-only.public.pem"))


def run(*arguments, code=0, **options):
    done = CliRunner().invoke(main, [str(argument) for argument in arguments], **options)
    assert done.exit_code == code, done.output
    assert "Traceback" not in done.output
    return done.output


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_folder_its_package_and_the_daemon_agree(here):
    tree = "02-difyignore-only"
    folder = write_tree(here, tree)
    printed = run("pack", folder)
    assert f"Identifier: {TREES[tree]['expected']['identifier']}\n" in printed
    assert f"Checksum: {TREES[tree]['expected']['checksum']}\n" in printed
    assert "         527  provider/acme.yaml\n" in printed
    assert "Wrote packing-0.0.1.difypkg (14 files, " in printed
    again = run("pack", "packing-0.0.1.difypkg", "-o", "again.difypkg")
    assert printed.splitlines()[1:] == again.splitlines()[1:]
    assert Path("again.difypkg").read_bytes() == Path("packing-0.0.1.difypkg").read_bytes()


def test_a_spec_is_packed_as_it_is_built(here):
    built = run("build", "--spec", ROOT / "examples/tariff/provider_spec.py")
    packed = run("pack", ROOT / "examples/tariff/provider_spec.py")
    identifier = built.splitlines()[1]
    assert identifier.startswith("Identifier: ")
    assert identifier in packed
    (package,) = Path("dist").glob("*.difypkg")
    assert package.read_bytes() == Path(package.name).read_bytes()


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ("68-icon-missing", "there is no _assets/icon.svg"),
        ("71-no-manifest", "there is no manifest.yaml"),
        ("73-author-with-capitals", "Acme"),
        ("45-link-to-folder", "linked is a link to a folder"),
        ("77-size-over-the-limit", "zz.bin (50.0 MiB)"),
        ("33-hits-manifest", "manifest.yaml is left out by line 1 of .difyignore (*.yaml)"),
    ],
)
def test_what_dify_refuses_is_not_packed(here, tree, words):
    folder = write_tree(here, tree)
    assert words in run("pack", folder, code=1)
    assert not list(here.glob("*.difypkg"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (".env", "X=1"),
        ("conf/.env.local", "X=1"),
        (".env.production", "X=1"),
        (".ssh/config", "x"),
        ("deep/.ssh/id_rsa", "x"),
        ("id_rsa", "x"),
        ("id_ed25519", "x"),
        (".aws/credentials", "x"),
        (".netrc", "x"),
        (".npmrc", "x"),
        (".pypirc", "x"),
        ("credentials.json", "{}"),
        ("secrets.toml", "x"),
        ("conf/secrets.yaml", "x"),
        ("a.p12", "x"),
        ("a.pfx", "x"),
        ("tls.key", "x"),
        ("tls.pem", "text\n-----BEGIN RSA PRIVATE KEY-----\nx"),
        ("large.bin", "\0" * 2 * 1024 * 1024 + "-----BEGIN EC PRIVATE KEY-----\nx"),
        ("notes.md", "-----BEGIN PRIVATE KEY-----\nx"),
        ("x.asc", "-----BEGIN PGP PRIVATE KEY BLOCK-----\nx"),
        ("a.py", 'K = """-----BEGIN PRIVATE KEY-----\n' + "M" * 64 + '\n"""'),
        ("b.py", "K = '-----BEGIN RSA PRIVATE KEY-----\\n'\n    '" + "M" * 64 + "'"),
    ],
)
def test_a_secret_is_never_packed_unless_it_is_allowed_or_left_out(here, name, content):
    folder = write_tree(here, "02-difyignore-only")
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    printed = run("pack", folder, code=1)
    assert f"{name} would be published" in printed
    assert f"{name} would be published" in run("check", folder, code=1)
    assert not list(here.glob("*.difypkg"))
    run("pack", folder, "--allow-secret", name)
    assert name in package_files(Path("packing-0.0.1.difypkg"))
    (folder / ".difyignore").write_text(name.partition("/")[0] + "\n")
    run("pack", folder)
    assert name not in package_files(Path("packing-0.0.1.difypkg"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (".env.example", "KEY="),
        ("public.pem", "-----BEGIN PUBLIC KEY-----\nx"),
        ("id_ed25519.pub", "ssh-ed25519 AAAA me"),
        ("ca.pem", "-----BEGIN CERTIFICATE-----\nx"),
        ("keys.py", "x = 1"),
        ("code.py", "begin = '-----BEGIN RSA PRIVATE KEY-----\\n'\nend = '-----END'\n"),
    ],
)
def test_what_is_public_is_packed(here, name, content):
    folder = write_tree(here, "02-difyignore-only")
    (folder / name).write_text(content)
    run("pack", folder)


def test_a_build_with_a_secret_writes_nothing(here):
    shutil.copytree(ROOT / "examples/tariff", here / "tariff")
    (here / "tariff/plugin/.env").write_text("KEY=1")
    printed = run("build", "--spec", "tariff/provider_spec.py", code=1)
    assert "plugin/.env" in printed or ".env would be published" in printed
    assert not (here / "dist").exists()
    run("build", "--spec", "tariff/provider_spec.py", "--allow-secret", "plugin/.env")
    assert (here / "dist/tariff/.env").is_file()


@pytest.mark.parametrize(
    ("command", "written"),
    [
        (("keygen", "{}/acme"), "acme.private.pem"),
        (("docs", "--spec", str(ROOT / "provider_spec.py"), "-o", "{}/models.md"), "models.md"),
        (("schema", "manifest", "-o", "{}/manifest.json"), "manifest.json"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_the_folders_above_an_output_are_made_or_the_error_names_it(tmp_path, command, written):
    where = tmp_path / "a/b"
    done = CliRunner().invoke(main, [part.replace("{}", str(where)) for part in command])
    assert done.exit_code == 0, done.output
    assert (where / written).is_file()
    (tmp_path / "file").touch()
    refused = [part.replace("{}", str(tmp_path / "file/b")) for part in command]
    done = CliRunner().invoke(main, refused)
    assert done.exit_code == 2
    assert "cannot be written: Not a directory." in done.output


def test_a_build_into_the_folder_that_it_packs_is_refused(here):
    shutil.copytree(ROOT / "examples/tariff", here / "tariff")
    printed = run(
        "build", "--spec", "tariff/provider_spec.py", "--out", "tariff/plugin/dist", code=2
    )
    assert "tariff/plugin/dist is in tariff/plugin, which the build packs" in printed.replace(
        f"{here}/", ""
    )
    assert not (here / "tariff/plugin/dist").exists()


def test_a_key_pair_signs_and_verifies(here):
    printed = run("keygen", "acme")
    assert stat.S_IMODE(Path("acme.private.pem").stat().st_mode) == 0o600
    assert "Wrote acme.private.pem, readable by you alone, and acme.public.pem." in printed
    assert "exists already" in run("keygen", "acme", code=2)
    shutil.copy(SIGNED / "unsigned.difypkg", "x.difypkg")
    assert "Wrote x.signed.difypkg" in run("sign", "x.difypkg", "--key", "acme.private.pem")
    printed = run("verify", "x.signed.difypkg", "--key", "acme.public.pem")
    assert "The signature is valid.\nCategory: community\n" in printed
    wrong = run("verify", "x.signed.difypkg", *PUBLIC, code=1)
    assert "another key" in wrong
    run("verify", "x.signed.difypkg", *PUBLIC, "--key", "acme.public.pem")


def test_a_protected_key_needs_its_passphrase(here):
    run("keygen", "acme", "--passphrase", env={"XINFER_PASSPHRASE": "open"})
    package = SIGNED / "unsigned.difypkg"
    arguments = ("sign", package, "--key", "acme.private.pem", "-o", "x.difypkg")
    assert "passphrase is wrong" in run(*arguments, code=2, env={"XINFER_PASSPHRASE": "shut"})
    assert not Path("x.difypkg").exists()
    run(*arguments, input="open\n")
    run("verify", "x.difypkg", "--key", "acme.public.pem")


def test_the_time_gives_the_daemons_bytes(here):
    theirs = package_files(SIGNED / "signed-partner.difypkg")
    time = json.loads(theirs.comment)["time"]
    unsigned = SIGNED / "unsigned.difypkg"
    run("sign", unsigned, *KEY, "--category", "partner", "--time", time, "-o", "x.difypkg")
    assert package_files(Path("x.difypkg")).comment == theirs.comment


def test_a_signed_package_is_not_signed_twice_without_force(here):
    shutil.copy(SIGNED / "signed-partner.difypkg", "x.difypkg")
    assert "is signed already" in run("sign", "x.difypkg", *KEY, code=2)
    run("sign", "x.difypkg", *KEY, "--force", "-o", "y.difypkg")
    assert "Category: community" in run("verify", "y.difypkg", *PUBLIC)
    assert zipfile.ZipFile("y.difypkg").namelist().count(".verification.dify.json") == 1


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("unsigned.difypkg", 1, "The package is not signed."),
        ("tampered-content.difypkg", 1, "changed after it was signed"),
        ("tampered-order.difypkg", 1, "in another order than signed"),
        ("signed-other-key.difypkg", 1, "made with another key"),
        ("truncated-half.difypkg", 2, "it is cut short"),
        ("empty.difypkg", 2, "it is empty"),
        ("damaged-data.difypkg", 2, "cannot be unpacked"),
        ("folder-entry-added.difypkg", 1, "entries for folders"),
        ("signed-unknown-category.difypkg", 0, "Dify knows no category 'friends'"),
        ("tampered-names-swapped.difypkg", 0, "files may have been renamed"),
        ("test-only.public.pem", 2, "it is another kind of file"),
        ("nothing", 2, "There is no package"),
    ],
)
def test_each_state_of_a_package_has_its_words(name, code, words):
    assert words in run("verify", SIGNED / name, *PUBLIC, code=code)


def test_wrong_key_files_are_named(here):
    Path("x.pem").write_text("nothing")
    package = SIGNED / "unsigned.difypkg"
    assert "x.pem is not a public key" in run("verify", package, "--key", "x.pem", code=2)
    assert "x.pem cannot be used" in run("sign", package, "--key", "x.pem", code=2)
    assert "y.pem, the public key, cannot be read" in run(
        "verify", package, "--key", "y.pem", code=2
    )


def wheel(folder, name, requires="", version="1.0", tag="py3-none-any"):
    """Write a wheel of a package that is nothing but a name."""
    info = f"{name}-{version}.dist-info"
    needs = f"Requires-Dist: {requires}\n" if requires else ""
    with zipfile.ZipFile(folder / f"{name}-{version}-{tag}.whl", "w") as file:
        file.writestr(f"{name}.py", "")
        file.writestr(
            f"{info}/METADATA",
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        )
        file.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        file.writestr(f"{info}/RECORD", "")


@pytest.fixture
def own_index(here, monkeypatch):
    """Let uv and pip find two packages in a folder, and nothing elsewhere."""
    folder = here / "index"
    folder.mkdir()
    wheel(folder, "acme_one", "acme_two")
    wheel(folder, "acme_two")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(here / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    for tool in ("UV", "PIP"):
        monkeypatch.setenv(f"{tool}_FIND_LINKS", str(folder))
    return folder


PYPROJECT = (
    '[project]\nname = "packing"\nversion = "0.0.1"\nrequires-python = ">=3.12"\n'
    'dependencies = ["acme_one"]\n\n[dependency-groups]\ndev = []\n'
)


def test_an_offline_package_brings_its_wheels_and_uv_takes_them(own_index, here, monkeypatch):
    folder = write_tree(here, "02-difyignore-only")
    (folder / "pyproject.toml").write_text(PYPROJECT)
    files = with_wheels(plugin_files(folder), ["linux/amd64", "linux/arm64"], "3.12")
    with pytest.raises(OfflineError, match="There is a folder wheels already"):
        with_wheels(files, ["linux/amd64"], "3.12")
    names = [path for path in files if path.startswith("wheels/")]
    assert names == ["wheels/acme_one-1.0-py3-none-any.whl", "wheels/acme_two-1.0-py3-none-any.whl"]
    unpacked = here / "unpacked"
    for path, content in files.items():
        (unpacked / path).parent.mkdir(parents=True, exist_ok=True)
        (unpacked / path).write_bytes(content)
    for name in ("UV_OFFLINE", "UV_FIND_LINKS"):
        monkeypatch.delenv(name)
    # As the daemon calls it; the index cannot be reached.
    environment = {**os.environ, "UV_DEFAULT_INDEX": "http://127.0.0.1:9/", "VIRTUAL_ENV": ""}
    uv = os.environ.get("UV") or "uv"
    done = subprocess.run(
        [uv, "sync", "--no-dev", "--python", sys.executable],
        cwd=unpacked,
        env=environment,
        capture_output=True,
        text=True,
    )
    if sys.version_info[:2] == (3, 12):
        assert done.returncode == 0, done.stderr
        assert list(unpacked.glob(".venv/lib/*/site-packages/acme_two.py"))


def test_platforms_that_resolve_to_different_versions_get_their_own(own_index, here, monkeypatch):
    for version, machine in (("1.0", "x86_64"), ("1.0", "aarch64"), ("2.0", "x86_64")):
        wheel(own_index, "acme_fast", "", version, f"cp312-cp312-manylinux_2_17_{machine}")
    folder = write_tree(here, "02-difyignore-only")
    requires = '"acme_fast", "acme_two; platform_machine == \'aarch64\'"'
    (folder / "pyproject.toml").write_text(PYPROJECT.replace('"acme_one"', requires))
    (folder / "requirements.txt").write_text("acme_fast\n")
    files = with_wheels(plugin_files(folder), ["linux/amd64", "linux/arm64"], "3.12")
    pins = [line.partition(" --hash")[0] for line in files["requirements.txt"].decode().split("\n")]
    assert pins[2:] == [
        "acme-fast==1.0 ; platform_machine == 'aarch64'",
        "acme-fast==2.0 ; platform_machine == 'x86_64'",
        "acme-two==1.0 ; platform_machine == 'aarch64'",
        "",
    ]
    unpacked = here / "unpacked"
    for path, content in files.items():
        (unpacked / path).parent.mkdir(parents=True, exist_ok=True)
        (unpacked / path).write_bytes(content)
    for name in ("UV_OFFLINE", "UV_FIND_LINKS", "VIRTUAL_ENV"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/")
    uv = os.environ.get("UV") or "uv"
    for machine, versions in (
        ("x86_64", {"acme-fast 2.0"}),
        ("aarch64", {"acme-fast 1.0", "acme-two 1.0"}),
    ):
        # What uv would install there; to run it takes such a machine.
        platform = ("--python-platform", f"{machine}-manylinux_2_28", "--python", "3.12")
        synced = [uv, "sync", "--no-dev", "--frozen", "--dry-run", "-v", *platform]
        target = ("--target", f"to-{machine}", "-r", "requirements.txt")
        installed = [uv, "pip", "install", *platform, *target]
        for command in (synced, installed):
            done = subprocess.run(command, cwd=unpacked, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            lines = re.findall(r"^ \+ (\S+)==(\S+)$", done.stderr, re.MULTILINE)
            assert {" ".join(line) for line in lines} == versions


@pytest.mark.parametrize("command", [["sync", "--no-dev", "--frozen"], ["pip", "install", "-r"]])
def test_a_wheel_that_was_changed_is_not_installed(own_index, here, monkeypatch, command):
    folder = write_tree(here, "02-difyignore-only")
    group = 'dev = ["acme_of_developers_alone"]'
    (folder / "pyproject.toml").write_text(PYPROJECT.replace("dev = []", group))
    (folder / "requirements.txt").write_text("acme_one\n")
    files = with_wheels(plugin_files(folder), ["linux/amd64"], "3.12")
    assert b"://" not in files["uv.lock"] + files["requirements.txt"]
    for name in ("UV_OFFLINE", "UV_FIND_LINKS"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/")
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    uv = os.environ.get("UV") or "uv"
    for path, content in files.items():
        (here / "unpacked" / path).parent.mkdir(parents=True, exist_ok=True)
        (here / "unpacked" / path).write_bytes(content)
    with zipfile.ZipFile(here / "unpacked/wheels/acme_two-1.0-py3-none-any.whl", "a") as wheel_:
        wheel_.writestr("added.py", "")
    subprocess.run([uv, "venv", "-q", "--python", "3.12"], cwd=here / "unpacked", check=True)
    arguments = [*command, "requirements.txt"] if command[0] == "pip" else command
    done = subprocess.run([uv, *arguments], cwd=here / "unpacked", capture_output=True, text=True)
    assert done.returncode != 0
    assert "Hash mismatch for `acme-two==1.0`" in done.stderr


def test_a_requirement_without_a_wheel_is_named(own_index, here):
    folder = write_tree(here, "02-difyignore-only")
    (folder / "requirements.txt").write_text("dify_plugin>=0.9.0\nacme_one\n")
    printed = run("pack", "--offline", folder, code=2)
    assert "cannot be resolved to wheels" in printed
    assert "dify-plugin" in printed.replace("_", "-")
    assert not list(here.glob("*.difypkg"))
    assert "There is no platform 'linux/x'" in run(
        "pack", "--offline", "--platform", "linux/x", folder, code=2
    )


def test_a_key_is_as_long_as_difys():
    assert generate_key().key_size == 4096
