"""pack, keygen, sign and verify where they cannot do what they are asked: one error, no trace."""

import resource
import shutil
import signal
import subprocess
import sys

import pytest
from plugin.signed import SIGNED

UNSIGNED = SIGNED / "unsigned.difypkg"
KEY = ("--key", SIGNED / "test-only.private.pem")
COMMAND = [sys.executable, "-m", "xinfer"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    shutil.copy(UNSIGNED, tmp_path / "x.difypkg")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments, **options):
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, **options
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("keygen", "."), "The keys need a name"),
        (("keygen", ""), "The keys need a name"),
        (("keygen", "x.difypkg/acme"), "x.difypkg cannot be written: File exists."),
        (("keygen", "acme", "--passphrase"), "set XINFER_PASSPHRASE"),
        (("sign", "x.difypkg", *KEY, "--time", "-1"), "-1 is not in the range"),
        (("sign", "x.difypkg", *KEY, "--time", 2**63), "is not in the range"),
        (("sign", "x.difypkg", *KEY, "-o", "."), ". cannot be written"),
        (("sign", "x.difypkg", "--key", "."), "., the private key, cannot be read"),
        (("sign", ".", *KEY), "There is no package ."),
        (("verify", ".", *KEY), "is not a public key"),
        (("pack", "nowhere"), "There is no nowhere"),
        (("pack", "x.difypkg", "-o", "."), ". cannot be written"),
        (("pack", "x.difypkg", "--platform", "linux/arm64"), "add --offline"),
        (("pack", "x.difypkg", "--python", "3.13"), "add --offline"),
        (("pack", "x.difypkg", "--offline", "--platform", ""), "There is no platform ''"),
    ],
)
def test_each_mistake_is_one_error(here, arguments, words):
    done = run(*arguments, env={"PATH": ""})
    assert done.returncode == 2
    assert done.stdout == ""
    assert words in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert [path.name for path in here.iterdir()] == ["x.difypkg"]


@pytest.mark.parametrize(
    ("arguments", "room"),
    [
        (("keygen", "acme"), 100),
        (("keygen", "acme"), 1000),  # room for the public key alone
        (("sign", "x.difypkg", *KEY), 1000),
        (("pack", "x.difypkg", "-o", "new.difypkg"), 1000),
    ],
)
def test_a_full_disk_leaves_nothing_behind(here, arguments, room):
    def fill():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    done = run(*arguments, preexec_fn=fill)
    assert done.returncode == 2
    assert done.stderr.startswith("Error: ")
    assert done.stderr.endswith(" cannot be written: File too large.\n")
    assert [path.name for path in here.iterdir()] == ["x.difypkg"]
