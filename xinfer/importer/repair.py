"""Mend the mistakes in YAML that have one right answer; comments and layout stay as they are.

Each mend is an edit of a few characters at the place of the mistake: quotes around a number that
must be a text, a key's or a word's spelling, ``required`` where nobody said it, an empty list,
a time in a form that Go reads.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path

from attrs import frozen
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from xinfer.plugin.limits import UnreadablePlugin
from xinfer.plugin.reading import MANIFEST, Reading, plugin_files, read
from xinfer.plugin.writer import write_file
from xinfer.schema import Choice, ListOf, Object, Scalar, Type, in_yaml, yaml_fields
from xinfer.spec import RFC3339, Declaration, FormField, Manifest, Model, Provider
from xinfer.yaml import DocumentError, compose

_MOST_PASSES = 6
"""A mended manifest names the provider, a mended provider the models: each needs another look."""
_NO_TEXT = frozenset({"int", "float", "bool", "timestamp"})


@frozen
class Repair:
    """One edit of a file: the text from ``start`` to ``end`` becomes ``text``."""

    file: str
    line: int
    message: str
    start: int
    end: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


def repair(folder: Path) -> tuple[Repair, ...]:
    """Mend the YAML of a plugin's folder, each file whole or not at all.

    :raises UnreadablePlugin: it is no folder, or cannot be looked into.
    """
    if not folder.is_dir():
        raise UnreadablePlugin(f"{folder} is not a folder; only YAML in a folder can be mended.")
    made: list[Repair] = []
    for _ in range(_MOST_PASSES):
        files = plugin_files(folder)
        found = 0
        for path, kind in _kinds(read(files)).items():
            repairs = repairs_of(files[path], kind, path) if path in files else ()
            if repairs:
                mended = apply(_text(files[path]), repairs).encode()
                if not _readable(mended, path):
                    continue  # an edit went wrong: the file stays as it is
                mark = BOM_UTF8 if files[path].startswith(BOM_UTF8) else b""
                write_file(folder / path, mark + mended)
                found += len(repairs)
                made += repairs
        if not found:
            break
    return tuple(made)


def repairs_of(raw: bytes, kind: type[Declaration], file: str) -> tuple[Repair, ...]:
    """Find what can be mended in one file; nothing in one that cannot be parsed."""
    raw = raw.removeprefix(BOM_UTF8)
    try:
        root = compose(raw, file)
    except DocumentError:
        return ()
    mender = _Mender(file, raw.decode())
    # A value behind an alias is met twice, and stands in the text once.
    found = {one.start: one for one in mender.of(root, Object(kind))}
    return tuple(found[start] for start in sorted(found))


def _text(raw: bytes) -> str:
    return raw.removeprefix(BOM_UTF8).decode()


def _readable(raw: bytes, file: str) -> bool:
    try:
        compose(raw, file)
    except DocumentError:
        return False
    return True


def apply(text: str, repairs: tuple[Repair, ...]) -> str:
    """Make the edits, from the end on so that the places of the others stay."""
    for one in sorted(repairs, key=lambda one: one.start, reverse=True):
        text = text[: one.start] + one.text + text[one.end :]
    return text


def _kinds(reading: Reading) -> dict[str, type[Declaration]]:
    kinds: dict[str, type[Declaration]] = {MANIFEST: Manifest}
    if reading.provider_file:
        kinds[reading.provider_file] = Provider
    return kinds | dict.fromkeys(reading.model_paths, Model)


@frozen
class _Mender:
    """Walks the nodes of a file along the classes that declare it."""

    file: str
    source: str

    def of(self, node: Node, of: Type) -> Iterator[Repair]:
        """Mend a value that must be of a class, a list of something, a word or a text."""
        match in_yaml(of), node:
            case (ListOf(item=item),), SequenceNode():
                for inner in node.value:
                    yield from self.of(inner, item)
            case (Object(kind=kind),), MappingNode():
                yield from self._mapping(node, kind)
            case (Scalar(kind=kind),), ScalarNode() if kind is str:
                yield from self._quoted(node)
            case (Choice(enumeration=words),), ScalarNode() if words:
                yield from self._spelled(node, words)

    def _mapping(self, node: MappingNode, kind: type[Declaration]) -> Iterator[Repair]:
        fields = yaml_fields(kind)
        said = {key.value for key, _ in node.value if isinstance(key, ScalarNode)}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                continue
            field = fields.get(key.value)
            if field is None:
                meant = _meant(key.value, [name for name in fields if name not in said])
                if meant and self._is_plain(key):
                    yield self._edit(key, meant, f"{key.value} is spelled {meant}")
            elif (special := _SPECIAL.get((kind, key.value))) is not None:
                yield from special(self, value)
            elif _is_null(value) and isinstance(field.default, tuple) and not field.reads_null:
                yield self._empty_list(key, value)
            else:
                yield from self.of(value, field.type)
        if kind is FormField and "required" not in said and "type" in said:
            yield from self._required(node)

    def _quoted(self, node: ScalarNode) -> Iterator[Repair]:
        if _short(node.tag) in _NO_TEXT and self._is_plain(node):
            text = self._slice(node)
            yield self._edit(node, f'"{text}"', f"{text} must be a text: put in quotes")

    def _spelled(self, node: ScalarNode, words: type[StrEnum]) -> Iterator[Repair]:
        meant = [word for word in words if _same(word) == _same(node.value)]
        if len(meant) == 1 and meant[0] != node.value and self._is_plain(node):
            yield self._edit(node, str(meant[0]), f"{node.value} is spelled {meant[0]}")

    def _empty_list(self, key: ScalarNode, value: Node) -> Repair:
        message = f"{key.value} has no value: an empty list"
        if value.start_mark.index < value.end_mark.index:
            return self._edit(value, "[]", message)
        colon = self.source.index(":", key.end_mark.index) + 1
        return Repair(self.file, key.start_mark.line + 1, message, colon, colon, " []")

    def _required(self, node: MappingNode) -> Iterator[Repair]:
        key, value = next(pair for pair in node.value if pair[0].value == "type")
        message = "required is not said: false, as Dify's form takes it"
        line, end = key.start_mark.line + 1, value.end_mark.index
        if node.flow_style:
            yield Repair(self.file, line, message, end, end, ", required: false")
        elif self._is_plain(value) or value.style in ("'", '"'):
            line_end = self.source.find("\n", end)
            at = line_end if line_end >= 0 else len(self.source)
            newline = "\n"
            if self.source[at - 1 : at] == "\r":
                at, newline = at - 1, "\r\n"
            indent = " " * key.start_mark.column
            yield Repair(self.file, line, message, at, at, f"{newline}{indent}required: false")

    def _time(self, node: Node) -> Iterator[Repair]:
        if not isinstance(node, ScalarNode) or RFC3339.fullmatch(node.value):
            return
        quoted = node.style in ("'", '"')
        zoned = re.search(r"\d\s*[+-]\d\d:?\d*$|Z$", node.value)
        if not quoted and not (zoned and " " in node.value):
            return  # Go's YAML reads these as it does RFC 3339
        try:
            moment = datetime.fromisoformat(re.sub(r"\s+(?=[+-]\d)", "", node.value.strip()))
        except ValueError:
            return
        text = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()
        text = text.replace("+00:00", "Z")
        yield self._edit(node, text, f"{node.value} is written {text}, as Go reads it")

    def _edit(self, node: Node, text: str, message: str) -> Repair:
        start, end = node.start_mark.index, node.end_mark.index
        return Repair(self.file, node.start_mark.line + 1, message, start, end, text)

    def _is_plain(self, node: Node) -> bool:
        """Tell whether a value stands in the text as it is, so that an edit cannot go wrong."""
        return isinstance(node, ScalarNode) and self._slice(node) == node.value

    def _slice(self, node: Node) -> str:
        return self.source[node.start_mark.index : node.end_mark.index]


type _Special = Callable[[_Mender, Node], Iterator[Repair]]

_SPECIAL: Mapping[tuple[type[Declaration], str], _Special] = {
    (Manifest, "created_at"): _Mender._time,  # noqa: SLF001
}


def _is_null(node: Node) -> bool:
    return isinstance(node, ScalarNode) and _short(node.tag) == "null"


def _short(tag: object) -> str:
    return str(tag).rpartition(":")[2]


def _same(word: str) -> str:
    return word.lower().replace("-", "_")


def _meant(key: str, known: list[str]) -> str | None:
    """Guess a key by its spelling; nothing where two are as near, or none is near enough."""
    alike = [name for name in known if _same(name) == _same(key)]
    near = alike or get_close_matches(key, known, n=2, cutoff=0.85)
    return near[0] if len(near) == 1 else None
