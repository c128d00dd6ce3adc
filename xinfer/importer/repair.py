"""Fix what has one right answer in a plugin's files; comments and layout stay as they are.

A fix is an edit of a few characters at the place of the mistake: quotes around a number that must
be a string, the spelling of a key or a word, a ``required`` that is missing, an empty list, a time
in a form that Go reads. In Python it is a name that the SDK has changed.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path

from attrs import frozen
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from xinfer.importer.edits import Edit, apply
from xinfer.importer.renames import renames
from xinfer.plugin.limits import UnreadablePlugin
from xinfer.plugin.plugin import MANIFEST, Plugin
from xinfer.plugin.read import read_plugin
from xinfer.plugin.writer import write_file
from xinfer.schema import Choice, ListOf, Object, Scalar, Type, in_yaml, yaml_fields
from xinfer.spec import FormField, Manifest, Model, Provider
from xinfer.spec.declaration import Declaration
from xinfer.spec.manifest import RFC3339
from xinfer.yaml import DocumentError, compose

_MOST_PASSES = 6
"""A fixed manifest names the provider, and a fixed provider the models: each needs another pass."""
_NO_TEXT = frozenset({"int", "float", "bool", "timestamp"})


def repair(folder: Path) -> tuple[Edit, ...]:
    """Fix the YAML and the Python in a plugin's folder; each file is written whole or not at all.

    :raises UnreadablePlugin: it is not a folder, or cannot be read.
    """
    if not folder.is_dir():
        raise UnreadablePlugin(f"{folder} is not a folder. --fix edits the files of a folder.")
    applied: list[Edit] = []
    for _ in range(_MOST_PASSES):
        plugin = read_plugin(folder)
        files, before = plugin.files, len(applied)
        for path, kind in _kinds(plugin).items():
            edits = edits_of(files[path], kind, path) if path in files else ()
            if edits:
                fixed = apply(_text(files[path]), edits).encode()
                if not _is_yaml(fixed, path):
                    continue
                mark = BOM_UTF8 if files[path].startswith(BOM_UTF8) else b""
                write_file(folder / path, mark + fixed)
                applied += edits
        if len(applied) == before:
            break
    return (*applied, *_rename(folder))


def _rename(folder: Path) -> Iterator[Edit]:
    """Rewrite the Python that the SDK has other names for."""
    plugin = read_plugin(folder)
    for path, edits in renames(plugin):
        content = plugin.files[path]
        mark = BOM_UTF8 if content.startswith(BOM_UTF8) else b""
        write_file(folder / path, mark + apply(_text(content), edits).encode())
        yield from edits


def edits_of(raw: bytes, kind: type[Declaration], file: str) -> tuple[Edit, ...]:
    """Find what can be fixed in a YAML file; empty if it is not YAML."""
    raw = raw.removeprefix(BOM_UTF8)
    try:
        root = compose(raw, file)
    except DocumentError:
        return ()
    fixer = _Fixer(file, raw.decode())
    # A value behind an alias is met twice, and stands in the text once.
    edits = {edit.start: edit for edit in fixer.edits(root, Object(kind))}
    return tuple(edits[start] for start in sorted(edits))


def _text(raw: bytes) -> str:
    return raw.removeprefix(BOM_UTF8).decode()


def _is_yaml(raw: bytes, file: str) -> bool:
    try:
        compose(raw, file)
    except DocumentError:
        return False
    return True


def _kinds(reading: Plugin) -> dict[str, type[Declaration]]:
    kinds: dict[str, type[Declaration]] = {MANIFEST: Manifest}
    if reading.provider_file:
        kinds[reading.provider_file] = Provider
    return kinds | dict.fromkeys(reading.model_paths, Model)


@frozen
class _Fixer:
    """Walks the nodes of a file along the classes that declare it."""

    file: str
    source: str

    def edits(self, node: Node, of: Type) -> Iterator[Edit]:
        """Find the fixes of a value that must be of a type."""
        match in_yaml(of), node:
            case (ListOf(item=item),), SequenceNode():
                for inner in node.value:
                    yield from self.edits(inner, item)
            case (Object(kind=kind),), MappingNode():
                yield from self._mapping(node, kind)
            case (Scalar(kind=kind),), ScalarNode() if kind is str:
                yield from self._quoted(node)
            case (Choice(enumeration=words),), ScalarNode() if words:
                yield from self._spelled(node, words)

    def _mapping(self, node: MappingNode, kind: type[Declaration]) -> Iterator[Edit]:
        fields = yaml_fields(kind)
        present = {key.value for key, _ in node.value if isinstance(key, ScalarNode)}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                continue
            field = fields.get(key.value)
            if field is None:
                near = _near(key.value, [name for name in fields if name not in present])
                if near and self._is_plain(key):
                    yield self._edit(key, near, f"renamed the key {key.value} to {near}")
            elif (special := _SPECIAL.get((kind, key.value))) is not None:
                yield from special(self, value)
            elif _is_null(value) and isinstance(field.default, tuple) and not field.reads_null:
                yield self._empty_list(key, value)
            else:
                yield from self.edits(value, field.type)
        if kind is FormField and "required" not in present and "type" in present:
            yield from self._required(node)

    def _quoted(self, node: ScalarNode) -> Iterator[Edit]:
        if _short(node.tag) in _NO_TEXT and self._is_plain(node):
            text = self._slice(node)
            yield self._edit(node, f'"{text}"', f"quoted {text}, which must be a string")

    def _spelled(self, node: ScalarNode, words: type[StrEnum]) -> Iterator[Edit]:
        same = [word for word in words if _folded(word) == _folded(node.value)]
        if len(same) == 1 and same[0] != node.value and self._is_plain(node):
            yield self._edit(node, str(same[0]), f"replaced {node.value} with {same[0]}")

    def _empty_list(self, key: ScalarNode, value: Node) -> Edit:
        message = f"wrote an empty list for {key.value}, which had no value"
        if value.start_mark.index < value.end_mark.index:
            return self._edit(value, "[]", message)
        colon = self.source.index(":", key.end_mark.index) + 1
        return Edit(self.file, key.start_mark.line + 1, message, colon, colon, " []")

    def _required(self, node: MappingNode) -> Iterator[Edit]:
        key, value = next(pair for pair in node.value if pair[0].value == "type")
        message = "added required: false, as Dify's form reads its absence"
        line, end = key.start_mark.line + 1, value.end_mark.index
        if node.flow_style:
            yield Edit(self.file, line, message, end, end, ", required: false")
        elif self._is_plain(value) or value.style in ("'", '"'):
            line_end = self.source.find("\n", end)
            at = line_end if line_end >= 0 else len(self.source)
            newline = "\n"
            if self.source[at - 1 : at] == "\r":
                at, newline = at - 1, "\r\n"
            indent = " " * key.start_mark.column
            yield Edit(self.file, line, message, at, at, f"{newline}{indent}required: false")

    def _time(self, node: Node) -> Iterator[Edit]:
        if not isinstance(node, ScalarNode) or RFC3339.fullmatch(node.value):
            return
        quoted = node.style in ("'", '"')
        zoned = re.search(r"\d\s*[+-]\d\d:?\d*$|Z$", node.value)
        if not quoted and not (zoned and " " in node.value):
            return  # Go's YAML reads these as it does RFC 3339
        if text := _rfc3339(node.value.strip()):
            yield self._edit(node, text, f"wrote {node.value} as {text}, which Go reads")

    def _edit(self, node: Node, text: str, message: str) -> Edit:
        start, end = node.start_mark.index, node.end_mark.index
        return Edit(self.file, node.start_mark.line + 1, message, start, end, text)

    def _is_plain(self, node: Node) -> bool:
        """Return whether a value stands in the text as it is, so that an edit cannot go wrong."""
        return isinstance(node, ScalarNode) and self._slice(node) == node.value

    def _slice(self, node: Node) -> str:
        return self.source[node.start_mark.index : node.end_mark.index]


type _Special = Callable[[_Fixer, Node], Iterator[Edit]]

_SPECIAL: Mapping[tuple[type[Declaration], str], _Special] = {
    (Manifest, "created_at"): _Fixer._time,  # noqa: SLF001
}


_MOMENT = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)(?:[Tt]|\s+)(?P<time>\d\d:\d\d:\d\d(?:\.\d+)?)"
    r"(?:\s*(?P<hours>[+-]\d\d):?(?P<minutes>\d\d)|[Zz])?"
)


def _rfc3339(text: str) -> str | None:
    """Write a time as RFC 3339, with all its digits; ``None`` if it is not a time."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    zone = f"{match['hours']}:{match['minutes']}" if match["hours"] else "Z"
    moment = f"{match['date']}T{match['time']}{zone.replace('+00:00', 'Z')}"
    try:
        datetime.fromisoformat(moment)
    except ValueError:
        return None
    return moment


def _is_null(node: Node) -> bool:
    return isinstance(node, ScalarNode) and _short(node.tag) == "null"


def _short(tag: object) -> str:
    return str(tag).rpartition(":")[2]


def _folded(word: str) -> str:
    return word.lower().replace("-", "_")


def _near(key: str, names: list[str]) -> str | None:
    """Return the only name that a misspelt key is near to; ``None`` for several, or none."""
    same = [name for name in names if _folded(name) == _folded(key)]
    near = same or get_close_matches(key, names, n=2, cutoff=0.85)
    return near[0] if len(near) == 1 else None
