"""The files of a plugin: what is packed, in the packager's order, and what is left out and why.

:func:`select` decides for a folder on disk, for a tree that a build made, and so for everything
that is built, checked, imported or packed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Protocol

from attrs import evolve, field, frozen

from xinfer.plugin.ignore import IGNORE_FILES, IgnoreFile, IgnoreFileTooLarge
from xinfer.plugin.limits import MAX_FILES, MAX_READ_BYTES, UnreadablePlugin


@frozen(kw_only=True)
class File:
    """A file that is packed.

    :param path: its name in the package, from the plugin's root.
    :param size: in bytes.
    :param source: where its author has it; ``None`` for a file that is generated.
    :param outside: it is a link that leads out of the plugin's folder.
    """

    path: str
    size: int
    source: Path | None = None
    outside: bool = False
    _read: Callable[[], bytes] = field(repr=False, eq=False)

    def read(self) -> bytes:
        """Read the content.

        :raises UnreadablePlugin: it cannot be read, or has changed its size.
        """
        return self._read()


@frozen
class Excluded:
    """A file or folder that is not packed.

    :param path: from the plugin's root; that of a folder ends with ``/``.
    :param reason: what leaves it out, e.g. ``line 3 of .difyignore (*.log)``; of something that
        cannot be packed, what it is.
    """

    path: str
    reason: str
    read: Callable[[], bytes] = field(default=lambda: b"", repr=False, eq=False)


@frozen(kw_only=True)
class PluginFiles(Mapping[str, bytes]):
    """The files of a plugin; as a mapping, contents by path.

    :param where: the folder, package or spec, for messages.
    :param files: what is packed, in the packager's order, which is that of the bytes of the paths;
        of a package, in its own.
    :param left_out: what the ignore file leaves out.
    :param unpackable: what the packager cannot read and no ignore file leaves out, such as a link
        to a folder.
    :param entries: of a package, its entries as they stand there, those for folders included.
    :param comment: of a package, the comment of the zip, which holds the signature.
    :param surplus: of a package, the number of bytes before and after the zip.
    """

    where: Path
    files: tuple[File, ...]
    left_out: tuple[Excluded, ...] = ()
    unpackable: tuple[Excluded, ...] = ()
    entries: tuple[str, ...] = ()
    comment: bytes = b""
    surplus: int = 0
    _by_path: dict[str, File] = field(init=False, repr=False, eq=False)
    _contents: dict[str, bytes] = field(init=False, factory=dict, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        # Of two entries of one name, Dify reads the first.
        first = {file.path: file for file in reversed(self.files)}
        object.__setattr__(self, "_by_path", dict(sorted(first.items())))

    def __getitem__(self, path: str) -> bytes:
        """Read one file, once."""
        if path not in self._contents:
            self._contents[path] = self._by_path[path].read()
        return self._contents[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_path)

    def __len__(self) -> int:
        return len(self._by_path)

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes of each file."""
        return {path: file.size for path, file in self._by_path.items()}

    @property
    def size(self) -> int:
        """Bytes of all files, which is what the daemon limits."""
        return sum(file.size for file in self.files)

    def largest(self, count: int = 5) -> list[File]:
        """List the largest files."""
        return sorted(self.files, key=lambda file: -file.size)[:count]

    def on_disk(self, path: str) -> bytes | None:
        """Read a file that is packed or left out; ``None`` if there is none."""
        if path in self:
            return self[path]
        return next((gone.read() for gone in self.left_out if gone.path == path), None)

    def source(self, path: str) -> Path | None:
        """Return where the author has a file."""
        return self._by_path[path].source if path in self._by_path else None


@frozen(kw_only=True)
class Entry:
    """What lies in a folder.

    :param fault: why it cannot be packed.
    """

    name: str
    folder: bool = False
    size: int = 0
    source: Path | None = None
    outside: bool = False
    fault: str = ""
    read: Callable[[], bytes] = field(default=lambda: b"")


class Tree(Protocol):
    """Folders and files, on disk or in memory."""

    def entries(self, folder: str) -> Iterable[Entry]:
        """List a folder; ``""`` is the root, the path of any other ends with ``/``."""


