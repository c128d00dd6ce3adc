"""Files in memory to a folder on disk: whole or not at all.

The new folder is made beside the old one and exchanged with it in one step, so a crash leaves
either. Files that are equal keep their inode and time; files that no build made are carried
over; what an earlier build made and this one does not is gone. A record in the folder tells
them apart.
"""

from __future__ import annotations

import errno
import glob
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

RECORD = ".xinfer.json"
OWNED = "xinfer/"
"""The copy of xinfer in a plugin: the build owns the whole folder."""

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
"""Of Linux's ``renameat2``: relative to the working folder; exchange the two names."""

_NEW, _OLD = "tmp", "old"
"""In temporary names: a tree or file that is being written; a folder that was moved away."""

type FileTree = Mapping[str, bytes]
"""Contents by path: relative, with ``/``."""


class ForeignFileError(Exception):
    """A file to be written stands there already, and no build made it."""


def require_folders(folder: Path) -> None:
    """Check that only folders stand where a folder and those above it go.

    :raises ForeignFileError: a file stands at one of the places.
    """
    for above in (folder, *folder.parents):
        if os.path.lexists(above) and not above.is_dir():
            raise ForeignFileError(
                f"{above} is no folder, and the plugin's folder belongs there: move it away, or "
                "delete it, and build again."
            )


def write_tree(tree: FileTree, folder: Path) -> bool:
    """Make the folder hold the tree; return whether anything had to change.

    What builds that were killed left beside the folder is removed.

    :raises ForeignFileError: someone else's file stands where one of the tree must go.
    """
    require_folders(folder)
    folder = folder.resolve()
    _recover(folder)
    complete = {**tree, RECORD: _record(tree)}
    written = _files_of_last_build(folder)
    for path in _in_the_way(folder, complete, written):
        raise ForeignFileError(
            f"{folder / path} was not written by a build and would be overwritten: "
            "move it away, or delete it, and build again."
        )
    stale = written - set(complete)
    if not any(_differs(folder, path, complete) for path in complete) and not any(
        (folder / path).exists() for path in stale
    ):
        return False
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=_temporary(folder), dir=folder.parent))
    try:
        _fill(staging, folder, complete, stale)
        _swap(staging, folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return True


def write_file(path: Path, content: bytes) -> bool:
    """Make one file hold the content, whole or not at all; return whether it had to change.

    A file that is there keeps its mode; through a link, the file that it leads to is changed.

    :raises OSError: it cannot be written, or a folder, a pipe or a device stands there.
    """
    with staged_file(path, content) as put:
        return put()


@contextmanager
def staged_file(path: Path, content: bytes) -> Iterator[Callable[[], bool]]:
    """Write a file beside its place; yield a function that puts it there as :func:`write_file`."""
    path = path.resolve()
    _recover(path)
    if path.exists() and not path.is_file():
        raise FileExistsError(errno.EEXIST, "something that is no file stands there", str(path))
    if path.is_file() and path.read_bytes() == content:
        yield lambda: False
        return
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o644
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=_temporary(path))
    staged = Path(name)
    try:
        with os.fdopen(handle, "wb") as new:
            new.write(content)
        staged.chmod(mode)
        yield lambda: staged.replace(path).exists()
    finally:
        staged.unlink(missing_ok=True)


def _temporary(path: Path, purpose: str = _NEW) -> str:
    """Return the prefix of temporary names beside a path, which identifies their process."""
    return f".{path.name}.{os.getpid()}.{purpose}-"


def _recover(path: Path) -> None:
    """Undo what dead builds left beside a path: put back what they moved away, remove the rest."""
    for purpose in (_OLD, _NEW):
        for left in path.parent.glob(f".{glob.escape(path.name)}.*.{purpose}-*"):
            pid = left.name.removeprefix(f".{path.name}.").partition(".")[0]
            if not pid.isdecimal() or _is_running(int(pid)):
                continue
            if purpose == _OLD and not path.exists() and (left / path.name).exists():
                (left / path.name).rename(path)
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


