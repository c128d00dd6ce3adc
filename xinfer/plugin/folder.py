"""A plugin's folder on disk: what can be packed, and what cannot."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import attrs

from xinfer.plugin.files import Entry, Excluded, File, PluginFiles, select
from xinfer.plugin.ignore import IGNORE_FILES, is_undecodable
from xinfer.plugin.limits import UnreadablePlugin

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def folder_files(folder: Path, *, default: str = "") -> PluginFiles:
    """Select the files of a folder.

    :param default: the ignore file, if the folder has none.
    :raises UnreadablePlugin: it holds too much, or cannot be listed.
    """
    return select(_Disk(folder), folder, default=default)


def plugin_folder(folder: Path, *, default: str = "") -> PluginFiles:
    """Select the files of a folder, without what another machine would pack differently.

    A link out of the folder is not read, because the folder may be anybody's; Dify's packager
    follows it. An ignore file may be such a link.
    """
    files = folder_files(folder, default=default)
    faults = {file.path: fault for file in files.files if (fault := _fault(file))}
    return attrs.evolve(
        files,
        files=tuple(file for file in files.files if file.path not in faults),
        unpackable=(*files.unpackable, *(Excluded(*fault) for fault in faults.items())),
    )


def _fault(file: File) -> str:
    """Return why xinfer does not pack a file that Dify's packager packs; empty if it does."""
    if file.outside and file.path not in IGNORE_FILES:
        return "a link out of the plugin's folder"
    name = str(file.source)
    if "\\" in name:
        return "a name with a backslash, which becomes a folder in the package"
    return "a name that is not UTF-8" if any(map(is_undecodable, name)) else ""


class _Disk:
    """A folder on disk; links to folders are not followed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._resolved = root.resolve()

    def entries(self, folder: str) -> Iterable[Entry]:
        try:
            with os.scandir(self._root / folder) as items:
                listed = sorted(items, key=lambda entry: os.fsencode(entry.name))
        except OSError as error:
            place = self._root / folder
            raise UnreadablePlugin(f"{place} cannot be listed: {error.strerror}.") from None
        return map(self._entry, listed)

    def _entry(self, item: os.DirEntry[str]) -> Entry:
        if item.is_dir(follow_symlinks=False):
            return Entry(name=item.name, folder=True)
        path = Path(item.path)
        try:
            status = item.stat()
        except OSError as error:
            return Entry(name=item.name, source=path, fault=_link_fault(path, error))
        kind = stat.S_IFMT(status.st_mode)
        if kind == stat.S_IFDIR:
            return Entry(name=item.name, source=path, fault="a link to a folder")
        if kind != stat.S_IFREG:
            return Entry(name=item.name, source=path, fault=_KINDS.get(kind, "no file"))
        return Entry(
            name=item.name,
            size=status.st_size,
            source=path,
            outside=item.is_symlink() and not path.resolve().is_relative_to(self._resolved),
            read=partial(_read, path, status.st_size),
        )


def _link_fault(path: Path, error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "a link in a circle"
    return "a link that leads nowhere" if path.is_symlink() else f"unreadable ({error.strerror})"


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _read(path: Path, size: int) -> bytes:
    try:
        # A file can be replaced meanwhile: a pipe must not stall; no more than the size is read.
        with open(path, "rb", opener=_without_waiting) as file:
            content = file.read(size + 1)
    except OSError as error:
        raise UnreadablePlugin(f"{path} cannot be read: {error.strerror}.") from None
    if len(content) != size:
        raise UnreadablePlugin(f"{path} changed while it was read: run the command again.")
    return content
