"""The patterns by which a provider names its model files, and what they match."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from attrs import frozen

from xinfer.spec import Provider
from xinfer.spec.project import MODEL_FOLDERS

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
            if not path.endswith(_POSITION) and _matches(path.split("/"), parts):
                yield path


def globs(provider: Provider) -> Iterator[Glob]:
    """Yield the patterns in the order in which Dify reads them."""
    for folder in MODEL_FOLDERS.values():
        files = getattr(provider.models, folder, None)
        for index, pattern in enumerate(files.predefined if files else ()):
            yield Glob(folder, f"models.{folder}.predefined[{index}]", pattern)


def _matches(path: Sequence[str], pattern: Sequence[str]) -> bool:
    reached = {0}  # how much of the path the pattern may have covered so far
    for part in pattern:
        if part == "**" and reached:
            reached = set(range(min(reached), len(path) + 1))
        else:
            reached = {at + 1 for at in reached if at < len(path) and fnmatchcase(path[at], part)}
    return len(path) in reached
