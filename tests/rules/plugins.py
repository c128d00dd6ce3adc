"""The examples of rules, laid over a small valid plugin.

:func:`lay` takes an example of a rule and writes the plugin that it stands for. A fragment of
YAML replaces the keys that it has, at any depth; of Python, the functions, classes, methods and
assignments of the same name, and adds the others. Any other text replaces the file.

``provider_spec.py`` makes the plugin a spec, whose own files are under ``plugin/``. A name that
ends in ``/``, begins with ``./`` or holds a backslash, and several texts for one name, make it a
``.difypkg`` with these entries. Names that begin with ``before:`` are of the previous version;
«» before a name marks the file as a whole.
"""

from __future__ import annotations

import zipfile

from attrs import frozen
from rules.overlay import MARKS, overlay_python, overlay_yaml
from rules.valid_plugin import SPECIFIED, YAML

from xinfer.rules.examples import SPEC, own_file
from xinfer.rules.rule import Link


@frozen
class Mark:
    """The characters that a finding should point at; lines and columns count from 1."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


_BESIDE = ("before:", "published:")


def lay(rule, example, folder):
    """Write the plugin of an example into a folder.

    Returns the path to check, that of the previous version if the example has one, and the marks.
    A list of published versions lies beside the plugin.
    """
    example = {own_file(rule): example} if isinstance(example, str) else example
    old = {path[7:]: text for path, text in example.items() if path.startswith("before:")}
    new = {path: text for path, text in example.items() if not path.startswith(_BESIDE)}
    for path, text in example.items():
        if path.startswith("published:"):
            (folder / path.removeprefix("published:")).write_text(text)
    before = _write(folder / "before", old)[0] if old else None
    path, marks = _write(folder / "acme", new)
    return path, before, marks


def _write(folder, example):
    is_spec = SPEC in example
    base = {} if is_spec else dict(YAML)
    if is_spec:
        base |= {
            f"plugin/{path}": text
            for path, text in YAML.items()
            if not path.endswith((".yaml", ".toml"))
        }
    marks = []
    for path, text in example.items():
        if path.startswith("«»"):
            path = path[2:]
            marks.append(Mark(path, 1, 1, 1, 1))
        if text is None:
            base.pop(path, None)
        elif isinstance(text, int | tuple | Link):
            base[path] = text
        else:
            laid = _over(path, base.get(path), text)
            marks += marks_of(path, laid)
            base[path] = MARKS.sub("", laid)
    if any(
        p.endswith("/") or (p[0] == "." and p[1] == "/") or "\\" in p or isinstance(t, tuple)
        for p, t in base.items()
    ):
        return _pack(folder.with_suffix(".difypkg"), base), marks
    for path, text in base.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, Link):
            (folder / path).symlink_to(text)
        elif isinstance(text, int):
            with (folder / path).open("wb") as file:
                file.truncate(text)
        else:
            (folder / path).write_bytes(text.encode("utf-8", "surrogateescape"))
    return folder / SPEC if is_spec else folder, marks


def _pack(path, base):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as package:
        for name, text in base.items():
            for content in text if isinstance(text, tuple) else (text,):
                package.writestr(name, content)
    return path


def _over(path, base, text):
    if path == SPEC:
        before, middle, after = SPECIFIED
        return f"{before}\n{overlay_python(middle, text)}\n{after}"
    if base is not None and path.endswith(".yaml") and not path.endswith("_position.yaml"):
        return overlay_yaml(base, text)
    if base is not None and path.endswith(".py"):
        return overlay_python(base, text)
    return text


def marks_of(path, text):
    """Find where the marks are in the text without them."""
    places = []
    line, column = 1, 1
    for character in text:
        if character in "«»":
            places.append((line, column))
        elif character == "\n":
            line, column = line + 1, 1
        else:
            column += 1
    assert len(places) % 2 == 0, f"a mark of {path} has no other end"
    return [Mark(path, *start, *end) for start, end in zip(places[::2], places[1::2], strict=True)]
