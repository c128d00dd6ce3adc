"""The comments in the files that an author edits; a ``#`` in a value is not one."""

from __future__ import annotations

import io
import re
import tokenize
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath

from attrs import frozen

from xinfer.plugin.texts import decoded
from xinfer.yaml import DocumentError, comments_in, compose

MAX_BYTES = 1024 * 1024
"""Larger files are not searched."""
_TOML = re.compile(
    r'"""(?:[^\\]|\\.)*?"""|' r"'''.*?'''|" r'"(?:[^"\\\n]|\\.)*"|' r"'[^'\n]*'|(#[^\n]*)",
    re.DOTALL,
)
_REQUIREMENT = re.compile(r"(?:^|(?<=\s))(#.*)$", re.MULTILINE)


@frozen
class Comment:
    """One comment, from its ``#`` to the end of the line.

    :param column: of the ``#``, in characters from 1; ``line`` likewise.
    :param alone: whether it stands on a line of its own.
    """

    line: int
    column: int
    text: str
    alone: bool


def comments_of(path: str, content: bytes) -> tuple[Comment, ...] | None:
    """Read the comments of a file of Python, YAML, TOML or requirements.

    ``None`` if the file is of another kind, or what it holds cannot be read.
    """
    find = _kind(path)
    if find is None or len(content) > MAX_BYTES:
        return None
    try:
        return tuple(find(decoded(path, content.removeprefix(BOM_UTF8))))
    except DocumentError:
        return None


def _of_python(text: str) -> Iterator[Comment]:
    """Yield the comments as far as the text is Python."""
    lines = text.split("\n")
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                line, column = token.start
                alone = not lines[line - 1][:column].strip()
                yield Comment(line, column + 1, token.string.rstrip(), alone)
    except (tokenize.TokenError, SyntaxError, ValueError):
        return


def _of_yaml(text: str) -> Iterator[Comment]:
    return _from_matches(text, (m.start() for m in comments_in(text, compose(text.encode(), ""))))


def _of_toml(text: str) -> Iterator[Comment]:
    return _from_matches(text, (m.start(1) for m in _TOML.finditer(text) if m[1]))


def _of_requirements(text: str) -> Iterator[Comment]:
    return _from_matches(text, (m.start(1) for m in _REQUIREMENT.finditer(text)))


def _from_matches(text: str, starts: Iterator[int]) -> Iterator[Comment]:
    line, begin = 1, 0
    for start in starts:
        line += text.count("\n", begin, start)
        begin = text.rfind("\n", begin, start) + 1 or begin
        end = text.find("\n", start)
        comment = text[start : end if end >= 0 else len(text)].rstrip()
        yield Comment(line, start - begin + 1, comment, not text[begin:start].strip())


type _Finder = Callable[[str], Iterator[Comment]]

_FINDERS: Mapping[str, _Finder] = {
    ".py": _of_python,
    ".yaml": _of_yaml,
    ".yml": _of_yaml,
    ".toml": _of_toml,
}


def _kind(path: str) -> _Finder | None:
    pure = PurePosixPath(path)
    return _of_requirements if pure.name == "requirements.txt" else _FINDERS.get(pure.suffix)