def differences(tree: FileTree, folder: Path, leaving_out: Collection[str] = ()) -> Iterator[str]:
    """Yield the lines of a unified diff from the folder to the tree; none when they agree.

    :param leaving_out: paths that are not compared.
    """
    import difflib

    complete = {**tree, RECORD: _record(tree)}
    for path in sorted({*complete, *_files_of_last_build(folder)} - set(leaving_out)):
        old = (folder / path).read_bytes() if (folder / path).is_file() else b""
        new = complete.get(path, b"")
        if old != new:
            yield from difflib.unified_diff(
                old.decode(errors="replace").splitlines(),
                new.decode(errors="replace").splitlines(),
                f"{folder.name}/{path} (on disk)",
                f"{folder.name}/{path} (from the spec)",
                lineterm="",
            )


def _record(tree: FileTree) -> bytes:
    """List what the build writes; a folder that it owns whole stands for the files in it."""
    listed = sorted({OWNED if path.startswith(OWNED) else path for path in tree})
    return (json.dumps({"generated": listed}, indent=2, ensure_ascii=False) + "\n").encode()


def _files_of_last_build(folder: Path) -> set[str]:
    """Return the files that the last build made; none if no record can be read."""
    if not (folder / RECORD).is_file():  # it may be a pipe, which must not stall
        return set()
    try:
        record = json.loads((folder / RECORD).read_bytes())
        listed = record.get("generated") or record["made by xinfer"]  # the key of version 0.1.0
        names = {RECORD, *listed} - {OWNED}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return set()
    if OWNED in listed:
        below = (path for path in (folder / OWNED).rglob("*") if not path.is_dir())
        names |= {path.relative_to(folder).as_posix() for path in below}
    return names


def _in_the_way(folder: Path, tree: FileTree, written: set[str]) -> Iterator[str]:
    """Yield what stands where a file must go, or a folder for it, and no build made."""

    def foreign(path: str) -> bool:
        return path not in written and os.path.lexists(folder / path)

    for path in sorted(tree):
        above = (str(parent) for parent in PurePosixPath(path).parents[:-1])
        yield from (name for name in above if foreign(name) and not (folder / name).is_dir())
        if (folder / path).is_dir():
            inside = (place for place in (folder / path).rglob("*") if not place.is_dir())
            yield from filter(foreign, (place.relative_to(folder).as_posix() for place in inside))
        elif foreign(path) and _differs(folder, path, tree):
            yield path


def _differs(folder: Path, path: str, tree: FileTree) -> bool:
    try:
        return not (folder / path).is_file() or (folder / path).read_bytes() != tree[path]
    except OSError:
        return True


def _fill(staging: Path, folder: Path, tree: FileTree, stale: set[str]) -> None:
    staging.chmod(0o755)
    for path, content in tree.items():
        target = staging / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if _differs(folder, path, tree):
            target.write_bytes(content)
        else:
            _keep(folder / path, target)
    if not folder.exists():
        return
    for old in sorted(folder.rglob("*")):
        path = old.relative_to(folder).as_posix()
        if path in tree or path in stale or (old.is_dir() and not old.is_symlink()):
            continue
        target = staging / path
        target.parent.mkdir(parents=True, exist_ok=True)
        _keep(old, target)


def _keep(old: Path, new: Path) -> None:
    try:
        os.link(old, new, follow_symlinks=False)
    except OSError:  # a file system without hard links
        shutil.copy2(old, new, follow_symlinks=False)


def _swap(staging: Path, folder: Path) -> None:
    """Put the new folder in the old one's place, and the old one in the new one's."""
    if not folder.exists():
        staging.rename(folder)
    elif not _exchange(staging, folder):
        _rename_both(staging, folder)


def _exchange(first: Path, second: Path) -> bool:
    """Exchange two folders in a single step of the file system; return whether it knows how."""
    import ctypes

    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):  # not Linux
        return False
    paths = (_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second))
    return bool(renameat2(*paths, _RENAME_EXCHANGE) == 0)


def _rename_both(staging: Path, folder: Path) -> None:
    """Exchange in two steps; the old folder is put back if the second one fails."""
    aside = Path(tempfile.mkdtemp(prefix=_temporary(folder, _OLD), dir=folder.parent))
    try:
        folder.rename(aside / folder.name)
        try:
            staging.rename(folder)
        except BaseException:
            (aside / folder.name).rename(folder)
            raise
    finally:
        if folder.exists():
            shutil.rmtree(aside, ignore_errors=True)
