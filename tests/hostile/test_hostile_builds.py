"""Builds that meet a full disk, a folder that is not theirs to write, or their own end."""

import ctypes
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from xinfer.plugin.writer import RECORD, write_file, write_tree

ROOT = Path(__file__).parents[2]
OLD = {"a.yaml": b"a: 1\n", "models/m.yaml": b"m: 1\n", "old.yaml": b"old"}
NEW = {"a.yaml": b"a: 2\n", "models/m.yaml": b"m: 1\n", "new/b.yaml": b"b: 1\n"}
PACKAGE = 400_000
"""Bytes, more than the package of the example takes."""
MINE = {"mine.txt": b"mine"}


@pytest.fixture
def project(tmp_path):
    shutil.copytree(ROOT / "examples/tariff", tmp_path / "tariff")
    return tmp_path / "tariff"


def build(project, *arguments, limit=None):
    done = subprocess.run(
        [sys.executable, "-m", "xinfer", "build", *arguments],
        cwd=project,
        capture_output=True,
        text=True,
        preexec_fn=limit,
        timeout=120,
    )
    assert "Traceback" not in done.stderr
    return done


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != RECORD
    }


def is_one_sentence(done, *words):
    lines = done.stderr.splitlines()
    assert done.returncode == 2, done.stderr
    assert len(lines) == 1, lines
    assert all(word in lines[0] for word in words), lines
    return True


def full(size):
    """Let no file become larger: writing then fails in the middle, as on a full disk."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def obey():
    """Make root obey the permissions of folders."""
    for overrides in (1, 2, 3):
        ctypes.CDLL(None).prctl(24, overrides, 0, 0, 0)  # PR_CAPBSET_DROP


@pytest.mark.parametrize(
    ("size", "place"), [(8 * 1024, "dist/tariff-0.1.0.difypkg"), (PACKAGE, "dist/tariff")]
)
@pytest.mark.parametrize("before", ["nothing", "a build"])
def test_a_full_disk_leaves_what_was_there_and_nothing_else(project, before, size, place):
    (project / "plugin/large.md").write_text("x" * 500_000)  # which the package compresses
    if before == "a build":
        assert build(project).returncode == 0
        (project / "dist/tariff/mine.txt").write_text("mine")
        (project / "plugin/large.md").write_text("y" * 500_000)
    else:
        (project / "dist").mkdir()
    old = files(project / "dist")
    done = build(project, limit=full(size))
    assert is_one_sentence(done, f"{place} cannot be written: File too large.")
    assert files(project / "dist") == old
    assert not list((project / "dist").glob(".*"))


def test_a_disk_without_room_for_temporary_files_is_named(project):
    assert is_one_sentence(build(project, limit=full(0)), "No usable temporary directory found")
    assert is_one_sentence(build(project, limit=full(64)), "cannot be used: File too large.")
    assert not (project / "dist").exists()


@pytest.mark.parametrize("before", ["nothing", "a build"])
def test_a_folder_that_cannot_be_written_is_named(project, before):
    if before == "a build":
        assert build(project).returncode == 0
        (project / "dist/tariff/manifest.yaml").write_text("edited")
    else:
        (project / "dist").mkdir()
    old = files(project / "dist")
    (project / "dist").chmod(0o555)
    try:
        done = build(project, limit=obey)
    finally:
        (project / "dist").chmod(0o755)
    assert is_one_sentence(done, "dist/tariff", "cannot be written: Permission denied")
    assert files(project / "dist") == old


@pytest.mark.parametrize("place", ["dist", "dist/tariff"])
def test_a_file_where_a_folder_belongs_stays_and_is_named(project, place):
    (project / place).parent.mkdir(exist_ok=True)
    (project / place).write_text("mine")
    done = build(project)
    assert done.returncode == 2
    assert place in done.stderr
    assert "file" in done.stderr or "no folder" in done.stderr
    assert (project / place).read_text() == "mine"
    assert not [path for path in project.rglob("*") if ".tmp-" in path.name]


def test_a_file_above_the_output_folder_stays_and_is_named(project):
    (project / "x").write_text("mine")
    assert is_one_sentence(build(project, "--out", "x/y/z"), "x is no folder")
    assert (project / "x").read_text() == "mine"


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_stands_in_the_place_of_the_package_is_named(project, make):
    (project / "dist").mkdir()
    make(project / "dist/tariff-0.1.0.difypkg")
    words = "dist/tariff-0.1.0.difypkg cannot be written", "something that is no file stands there"
    assert is_one_sentence(build(project), *words)


@pytest.mark.parametrize("name", ["manifest.yaml", RECORD, "other"])
def test_a_pipe_in_the_output_folder_stalls_nothing(project, name):
    (project / "dist/tariff").mkdir(parents=True)
    os.mkfifo(project / "dist/tariff" / name)
    done = build(project)
    if name == "other":
        assert done.returncode == 0
        assert (project / "dist/tariff/other").is_fifo()
    else:
        assert is_one_sentence(done, f"dist/tariff/{name} was not written by a build")


def test_a_link_to_the_output_folder_stays_a_link(project):
    (project / "dist").mkdir()
    (project / "elsewhere").mkdir()
    (project / "dist/tariff").symlink_to(project / "elsewhere")
    assert build(project).returncode == 0
    assert (project / "dist/tariff").is_symlink()
    assert (project / "elsewhere/manifest.yaml").is_file()


def a_socket(path):
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.close()


@pytest.mark.parametrize(
    ("make", "name", "reason"),
    [
        (os.mkfifo, "x", "is a named pipe"),
        (a_socket, "x", "is a socket"),
        (lambda path: path.symlink_to("/dev/zero"), "x", "is a device"),
        (lambda path: path.symlink_to("x"), "x", "is a link in a circle"),
        (lambda path: path.symlink_to("."), "x", "is a link to a folder"),
        (lambda path: path.symlink_to("nowhere"), "x", "is a link that leads nowhere"),
        (Path.touch, "a\\b", "is a name with a backslash"),
        (Path.touch, os.fsdecode(b"x\xff"), "is a name that is not UTF-8"),
    ],
)
def test_what_is_no_ordinary_file_stops_a_build_with_a_sentence(
    project, monkeypatch, make, name, reason
):
    monkeypatch.chdir(project / "plugin")  # the path of a socket must be short
    make(Path(name))
    assert is_one_sentence(build(project), reason, "put an ordinary file there")
    assert not (project / "dist").exists()


DRIVER = """
import os, signal, sys
from pathlib import Path
from xinfer.plugin import writer

