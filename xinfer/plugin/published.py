"""The versions of plugins that the marketplace has: a checkout of its repository, or a list."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from xinfer.plugin.limits import UnreadablePlugin

_MAX_LIST_BYTES = 16 * 1024 * 1024
_LINE = re.compile(r"(?P<author>[^/\s]+)/(?P<name>[^:\s]+):(?P<version>[^@\s]+)(@[0-9a-f]{64})?")


def published_versions(path: Path) -> frozenset[str]:
    """Read which versions are published, each as ``author/name:version``.

    :param path: a checkout of the marketplace's repository, which holds
        ``author/name/name-version.difypkg``; or a text file with an identifier on each line.
    :raises UnreadablePlugin: it is neither.
    """
    if path.is_dir():
        return frozenset(_in_checkout(path))
    try:
        if path.stat().st_size > _MAX_LIST_BYTES:
            raise UnreadablePlugin(f"{path} is too large for a list of versions.")
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise UnreadablePlugin(
            f"{path} cannot be read: name a text file, or a checkout of the marketplace."
        ) from None
    return frozenset(_in_list(path, text))


def _in_checkout(folder: Path) -> Iterator[str]:
    for package in folder.glob("*/*/*.difypkg"):
        *_, author, name = package.parent.parts
        if package.stem.startswith(f"{name}-"):
            yield f"{author}/{name}:{package.stem.removeprefix(f'{name}-')}"


def _in_list(path: Path, text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        entry = line.partition("#")[0].strip()
        if match := _LINE.fullmatch(entry):
            yield f"{match['author']}/{match['name']}:{match['version']}"
        elif entry:
            raise UnreadablePlugin(
                f"Line {number} of {path} is not of the form author/name:version: correct it."
            )
