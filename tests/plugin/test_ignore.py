"""The ignore language: one line against one path, and work that grows with names alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinfer.plugin.ignore import MAX_BYTES, MAX_LINES, IgnoreFile, IgnoreFileTooLarge


def excludes(lines, path, *, folder=False):
    """Walk down a path as the packager does; return the line that leaves it out."""
    ignore = IgnoreFile.parse(".difyignore", lines.encode(errors="surrogateescape"))
    state = ignore.start
    names = path.split("/")
    for depth, name in enumerate(names, 1):
        line, state = ignore.enter(state, name, folder=folder or depth < len(names))
        if line:
            return line.text
    return None


@pytest.mark.parametrize(
    ("pattern", "out", "packed"),
    [
        ("a", "a x/a a/b", "ab ba A"),
        ("/a", "a a/b", "x/a"),
        ("//a", "a", "x/a"),
        ("a/b", "a/b a/b/c", "x/a/b a b"),
        ("a//b", "a/b", "b"),
        ("a/**", "a a/b a/b/c", "x/a"),
        ("a/**/**", "a a/b", "x/a"),
        ("**/a", "a x/a x/y/a", "ab"),
        ("**//a", "a", "x/a"),
        ("**/a/b", "a/b x/a/b", "a/a/b"),
        ("a/**/c", "a/c a/b/c a/b/b/c", "c a"),
        ("**", "a a/b", ""),
        ("/**", "", "a a/b"),
        ("/", "", "a"),
        ("!a", "", "a"),
        ("\\!a", "!a", "a"),
        ("./a", "", "a"),
        ("a/b**", "", "a/b a/bc"),
        ("b**", "b bc", "ab"),
        ("*.py", ".py a.py x/a.py", "py a.pyc"),
        ("a*b*c", "abc axbxc abbcc", "ab acb abcd"),
        ("?", "a é 模", "ab"),
        ("[a-c]", "a b c", "d -"),
        ("[^a]", "b ^", "a"),
        ("[!a]", "! a", "b"),
        ("[]a]", "", "] a"),
        ("[a-]", "", "a -"),
        ("[z-a]", "", "a z m"),
        ("[a", "", "a [a"),
        ("a\\", "", "a a\\"),
        ("[\\]]", "]", "\\"),
        ("[[:digit:]]", ":] d] [] i]", "1 d"),
        (" a\xa0", "a", "a\xa0"),
        ("a b", "", "a b"),
        ("[\udce9]", "", "\udce9 \ufffd"),
        ("caf\udce9", "caf\udce9", "café"),
        ("[\ufffd]", "\udce9", "é"),
    ],
)
def test_patterns(pattern, out, packed):
    assert [path for path in filter(None, out.split(" ")) if excludes(pattern, path) is None] == []
    assert [path for path in filter(None, packed.split(" ")) if excludes(pattern, path)] == []


def test_a_slash_at_the_end_means_folders():
    assert excludes("a/", "a", folder=True) == "a/"
    assert excludes("a/", "a") is None
    assert excludes("x/a/", "x/a", folder=True)
    assert excludes("a/**/", "a", folder=True)
    assert excludes("a/**/", "a") is None
    assert excludes("x//", "y/x", folder=True) is None
    assert excludes("**/", "a", folder=True)


def test_the_first_line_that_matches_decides():
    lines = "# a.txt\n\n!a.txt\n  *.log\n*.txt\na.txt\n"
    assert excludes(lines, "a.txt") == "*.txt"
    assert excludes(lines, "b/a.log") == "*.log"


class CountedName(str):
    """A name that counts how often its characters are looked at."""

    steps = 0

    def __iter__(self):
        for character in str.__iter__(self):
            type(self).steps += 1
            yield character


HOSTILE = [
    "*a" * 200 + "b",
    "**/a/" * 20 + "b",
    "?*" * 100,
    "[a-z]*" * 60,
    "\n".join(["*a*"] * 900),
]


@pytest.mark.parametrize("pattern", HOSTILE)
def test_every_character_is_one_step(pattern):
    ignore = IgnoreFile.parse("x", pattern.encode())
    for length in (200, 2000):
        CountedName.steps = 0
        ignore.enter(ignore.start, CountedName("a" * length), folder=False)
        assert CountedName.steps == length


def glob_match(pattern, name):
    """Match a pattern of stars, marks and letters the plain way, which takes time."""
    if not pattern:
        return not name
    if pattern[0] == "*":
        return any(glob_match(pattern[1:], name[skip:]) for skip in range(len(name) + 1))
    return bool(name) and pattern[0] in ("?", name[0]) and glob_match(pattern[1:], name[1:])


@given(st.lists(st.text("ab*?", min_size=1, max_size=6), min_size=1), st.text("ab", min_size=1))
def test_all_lines_at_once_are_each_line_alone(patterns, name):
    expected = next((pattern for pattern in patterns if glob_match(pattern, name)), None)
    assert excludes("\n".join(patterns), name) == expected


@pytest.mark.parametrize("content", [b"a" * (MAX_BYTES + 1), b"a\n" * MAX_LINES])
def test_an_ignore_file_that_is_too_large(content):
    with pytest.raises(IgnoreFileTooLarge, match="16 KiB or has more than 1,000 lines: shorten"):
        IgnoreFile.parse("x", content)
    IgnoreFile.parse("x", content[:-2])


@given(st.binary(max_size=300), st.lists(st.text(min_size=1), min_size=1, max_size=4))
def test_any_bytes_are_an_ignore_file(content, names):
    ignore = IgnoreFile.parse("x", content)
    state = ignore.start
    for name in names:
        _, state = ignore.enter(state, name, folder=True)
