"""The files of a plugin, in a folder or a package: names and sizes at once, contents when asked.

Whoever made them is not trusted: nothing outside is read, and nothing larger than a plugin can be.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from attrs import field, frozen
from pathspec import GitIgnoreSpec

MOST_FILES = 20_000
MOST_BYTES = 200 * 1024 * 1024
_LARGEST_FILE = 50 * 1024 * 1024
_IGNORED_BY_ALL = {".git", ".venv", "venv", "__pycache__", "node_modules", ".DS_Store"}
_LISTS = (".difyignore", ".gitignore")
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)
"""What reading an entry of a zip raises where it is damaged, encrypted or packed in a rare way."""


class UnreadablePlugin(Exception):
    """A folder or package that cannot be looked into; ``str`` says why, and what to do."""


@frozen
class PluginFiles(Mapping[str, bytes]):
    """Contents by path from the plugin's root.

    :param where: the folder or package, for messages.
    :param sizes: bytes of each file.
    :param entries: the names in a package as they stand there, its folders too.
    :param unread: folders on top that no plugin is made of, such as ``.git``.
    """

    where: Path
    sizes: Mapping[str, int]
    _read: Callable[[str], bytes]
    entries: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    _cache: dict[str, bytes] = field(factory=dict, init=False, repr=False)

    def __getitem__(self, path: str) -> bytes:
        """Read one file, once.

        :raises UnreadablePlugin: it is larger than any file of a plugin.
        """
        if path not in self._cache:
            if self.sizes[path] > _LARGEST_FILE:
                raise UnreadablePlugin(f"{path} in {self.where} is larger than a plugin can be.")
            self._cache[path] = self._read(path)
        return self._cache[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self.sizes)

    def __len__(self) -> int:
        return len(self.sizes)

    def packed(self) -> dict[str, int]:
        """List the files that would go into a package: all but those that an ignore file names.

        Like the daemon, this reads ``.difyignore`` or else ``.gitignore``, and knows no ``!``.
        """
        ignored = self._ignored()
        return {path: size for path, size in self.sizes.items() if not ignored.match_file(path)}

    def packed_unread(self) -> tuple[str, ...]:
        """List the folders that are not looked into, and would yet go into a package."""
        ignored = self._ignored()
        return tuple(name for name in self.unread if not ignored.match_file(f"{name}/x"))

    def _ignored(self) -> GitIgnoreSpec:
        found = next((name for name in _LISTS if name in self.sizes), None)
        text = self[found].decode(errors="replace") if found else ""
        return GitIgnoreSpec.from_lines(
            line for line in text.splitlines() if not line.startswith("!")
        )


def files_in_memory(where: Path, tree: Mapping[str, bytes]) -> PluginFiles:
    """Take what a build made for the files of a plugin."""
    sizes = {path: len(content) for path, content in tree.items()}
    return PluginFiles(where, sizes, lambda path: tree[path])


def plugin_files(path: Path) -> PluginFiles:
    """Open a folder or a ``.difypkg``.

    :raises UnreadablePlugin: it is neither, leads out of itself, or is too large.
    """
    if path.is_dir():
        return _of_folder(path)
    if path.is_file():
        return _of_package(path)
    raise UnreadablePlugin(f"There is no {path}: name a plugin's folder or a .difypkg.")


def _of_folder(folder: Path) -> PluginFiles:
    root = str(folder.resolve())
    sizes: dict[str, int] = {}
    total = 0
    for entry, path in _walk(str(folder), ""):
        if entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(root):
            raise UnreadablePlugin(f"{entry.path} is a link out of the plugin's folder: remove it.")
        sizes[path] = entry.stat().st_size
        total += sizes[path]
        if len(sizes) > MOST_FILES or total > MOST_BYTES:
            raise UnreadablePlugin(f"{folder} holds more than a plugin can: name the plugin's own.")
    unread = tuple(sorted(name for name in _IGNORED_BY_ALL if (folder / name).is_dir()))
    return PluginFiles(folder, sizes, lambda name: (folder / name).read_bytes(), unread=unread)


def _walk(folder: str, above: str) -> Iterator[tuple[os.DirEntry[str], str]]:
    """Yield the files below a folder with their paths, without following links to folders."""
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if entry.name in _IGNORED_BY_ALL:
            continue
        path = above + entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path, f"{path}/")
        elif entry.is_symlink() and not Path(entry.path).is_file():
            raise UnreadablePlugin(f"{entry.path} is a link that leads to no file: remove it.")
        elif entry.is_file():
            yield entry, path


def _of_package(path: Path) -> PluginFiles:
    try:
        package = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise UnreadablePlugin(f"{path} is not a .difypkg, which is a zip: {error}.") from None
    infos = package.infolist()
    if len(infos) > MOST_FILES or sum(info.file_size for info in infos) > MOST_BYTES:
        raise UnreadablePlugin(f"{path} unpacks to more than a plugin can hold.")
    inside = {info.filename: info for info in infos if not info.is_dir()}
    for name in inside:
        if ".." in PurePosixPath(name).parts or name.startswith("/"):
            raise UnreadablePlugin(f"{path} holds {name!r}, which leads out of the package.")

    def read(name: str) -> bytes:
        try:
            with package.open(inside[name]) as file:
                # A header may promise less than there is.
                content = file.read(_LARGEST_FILE + 1)
        except _BROKEN as error:
            raise UnreadablePlugin(f"{name} in {path} cannot be unpacked: {error}.") from None
        if len(content) > _LARGEST_FILE:
            raise UnreadablePlugin(f"{name} in {path} unpacks to more than a plugin can hold.")
        return content

    sizes = {name: info.file_size for name, info in inside.items()}
    return PluginFiles(path, sizes, read, tuple(info.filename for info in infos))
