"""The ignore file of a plugin: which paths the daemon's packager leaves out.

The language looks like git's and is not. Lines are cut at LF and stripped; the first line that
matches decides; ``!`` has no effect; a folder is matched before what lies in it.

All lines are matched at once: each place in each pattern is a bit, and a character of a name, or a
segment of a path, moves all of them in a few operations on one integer. The number of steps is the
length of the names, whatever the patterns are.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field, frozen

IGNORE_FILES = (".difyignore", ".gitignore")
"""The first of these that exists is the ignore file; they are never merged."""

MAX_BYTES = 16 * 1024
MAX_LINES = 1000
"""A larger ignore file is not read. The longest of the 70 official plugins has 178 lines."""

DEFAULT_IGNORE = """\
.xinfer.json
.git/
.venv/
venv/
node_modules/
__pycache__/
*.pyc
.mypy_cache/
.pytest_cache/
.ruff_cache/
.idea/
.vscode/
.DS_Store
*.difypkg
"""
"""The ignore file of plugins without one: Dify's packager leaves out nothing by itself."""

_SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""What Go's ``strings.TrimSpace`` removes; ``str.strip`` removes more."""


class IgnoreFileTooLarge(Exception):
    """An ignore file exceeds :data:`MAX_BYTES` or :data:`MAX_LINES`."""


@frozen
class Line:
    """A line of an ignore file, without the space around it."""

    number: int
    text: str


@define
class IgnoreFile:
    """An ignore file, ready to match; without lines it leaves nothing out.

    Walk down from :attr:`start` with :meth:`enter`. A state is a set of bits: how far each line
    has matched the folders entered so far.
    """

    name: str
    start: int = 0
    _names: _NamePatterns = field(factory=lambda: _NamePatterns(), repr=False)
    _lines: dict[int, Line] = field(factory=dict, repr=False)
    _floating: int = field(default=0, repr=False)
    _skipping: int = field(default=0, repr=False)
    _ends: int = field(default=0, repr=False)
    _ends_at_folders: int = field(default=0, repr=False)

    @classmethod
    def parse(cls, name: str, content: bytes) -> IgnoreFile:
        """Compile an ignore file.

        :raises IgnoreFileTooLarge: it is too large.
        """
        if len(content) > MAX_BYTES or content.count(b"\n") >= MAX_LINES:
            limit = f"{MAX_BYTES // 1024} KiB or has more than {MAX_LINES:,} lines"
            raise IgnoreFileTooLarge(f"{name} is larger than {limit}: shorten it.")
        compiled = cls(name)
        text = content.decode(errors="surrogateescape")
        for number, raw in enumerate(text.split("\n"), 1):
            line = Line(number, raw.strip(_SPACES))
            if line.text and not line.text.startswith(("#", "!")):
                compiled._add(line)
        return compiled

    def enter(self, state: int, name: str, *, folder: bool) -> tuple[Line | None, int]:
        """Match the next segment of a path.

        :param name: the segment; undecodable bytes are lone surrogates, as in ``os.fsdecode``.
        :param folder: whether it is a folder; a link to a folder is not.
        :return: the line that leaves it out, if any, and the state for what lies in it.
        """
        hits = self._names.matching(name)
        reached = (state & hits) << 1
        ended = reached & (self._ends if folder else self._ends & ~self._ends_at_folders)
        if ended:
            return self._lines[(ended & -ended).bit_length() - 1], state
        return None, reached | (state & self._skipping & ~hits) | self._floating

    def _add(self, line: Line) -> None:
        pattern = line.text.removesuffix("/")
        segments, skips = _segments(pattern) if "/" in pattern else ([pattern], set())
        tokens = [_tokens(segment) for segment in segments]
        if not segments or None in tokens:
            return  # matches nothing
        first = max(self._lines, default=-1) + 1
        for index, (segment, parsed) in enumerate(zip(segments, tokens, strict=True)):
            self._names.add(segment, parsed or [], 1 << (first + index))
        end = first + len(segments)
        self._lines[end] = line
        self._ends |= 1 << end
        self._ends_at_folders |= line.text.endswith("/") << end
        self._skipping |= sum(1 << (first + index) for index in skips)
        self._floating |= ("/" not in pattern) << first
        self.start |= 1 << first


