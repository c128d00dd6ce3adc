"""Rules of a plugin as a whole: YAML that cannot be read, packages that cannot be unpacked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath

from xinfer.plugin.plugin import MANIFEST, Form, Plugin
from xinfer.plugin.read import listed, missing_keys, positions
from xinfer.plugin.unwanted import tool_folder
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.rule import Problem, Subject, rule
from xinfer.spec.span import Span
from xinfer.yaml import Fault, read_document


@rule("XI011", Severity.REFUSED, Stage.START, fix="Write what is expected there.")
def unreadable_value(plugin: Plugin, _: Subject) -> Iterator[Problem]:
    """A file is no YAML, or holds a value that the daemon or the SDK cannot read.

    One such file keeps the whole plugin from starting.
    """
    return (_unread(fault) for fault in plugin.faults if not _READ_AT_REQUESTS.match(fault.path))


@rule("XI012", Severity.BROKEN, Stage.RUN_TIME, fix="Write what is expected there.")
def unusable_value(plugin: Plugin, _: Subject) -> Iterator[Problem]:
    """A value that nothing checks is not what the code needs: it fails at a request."""
    return (_unread(fault) for fault in plugin.faults if _READ_AT_REQUESTS.match(fault.path))


_READ_AT_REQUESTS = re.compile(r"^model_properties\.|^parameter_rules\[\d+\]\.default$")
"""Values that the SDK does not look at before a request."""


@rule("XI013", Severity.REFUSED, Stage.START, fix="Add it.")
def missing_key(plugin: Plugin, _: Subject) -> Iterator[Problem]:
    """A key is missing that the daemon or the SDK demands; the plugin is refused, or cannot start.

    In a spec it has a default, which is always written.
    """
    if plugin.form is Form.YAML:
        for declared, name in missing_keys((plugin.manifest, plugin.provider)):
            yield Problem(f"{name} is missing", at=name, of=declared)


@rule("XI014", Severity.BROKEN, Stage.RUN_TIME, fix="Correct the name, or remove the line.")
def position_of_nothing(plugin: Plugin, _: Subject) -> Iterator[Problem]:
    """A list of positions names a model that does not exist, so the one meant is not sorted."""
    if plugin.provider is None or {fault.file for fault in plugin.faults} & {*plugin.model_paths}:
        return
    for path, names in positions(plugin.provider, plugin.models):
        for index, name in enumerate(listed(plugin.files, path) or ()):
            if name not in names:
                extent = read_document(plugin.files[path], path).extents[(index,)]
                message = f"{name} is listed, and there is no model of that name"
                yield Problem(message, at=name, span=Span(path, *extent))


def _unread(fault: Fault) -> Problem:
    message, fix = _message_and_fix(fault.message)
    return Problem(message, at=fault.path, span=Span(fault.file, fault.line, fault.column), fix=fix)


def _message_and_fix(message: str) -> tuple[str, str]:
    cause, colon, fix = message.rpartition(": ")
    if colon and fix.startswith(("put it", "remove", "did you mean")):
        return cause, fix[0].upper() + fix[1:] + ("" if fix.endswith("?") else ".")
    if message.startswith("expected"):
        return message, "Write what is expected there."
    return message, "Add it." if message.endswith("missing") else "Correct it."


@rule(
    "XI701",
    Severity.REFUSED,
    Stage.UPLOAD,
    fix="Pack files only: xinfer build, or dify plugin package.",
)
def folder_entries(plugin: Plugin, _: Subject) -> Iterator[Problem]:
    """The package has entries for folders, as ``zip -r`` makes them; it cannot be installed."""
    folders = [name for name in plugin.files.entries if name.endswith("/")]
    if folders:
        others = f", as are {len(folders) - 1} others" if folders[1:] else ""
        yield Problem(f"{folders[0]} is an entry of its own{others}")


@rule(
    "XI702",
    Severity.REFUSED,
    Stage.UPLOAD,
    fix="Name, or pack, the folder that holds it, not one above.",
)
def manifest_not_on_top(plugin: Plugin, _: Subject) -> Iterator[Problem]:
    """There is no manifest.yaml at the root; this is no plugin, or was packed with its folder."""
    if MANIFEST in plugin.files:
        return
    left_out = [gone.reason for gone in plugin.files.left_out if gone.path == MANIFEST]
    below = [path for path in plugin.files if path.endswith(f"/{MANIFEST}")]
    if left_out:
        yield Problem(f"{MANIFEST} is left out by {left_out[0]}", fix="Remove that line.")
    else:
        yield Problem(f"there is no {MANIFEST}" + (f", but {below[0]}" if below else ""))


@rule("XI703", Severity.REFUSED, Stage.UPLOAD, fix="Pack with / between folders, and without ./.")
def odd_entry_names(plugin: Plugin, _: Subject) -> Iterator[Problem]:
    """A name in the package has a backslash or begins with ``./``; it cannot be installed."""
    for name in plugin.files.entries:
        if "\\" in name or name.startswith("./"):
            yield Problem(f"an entry is called {name!r}")


@rule("XI704", Severity.REFUSED, Stage.START, fix="Add the folder, with the icons in it.")
def assets_missing(plugin: Plugin, _: Subject) -> Iterator[Problem]:
    """There is no folder ``_assets``; the SDK refuses to start."""
    if plugin.files and not any(path.startswith("_assets/") for path in plugin.files):
        yield Problem("there is no _assets")


@rule("XI705", Severity.REFUSED, Stage.PACKING, fix='Write a list of names in quotes: - "gpt-4".')
def broken_position(plugin: Plugin, _: Subject) -> Iterator[Problem]:
    """A list of positions is no list of names; the daemon refuses to pack it."""
    for path in plugin.files:
        if path.endswith("_position.yaml") and listed(plugin.files, path) is None:
            yield Problem(f"{path} is not a list of names", span=Span(path, 1, 1))


@rule("XI706", Severity.BROKEN, Stage.START, fix="Take it out of .difyignore, or of .gitignore.")
def needed_file_ignored(plugin: Plugin, _: Subject) -> Iterator[Problem]:
    """A file that the plugin needs is left out of the package by an ignore file.

    The template's ``.difyignore`` names ``lib/``, ``env/``, ``build/`` and others, in any depth. A
    ``requirements.txt`` that is there and ignored is neither packed nor made from uv.lock.
    """
    for gone in plugin.files.left_out:
        path = gone.path
        needed = path in _NEEDED or path.startswith(_NEEDED_FOLDERS)
        if needed and not tool_folder(f"{path}x") and PurePosixPath(path).suffix != ".pyc":
            yield Problem(f"{path} is left out by {gone.reason}")


_NEEDED = frozenset({"pyproject.toml", "requirements.txt", "README.md"})
_NEEDED_FOLDERS = ("_assets/", "models/", "provider/")


@rule("XI707", Severity.BROKEN, Stage.REVIEW, fix="List it in .difyignore.")
def folder_packed(plugin: Plugin, _: Subject) -> Iterator[Problem]:
    """A repository, an environment or a cache is packed, because no ignore file names it.

    Packing leaves nothing out by itself: a repository's history, and the secrets in it, are
    published with the plugin.
    """
    folders = Counter(filter(None, map(tool_folder, plugin.files)))
    for name, count in folders.items():
        yield Problem(f"{name} is packed, with {count:,} file{'s' * (count > 1)} in it")


@rule(
    "XI708", Severity.REFUSED, Stage.UPLOAD, fix="Sign the package as it was before it was signed."
)
def entry_twice(plugin: Plugin, _: Subject) -> Iterator[Problem]:
    """A file is in the package twice.

    Signing a package that is signed already adds a second ``.verification.dify.json``, and the
    signature of that package is not valid.
    """
    for name, count in Counter(plugin.files.entries).items():
        if count > 1:
            yield Problem(f"{name} is in the package {count} times")


@rule("XI709", Severity.BROKEN, Stage.UPLOAD, fix="Delete it; signing adds it.")
def signature_packed(plugin: Plugin, _: Subject) -> Iterator[Problem]:
    """The folder holds what signing adds; the package, once signed, would hold it twice."""
    if not plugin.files.entries and _SIGNATURE in plugin.files:
        yield Problem(f"{_SIGNATURE} is packed")


_SIGNATURE = ".verification.dify.json"


@rule(
    "XI710",
    Severity.REFUSED,
    Stage.PACKING,
    fix="Put the file itself there, or leave it out with a line in .difyignore.",
)
def unpackable(plugin: Plugin, _: Subject) -> Iterator[Problem]:
    """Something in the folder is no file that can be packed.

    The packager refuses links to folders, links that lead nowhere, sockets and devices, and waits
    forever for a named pipe. xinfer refuses links out of the folder too, because another machine
    has something else there.
    """
    for fault in plugin.files.unpackable:
        yield Problem(f"{fault.path} is {fault.reason}", at=fault.path)


RULES = (
    unreadable_value,
    missing_key,
    unusable_value,
    position_of_nothing,
    folder_entries,
    manifest_not_on_top,
    odd_entry_names,
    assets_missing,
    broken_position,
    needed_file_ignored,
    folder_packed,
    entry_twice,
    signature_packed,
    unpackable,
)
