"""Rules of hand-written plugins: YAML that cannot be read, packages that cannot be unpacked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from attrs import field, frozen

from xinfer.plugin.unwanted import tool_folder
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.rule import Problem, Subject, rule
from xinfer.spec import Declaration


@frozen(kw_only=True)
class UnreadYaml(Declaration):
    """A value in a YAML file that is not what the format has there."""

    message: str
    path: str


@frozen(kw_only=True)
class Package(Declaration):
    """The names in a package.

    :param entries: as they stand in the zip, its folders too; none of a folder.
    :param files: without folders.
    :param left_out: what an ignore file leaves out, and which of its lines.
    :param unpackable: what cannot be packed, and why.
    :param is_folder: it is a folder yet, and no package.
    :param broken_positions: lists of positions that are no lists of names.
    """

    entries: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(factory=dict)
    unpackable: Mapping[str, str] = field(factory=dict)
    is_folder: bool = False
    broken_positions: tuple[str, ...] = ()


@rule("XI011", Severity.REFUSED, Stage.START, fix="Write what is expected there.")
def unreadable_value(declared: UnreadYaml, _: Subject) -> Iterator[Problem]:
    """A file is no YAML, or holds a value that the daemon or the SDK cannot read.

    One such file keeps the whole plugin from starting.
    """
    yield Problem(declared.message, at=declared.path)


@rule("XI013", Severity.REFUSED, Stage.START, fix="Add it.")
def missing_key(declared: UnreadYaml, _: Subject) -> Iterator[Problem]:
    """A key is missing that the daemon or the SDK demands; the plugin is refused, or cannot start.

    In a spec it has a default, which is always written.
    """
    yield Problem(declared.message, at=declared.path)


@rule("XI012", Severity.BROKEN, Stage.RUN_TIME, fix="Write what is expected there.")
def unusable_value(declared: UnreadYaml, _: Subject) -> Iterator[Problem]:
    """A value that no gate looks at is not what the code will need: it fails at a request."""
    yield Problem(declared.message, at=declared.path)


@rule("XI014", Severity.BROKEN, Stage.RUN_TIME, fix="Correct the name, or remove the line.")
def position_of_nothing(declared: UnreadYaml, _: Subject) -> Iterator[Problem]:
    """A list of positions names what no model is called: the model meant stands elsewhere."""
    yield Problem(declared.message, at=declared.path)


@rule(
    "XI701",
    Severity.REFUSED,
    Stage.UPLOAD,
    fix="Pack files only: xinfer build, or dify plugin package.",
)
def folder_entries(package: Package, _: Subject) -> Iterator[Problem]:
    """The package has entries for folders, as ``zip -r`` makes them; it cannot be installed."""
    folders = [name for name in package.entries if name.endswith("/")]
    if folders:
        others = f", as are {len(folders) - 1} others" if folders[1:] else ""
        yield Problem(f"{folders[0]} is an entry of its own{others}")


@rule(
    "XI702",
    Severity.REFUSED,
    Stage.UPLOAD,
    fix="Name, or pack, the folder that holds it, not one above.",
)
def manifest_not_on_top(package: Package, _: Subject) -> Iterator[Problem]:
    """There is no manifest.yaml at the root; this is no plugin, or was packed with its folder."""
    if "manifest.yaml" not in package.files:
        below = [path for path in package.files if path.endswith("/manifest.yaml")]
        yield Problem(f"there is no manifest.yaml, but {below[0]}" if below else "no manifest.yaml")


@rule("XI703", Severity.REFUSED, Stage.UPLOAD, fix="Pack with / between folders, and without ./.")
def odd_entry_names(package: Package, _: Subject) -> Iterator[Problem]:
    """A name in the package has a backslash or begins with ``./``; it cannot be installed."""
    for name in package.entries:
        if "\\" in name or name.startswith("./"):
            yield Problem(f"an entry is called {name!r}")


@rule("XI704", Severity.REFUSED, Stage.START, fix="Add the folder, with the icons in it.")
def assets_missing(package: Package, _: Subject) -> Iterator[Problem]:
    """There is no folder ``_assets``; the SDK refuses to start."""
    if package.files and not any(path.startswith("_assets/") for path in package.files):
        yield Problem("there is no _assets")


@rule("XI705", Severity.REFUSED, Stage.PACKING, fix='Write a list of names in quotes: - "gpt-4".')
def broken_position(package: Package, _: Subject) -> Iterator[Problem]:
    """A list of positions is no list of names; the daemon refuses to pack it."""
    for path in package.broken_positions:
        yield Problem(f"{path} is not a list of names")


@rule("XI706", Severity.BROKEN, Stage.START, fix="Take it out of .difyignore, or of .gitignore.")
def needed_file_ignored(package: Package, _: Subject) -> Iterator[Problem]:
    """A file that the plugin needs is left out of the package by an ignore file.

    The template's ``.difyignore`` names ``lib/``, ``env/``, ``build/`` and others, in any depth. A
    ``requirements.txt`` that is there and ignored is neither packed nor made from uv.lock.
    """
    for path, line in package.left_out.items():
        needed = path in _NEEDED or path.startswith(_NEEDED_FOLDERS)
        if needed and not tool_folder(f"{path}x") and PurePosixPath(path).suffix != ".pyc":
            yield Problem(f"{path} is left out by {line}")


_NEEDED = frozenset({"manifest.yaml", "pyproject.toml", "requirements.txt", "README.md"})
_NEEDED_FOLDERS = ("_assets/", "models/", "provider/")


@rule("XI707", Severity.BROKEN, Stage.REVIEW, fix="List it in .difyignore.")
def folder_packed(package: Package, _: Subject) -> Iterator[Problem]:
    """A repository, an environment or a cache is packed, because no ignore file names it.

    Packing leaves nothing out by itself: a repository's history, and the secrets in it, are
    published with the plugin.
    """
    folders = Counter(filter(None, map(tool_folder, package.files)))
    for name, count in folders.items():
        yield Problem(f"{name} is packed, with {count:,} file{'s' * (count > 1)} in it")


@rule(
    "XI708", Severity.REFUSED, Stage.UPLOAD, fix="Sign the package as it was before it was signed."
)
def entry_twice(package: Package, _: Subject) -> Iterator[Problem]:
    """A file is in the package twice.

    Signing a package that is signed already adds a second ``.verification.dify.json``, and the
    signature of that package is not valid.
    """
    for name, count in Counter(package.entries).items():
        if count > 1:
            yield Problem(f"{name} is in the package {count} times")


@rule("XI709", Severity.BROKEN, Stage.UPLOAD, fix="Delete it; signing adds it.")
def signature_packed(package: Package, _: Subject) -> Iterator[Problem]:
    """The folder holds what signing adds; the package, once signed, would hold it twice."""
    if package.is_folder and _SIGNATURE in package.files:
        yield Problem(f"{_SIGNATURE} is packed")


_SIGNATURE = ".verification.dify.json"


@rule(
    "XI710",
    Severity.REFUSED,
    Stage.PACKING,
    fix="Put the file itself there, or leave it out with a line in .difyignore.",
)
def unpackable(package: Package, _: Subject) -> Iterator[Problem]:
    """Something in the folder is no file that can be packed.

    The packager refuses links to folders, links that lead nowhere, sockets and devices, and waits
    forever for a named pipe. xinfer refuses links out of the folder too, because another machine
    has something else there.
    """
    for path, reason in package.unpackable.items():
        yield Problem(f"{path} is {reason}", at=path)


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
