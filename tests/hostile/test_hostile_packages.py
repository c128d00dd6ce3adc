"""Packages and folders made to do harm: each is answered or refused in a sentence.

The commands run in a process of their own, which may take 512 MB.
"""

import io
import itertools
import os
import resource
import shutil
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from plugin.signed import SIGNED
from representatives import every

from xinfer.plugin.archive import pack, package_files
from xinfer.plugin.limits import MAX_FILES, UnreadablePlugin

MEMORY = 512 * 1024 * 1024
MIB = 1024 * 1024
MANIFEST = b"name: x\n"


def limited():
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))


def xinfer(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "xinfer", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        preexec_fn=limited,
    )


def zipped(*entries, method=zipfile.ZIP_DEFLATED):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as package:
        for name, data in entries:
            package.writestr(zipfile.ZipInfo(name), data, method)
    return content.getvalue()


def bomb():
    return zipped(("manifest.yaml", MANIFEST), *((f"{n}.bin", bytes(40 * MIB)) for n in range(8)))


def many():
    return pack((f"f{number}", b"") for number in range(65_000))


def more_than_a_table_says():
    """Entries beyond the 65,535 that the end of a zip can count."""
    content = pack((f"f{number:06}", b"") for number in range(60_000))
    return content.replace(b"PK\x05\x06", b"PK\x05\x07")


def a_hundred_thousand():
    """Entries in a zip64, whose end counts beyond 65,535."""
    return zipped(*((f"f{number}", b"") for number in range(100_000)), method=zipfile.ZIP_STORED)


def overlapping():
    """Let two entries share their data."""
    content = bytearray(pack([("a", bytes(1000)), ("b", bytes(1000))]))
    second = content.rfind(b"PK\x01\x02")
    content[second + 42 : second + 46] = bytes(4)
    return bytes(content)