def _segments(pattern: str) -> tuple[list[str], set[int]]:
    """Split an anchored pattern; return its segments, and those that ``**`` stands before.

    ``**`` at the end adds nothing: what lies below a match is left out anyway.
    """
    segments: list[str] = []
    skips: set[int] = set()
    for segment in pattern.split("/"):
        if segment == "**":
            skips.add(len(segments))
        elif not segment:
            skips.discard(len(segments))
        elif "**" in segment:
            return [], set()
        else:
            segments.append(segment)
    return segments, skips - {len(segments)}


_STAR = None
type _Token = str | Callable[[str], bool] | None
"""A character, a test of one, or :data:`_STAR` for any number of any."""


def _tokens(pattern: str) -> list[_Token] | None:
    """Read a pattern for one segment as Go's ``filepath.Match`` does; ``None`` if malformed."""
    tokens: list[_Token] = []
    rest = pattern
    while rest:
        character, rest = rest[0], rest[1:]
        if character == "*":
            tokens.append(_STAR)
        elif character == "?":
            tokens.append(lambda _: True)
        elif character == "[":
            parsed = _character_class(rest)
            if parsed is None:
                return None
            test, rest = parsed
            tokens.append(test)
        elif character == "\\":
            if not rest:
                return None
            tokens.append(rest[0])
            rest = rest[1:]
        else:
            tokens.append(character)
    return tokens


def _character_class(rest: str) -> tuple[Callable[[str], bool], str] | None:
    """Read what follows ``[``; return the test and what follows ``]``, or ``None``."""
    negated = rest.startswith("^")
    rest = rest[negated:]
    ranges: list[tuple[str, str]] = []
    while not (ranges and rest.startswith("]")):
        low, rest = _class_member(rest)
        high = low
        if low and rest.startswith("-"):
            high, rest = _class_member(rest[1:])
        if not high or not rest:
            return None
        ranges.append((low, high))

    def test(character: str) -> bool:
        # Go reads a byte that is not UTF-8 as U+FFFD.
        character = "\ufffd" if is_undecodable(character) else character
        return negated != any(low <= character <= high for low, high in ranges)

    return test, rest[1:]


def _class_member(rest: str) -> tuple[str, str]:
    """Return the next character of a class, empty if there is none, and what follows."""
    if rest.startswith(("-", "]")):
        return "", rest
    rest = rest.removeprefix("\\")
    return ("" if is_undecodable(rest[:1]) else rest[:1]), rest[1:]


def is_undecodable(character: str) -> bool:
    """Return whether a character stands for a byte that is not UTF-8, as in ``os.fsdecode``."""
    return "\udc80" <= character <= "\udcff"


@define
class _NamePatterns:
    """Patterns of single segments, matched against a name all at once."""

    _start: int = 0
    _stars: int = 0
    _ends: int = 0
    _size: int = 0
    _marks: dict[int, int] = field(factory=dict)
    _end_of: dict[str, int] = field(factory=dict)
    _literals: dict[str, int] = field(factory=dict)
    _tests: list[tuple[int, Callable[[str], bool]]] = field(factory=list)
    _moves: dict[str, int] = field(factory=dict)

    def add(self, pattern: str, tokens: list[_Token], mark: int) -> None:
        """Add a pattern; :meth:`matching` returns its mark for the names that it matches."""
        if pattern not in self._end_of:
            self._end_of[pattern] = self._compile(tokens)
        end = self._end_of[pattern]
        self._marks[end] = self._marks.get(end, 0) | mark

    def matching(self, name: str) -> int:
        """Unite the marks of the patterns that match a name, in a step for each character."""
        state = self._start
        for character in name:
            state = ((state & self._move(character)) << 1) | (state & self._stars)
        marks, ended = 0, state & self._ends
        while ended:
            last = ended & -ended
            marks |= self._marks[last.bit_length() - 1]
            ended ^= last
        return marks

    def _compile(self, tokens: list[_Token]) -> int:
        """Lay out a pattern in the bits that are free; return the last of them."""
        self._start |= 1 << self._size
        for token in tokens:
            bit = 1 << self._size
            if token is _STAR:
                self._stars |= bit
                continue
            if isinstance(token, str):
                self._literals[token] = self._literals.get(token, 0) | bit
            else:
                self._tests.append((bit, token))
            self._size += 1
        end = self._size
        self._ends |= 1 << end
        self._size += 1
        return end

    def _move(self, character: str) -> int:
        """Return the places that a character matches."""
        if character not in self._moves:
            bits = self._literals.get(character, 0)
            for bit, test in self._tests:
                bits |= bit if test(character) else 0
            self._moves[character] = bits
        return self._moves[character]