def select(tree: Tree, where: Path, *, default: str = "") -> PluginFiles:
    """Decide what the daemon's packager packs.

    :param default: the ignore file, if the tree has none.
    :raises UnreadablePlugin: there is more than :mod:`xinfer.plugin.limits` allows.
    """
    ignore = _ignore_file(tree, where, default)
    files: list[File] = []
    left_out: list[Excluded] = []
    unpackable: list[Excluded] = []
    total = 0
    folders = [("", ignore.start)]
    while folders:
        folder, state = folders.pop()
        for entry in tree.entries(folder):
            path = f"{folder}{entry.name}/" if entry.folder else f"{folder}{entry.name}"
            line, below = ignore.enter(state, entry.name, folder=entry.folder)
            if line is not None:
                reason = f"line {line.number} of {ignore.name} ({line.text})"
                left_out.append(Excluded(path, reason, entry.read))
            elif entry.folder:
                folders.append((path, below))
            elif entry.fault:
                unpackable.append(Excluded(path, entry.fault))
            else:
                files.append(_file(path, entry))
                total += entry.size
                if len(files) > MAX_FILES or total > MAX_READ_BYTES:
                    raise UnreadablePlugin(_too_much(files, where))
    return PluginFiles(
        where=where,
        files=tuple(map(_as_packed, in_package_order(files))),
        left_out=tuple(sorted(left_out, key=lambda excluded: excluded.path)),
        unpackable=tuple(sorted(unpackable, key=lambda excluded: excluded.path)),
    )


def files_in_memory(
    tree: Mapping[str, bytes], where: Path, sources: Mapping[str, Path] | None = None
) -> PluginFiles:
    """Select from a tree that a build made.

    :param sources: where the author has the files that are carried over.
    """
    return select(_Memory(tree, sources or {}), where)


class _Memory:
    """A tree in memory."""

    def __init__(self, tree: Mapping[str, bytes], sources: Mapping[str, Path]) -> None:
        self._folders: dict[str, dict[str, Entry]] = {"": {}}
        for path, content in tree.items():
            folder = ""
            for name in PurePosixPath(path).parts[:-1]:
                self._folders[folder].setdefault(name, Entry(name=name, folder=True))
                folder += f"{name}/"
                self._folders.setdefault(folder, {})
            name = path.removeprefix(folder)
            self._folders[folder][name] = Entry(
                name=name,
                size=len(content),
                source=sources.get(path),
                read=lambda content=content: content,  # type: ignore[misc]
            )

    def entries(self, folder: str) -> Iterable[Entry]:
        return self._folders[folder].values()


def _ignore_file(tree: Tree, where: Path, default: str) -> IgnoreFile:
    at_root = {entry.name: entry for entry in tree.entries("")}
    for name in IGNORE_FILES:
        entry = at_root.get(name)
        if entry is not None and not entry.folder and not entry.fault:
            try:
                return IgnoreFile.parse(name, entry.read())
            except IgnoreFileTooLarge as error:
                raise UnreadablePlugin(f"{where}: {error}") from None
    return IgnoreFile.parse(IGNORE_FILES[0], default.encode())


def _file(path: str, entry: Entry) -> File:
    return File(
        path=path, size=entry.size, source=entry.source, outside=entry.outside, read=entry.read
    )


def in_package_order(files: Iterable[File]) -> tuple[File, ...]:
    """Sort files by the bytes of their whole paths."""
    return tuple(sorted(files, key=lambda file: os.fsencode(file.path)))


def _as_packed(file: File) -> File:
    """Return a file under its path in the package."""
    return evolve(file, path=file.path.replace("\\", "/")) if "\\" in file.path else file


def _too_much(files: list[File], where: Path) -> str:
    """Write the message for a folder that is too large."""
    sizes: dict[str, int] = {}
    for file in files:
        top = file.path.partition("/")[0]
        sizes[top] = sizes.get(top, 0) + file.size + 1
    largest = max(sizes, key=lambda name: sizes[name])
    return (
        f"{where} holds more than {MAX_FILES:,} files or {MAX_READ_BYTES // 2**20} MiB, most of it "
        f"in {largest}: leave out what does not belong to the plugin with a .difyignore."
    )