def lying():
    content = bytearray(pack([("manifest.yaml", bytes(MIB))]))
    entry = content.rfind(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = struct.pack("<L", 10)
    return bytes(content)


def promising():
    """Promise a table of contents of 4 GB."""
    content = bytearray(pack([("manifest.yaml", MANIFEST)]))
    end = content.rfind(b"PK\x05\x06")
    content[end + 12 : end + 16] = b"\xff" * 4
    return bytes(content)


def encrypted():
    content = bytearray(pack([("manifest.yaml", MANIFEST)]))
    content[6] |= 1
    content[content.rfind(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


REFUSED = {
    "a bomb": (bomb, "unpacks to 9 files and 320 MiB, more than a plugin can hold"),
    "many entries": (many, "unpacks to 65,000 files"),
    "100,000 entries": (a_hundred_thousand, "unpacks to 100,000 files"),
    "no end": (more_than_a_table_says, "it is cut short"),
    "a path up": (lambda: pack([("../x", b"")]), "'../x', which leads out of the package"),
    "a path down and up": (lambda: pack([("a/../../x", b"")]), "which leads out of the package"),
    "an absolute path": (lambda: pack([("/etc/x", b"")]), "which leads out of the package"),
    "a name of 60 KB": (lambda: pack([("n" * 60_000, b"")]), "longer than any file system takes"),
    "a dot": (lambda: zipped((".", b"")), "which names no file"),
    "a name of bytes": (lambda: pack([("x\udcff", b"")]), "which is not UTF-8"),
    "overlaps": (overlapping, "holds entries that overlap"),
    "a lie about a size": (lying, "cannot be unpacked"),
    "a promise": (promising, "it is cut short"),
    "encryption": (encrypted, "is encrypted"),
    "bzip2": (lambda: zipped(("manifest.yaml", MANIFEST), method=zipfile.ZIP_BZIP2), "in a way"),
    "nothing": (bytes, "it is empty"),
    "no zip": (lambda: b"hello", "another kind of file"),
    "a large file": (lambda: b"PK\x05\x06" + bytes(51 * MIB), "larger than the 50 MiB"),
}


COMMANDS = {
    "check": ("check", "x.difypkg"),
    "import": ("import", "x.difypkg"),
    "pack": ("pack", "x.difypkg", "-o", "out.difypkg"),
    "pack --offline": ("pack", "--offline", "x.difypkg"),
    "sign": ("sign", "x.difypkg", "--key", "private.pem"),
    "verify": ("verify", "x.difypkg", "--key", "public.pem"),
    "rehearse": ("rehearse", "x.difypkg"),
    "publish": ("publish", "marketplace", "x.difypkg"),
    "diff": ("diff", "x.difypkg", "x.difypkg"),
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Write each hostile package once."""
    folder = tmp_path_factory.mktemp("hostile")
    for name, (make, _) in REFUSED.items():
        (folder / name).write_bytes(make())
    return folder


CASES = list(itertools.product(REFUSED, COMMANDS))


@pytest.mark.parametrize(
    ("case", "name"),
    every(CASES, *(case for case in CASES if case[0] == "a bomb" or case[1] == "check")),
)
def test_a_hostile_package_is_refused_in_a_sentence(tmp_path, hostile, case, name):
    command = COMMANDS[name]
    (tmp_path / "x.difypkg").hardlink_to(hostile / case)
    (tmp_path / "marketplace").mkdir()
    for half in ("private", "public"):
        shutil.copy(SIGNED / f"test-only.{half}.pem", tmp_path / f"{half}.pem")
    before = sorted(tmp_path.rglob("*"))
    done = xinfer(*command, cwd=tmp_path)
    printed = done.stdout + done.stderr
    assert done.returncode in (1, 2), printed
    if command[0] == "verify" and done.returncode == 1:
        assert "The package is not signed.\n" in printed
    elif command[0] == "rehearse":
        assert printed.splitlines()[0].startswith(" failed  unpack"), printed
        assert REFUSED[case][1] in printed
    else:
        assert printed.count("\n") == 1, printed
        assert REFUSED[case][1] in printed
    assert len(printed) < 500
    assert sorted(tmp_path.rglob("*")) == before


def test_a_link_in_a_package_is_a_file(tmp_path):
    link = zipfile.ZipInfo("manifest.yaml")
    link.external_attr = 0o120777 << 16
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as package:
        package.writestr(link, "/etc/passwd")
    (tmp_path / "x.difypkg").write_bytes(content.getvalue())
    assert dict(package_files(tmp_path / "x.difypkg")) == {"manifest.yaml": b"/etc/passwd"}


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_two_entries_of_one_name_the_first_is_read(tmp_path):
    (tmp_path / "x.difypkg").write_bytes(pack([("a", b"first"), ("a", b"second")]))
    files = package_files(tmp_path / "x.difypkg")
    assert dict(files) == {"a": b"first"}
    assert "a is in the package 2 times" in xinfer("check", "x.difypkg", cwd=tmp_path).stdout


@pytest.mark.parametrize("cut", [1, 22, 100])
def test_a_package_cut_at_any_length_is_refused(tmp_path, cut):
    whole = pack([("manifest.yaml", MANIFEST), ("b", bytes(500))])
    (tmp_path / "x.difypkg").write_bytes(whole[:-cut])
    with pytest.raises(UnreadablePlugin, match=r"is not a \.difypkg"):
        package_files(tmp_path / "x.difypkg")


def test_a_folder_with_too_many_files_names_where_they_are(tmp_path):
    plugin = tmp_path / "plugin"
    (plugin / ".venv/lib").mkdir(parents=True)
    (plugin / "manifest.yaml").write_bytes(MANIFEST)
    for number in range(MAX_FILES + 1):
        os.close(os.open(plugin / f".venv/lib/{number}", os.O_CREAT))
    done = xinfer("check", "plugin", cwd=tmp_path)
    assert done.returncode == 2
    assert "holds more than 20,000 files or 200 MiB, most of it in .venv: leave out" in done.stderr
    (plugin / ".difyignore").write_text(".venv/\n")
    assert xinfer("check", "plugin", cwd=tmp_path).returncode == 1


PATTERNS = ["*a*a*a*a*a*ab", "**/a/" * 20, "[z-a]", "[", "a\\", "**/" * 500, "?*" * 200]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_hostile_ignore_file_costs_nothing(tmp_path, pattern):
    folder = tmp_path / "plugin"
    deep = folder / "/".join(["a"] * 60)
    deep.mkdir(parents=True)
    for number in range(200):
        (deep / ("a" * 100 + str(number))).touch()
    (folder / ".difyignore").write_text(f"{pattern}\n" * 40)
    done = xinfer("check", "plugin", cwd=tmp_path)
    refused = "is larger than" in done.stderr
    assert done.returncode == (2 if refused else 1)
    assert "Traceback" not in done.stderr


ODD = "a\x1b[31mred\x07\u202e\n"


def test_control_characters_are_shown_escaped(tmp_path):
    folder = tmp_path / "plugin"
    folder.mkdir()
    (folder / f"{ODD}.env").touch()
    (folder / "manifest.yaml").write_text('author: "\\e]0;x\\a"\n')
    (folder / f"linked{ODD}").symlink_to("nowhere")
    for arguments in (["check", "plugin"], ["import", "plugin"], ["pack", "plugin"]):
        done = xinfer(*arguments, cwd=tmp_path)
        for character in ("\x1b", "\x07", "\u202e"):
            assert character not in done.stdout + done.stderr, arguments
    assert (
        "linkeda\\x1b[31mred\\x07\\u202e\\n is a link that leads nowhere"
        in xinfer("check", "plugin", cwd=tmp_path).stdout
    )


def test_a_pipe_in_a_folder_stalls_nothing(tmp_path):
    folder = tmp_path / "plugin"
    folder.mkdir()
    os.mkfifo(folder / "manifest.yaml")
    done = xinfer("check", "plugin", cwd=tmp_path)
    assert "manifest.yaml is a named pipe" in done.stdout
    os.mkfifo(folder / ".difyignore")
    assert xinfer("pack", Path("plugin"), cwd=tmp_path).returncode == 1