if sys.argv[2] == "renamed":
    writer._exchange = lambda *_: False
left = int(sys.argv[1])

def watch(event, arguments):
    global left
    writes = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    changes = event in {"os.rename", "os.link", "os.mkdir", "os.remove", "os.rmdir"}
    exchanges = event == "ctypes.dlsym" and arguments[1] == "renameat2"
    if writes or changes or exchanges:
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(watch)
writer.write_tree(eval(sys.argv[3]), Path("plugin"))
writer.write_file(Path("plugin.difypkg"), b"new")
"""


@pytest.mark.parametrize("way", ["exchanged", "renamed"])
def test_a_build_may_be_killed_at_any_step(tmp_path, way):
    """Kill it before each change that it makes to the disk; the next build cleans up."""
    folder, package = tmp_path / "plugin", tmp_path / "plugin.difypkg"
    for steps in range(100):
        shutil.rmtree(folder, ignore_errors=True)
        write_tree(OLD, folder)
        (folder / "mine.txt").write_bytes(b"mine")
        write_file(package, b"old")
        command = [sys.executable, "-c", DRIVER, str(steps), way, repr(NEW)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        if way == "exchanged":
            assert files(folder) in (OLD | MINE, NEW | MINE)
        assert package.read_bytes() in (b"old", b"new")
        write_tree(NEW, folder)
        write_file(package, b"new")
        assert files(folder) == NEW | MINE
        assert {path.name for path in tmp_path.iterdir()} == {"plugin", "plugin.difypkg"}
    assert steps > 15
