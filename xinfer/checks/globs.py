"""The patterns by which a provider names its model files, and what they match."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from attrs import frozen

from xinfer.spec import MODEL_FOLDERS, Provider

_POSITION = "_position.yaml"


@frozen
class Glob:
    """A pattern of the provider's.

    :ivar folder: the model type's key under ``models``.
    :ivar at: where the provider declares it.
    """

    folder: str
    at: str
    pattern: str

    def matched(self, paths: Iterable[str]) -> Iterator[str]:
        """Yield the paths that it matches, but for lists of positions.

        As the SDK's glob does: ``**`` stands for any folders, the rest within one name.
        """
        parts = PurePosixPath(self.pattern).parts
        for path in paths:
            if not path.endswith(_POSITION) and _matches(tuple(path.split("/")), parts):
                yield path


def globs(provider: Provider) -> Iterator[Glob]:
    """Yield the patterns in the order in which Dify reads them."""
    for folder in MODEL_FOLDERS.values():
        files = getattr(provider.models, folder, None)
        for index, pattern in enumerate(files.predefined if files else ()):
            yield Glob(folder, f"models.{folder}.predefined[{index}]", pattern)


def _matches(path: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    if not pattern:
        return not path
    if pattern[0] == "**":
        return any(_matches(path[start:], pattern[1:]) for start in range(len(path) + 1))
    return bool(path) and fnmatchcase(path[0], pattern[0]) and _matches(path[1:], pattern[1:])
