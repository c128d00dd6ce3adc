"""A plugin's folder or package to findings: what it declares, and what its files are."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

import attrs

from xinfer.plugin.files import PluginFiles
from xinfer.plugin.limits import UnreadablePlugin
from xinfer.plugin.reading import (
    MANIFEST,
    Reading,
    listed,
    missing_keys,
    plugin_files,
    positions,
    read,
)
from xinfer.rules import Finding, Form, check, check_one, check_types, finding, texts_of
from xinfer.rules.package import Package, UnreadYaml
from xinfer.schema import walk
from xinfer.spec import (
    Manifest,
    Model,
    Project,
    Provider,
    Span,
    evolve,
)
from xinfer.spec.declaration import set_span
from xinfer.yaml import DocumentError, Fault, Keep, read_document, read_spec

_SAID_BY_HAND = (
    "supported_model_types",
    "configurate_methods",
    "provider_credential_schema",
    "model_credential_schema",
    "models",
    "extra",
)
"""What follows from the rest in a spec, and stands in YAML or does not exist."""


def examine(path: Path) -> tuple[Finding, ...]:
    """Find what is wrong with a plugin's folder or package.

    :raises UnreadablePlugin: it cannot be looked into.
    """
    files = plugin_files(path)
    package = _package(files)
    found = list(check_one(package, "package"))
    reading = read(files)
    faults = tuple(_faults(reading, files))
    found += map(_unread, faults)
    found += _unlisted(reading, files)
    found += (
        finding("XI013", declared, f"{name} is missing", name)
        for declared, name in missing_keys((reading.manifest, reading.provider))
    )
    found += _odd_time(reading, files)
    if reading.manifest is not None and reading.provider is not None:
        project = _project(reading.manifest, reading.provider, reading, files)
        sizes = files.sizes
        left_out = {gone.path: gone.reason for gone in files.left_out}
        declared = check(project, sizes, texts_of(files, sizes), Form.YAML, left_out)
        found += (one for one in declared if not _follows(one, faults))
    elif reading.manifest is not None:
        found += check_types(reading.manifest, "plugin")
        found += _of_no_models(reading.manifest, path)
    at = path if path.is_dir() else None
    return tuple(placed(one, at) for one in found)


def _of_no_models(plugin: Manifest, path: Path) -> Iterator[Finding]:
    kinds = [kind for kind in plugin.plugins.explicit if getattr(plugin.plugins, kind)]
    if not kinds:
        yield finding("XI120", plugin, "plugins names no file", "manifest.plugins", at="plugins")
    elif "models" not in kinds:
        raise UnreadablePlugin(
            f"{path} is a plugin of {', '.join(kinds)}; xinfer looks at model providers."
        )


def read_project(path: Path) -> Project:
    """Read the project that a folder or package is made of, as far as it can be read.

    :raises UnreadablePlugin: it cannot be looked into, or its manifest or provider is unreadable.
    """
    return project_of(plugin_files(path))


def project_of(files: PluginFiles) -> Project:
    """Read the project that files are of.

    :raises UnreadablePlugin: the manifest or the provider is unreadable.
    """
    reading = read(files)
    if reading.manifest is None or reading.provider is None:
        said = "; ".join(map(str, reading.faults)) or f"there is no {', '.join(reading.missing)}"
        raise UnreadablePlugin(f"{files.where} cannot be read: {said}.")
    return _project(reading.manifest, reading.provider, reading, files)


def _project(plugin: Manifest, provider: Provider, reading: Reading, files: PluginFiles) -> Project:
    """Make the project that says all that the YAML does, and nothing that it does not."""
    said = {name: getattr(provider, name) for name in _SAID_BY_HAND}
    project = Project(
        manifest=evolve(plugin, plugins=plugin.plugins),
        provider=evolve(provider, **said),
        models=reading.models,
        requirements=tuple(_requirements(files)),
    )
    set_span(project, None)
    return project


def _package(files: PluginFiles) -> Package:
    reading_positions = {
        path: listed(files, path) for path in files if path.endswith("_position.yaml")
    }
    package = Package(
        entries=files.entries,
        files=tuple(files),
        left_out={gone.path: gone.reason for gone in files.left_out},
        unpackable={gone.path: gone.reason for gone in files.unpackable},
        is_folder=not files.entries,
        broken_positions=tuple(p for p, names in reading_positions.items() if names is None),
    )
    set_span(package, None)
    return package


def _faults(reading: Reading, files: PluginFiles) -> Iterator[Fault]:
    """Yield what could not be read, then what was read leniently and fits nothing."""
    yield from reading.faults
    kinds: dict[str, type[Manifest] | type[Provider] | type[Model]] = {MANIFEST: Manifest}
    if reading.provider_file:
        kinds[reading.provider_file] = Provider
    kinds |= dict.fromkeys(reading.model_paths, Model)
    unread = {fault.file for fault in reading.faults}
    strange = _with_misfits(reading)
    for path, kind in kinds.items():
        if path in files and path not in unread and path in strange:
            try:
                read_spec(files[path], kind, file=path, keep=Keep.STRAY)
            except DocumentError as error:
                yield from error.faults
    for path in set(reading.missing) - {MANIFEST}:  # of which a rule of its own speaks
        yield Fault(MANIFEST, 1, 1, path, "is named, and there is no such file")


def _unlisted(reading: Reading, files: PluginFiles) -> Iterator[Finding]:
    """Find names in lists of positions that no model has; none while a model cannot be read."""
    if reading.provider is None or {fault.file for fault in reading.faults} & {
        *reading.model_paths
    }:
        return
    for path, names in positions(reading.provider, reading.models):
        known = set(names)
        for index, name in enumerate(listed(files, path) or ()):
            if name not in known:
                extent = read_document(files[path], path).extents[(index,)]
                said = f"{name} is listed, and no model of that name is there"
                yield finding("XI014", _at(Span(path, *extent), said, name), said, name)


def _follows(one: Finding, faults: Iterable[Fault]) -> bool:
    """Say whether a finding only repeats that a value could not be read."""
    place = one.span
    if place is None:
        return False
    here = [fault for fault in faults if fault.file == place.file]
    if any((fault.line, fault.column) == (place.line, place.column) for fault in here):
        return True
    # What did not fit is kept as if its key were unknown.
    key = one.path.rpartition(".")[2]
    return one.code == "XI003" and any(f".{key}." in f".{fault.path}." for fault in here)


_PYYAML_TIME = re.compile(
    rb"^created_at:\s*\d{4}-\d\d-\d\d[ \t]+[\d:.]+\s*[+-]\d\d:?\d\d", re.MULTILINE
)


def _odd_time(reading: Reading, files: PluginFiles) -> Iterator[Finding]:
    """Find the one form of time that YAML reads, and Go's does not."""
    if reading.manifest is not None and (found := _PYYAML_TIME.search(files[MANIFEST])):
        said = found[0].decode().partition(":")[2].strip()
        yield finding(
            "XI106",
            reading.manifest,
            f"created_at {said} is not of RFC 3339",
            "created_at",
            at="created_at",
        )


def _with_misfits(reading: Reading) -> set[str]:
    """Name the files in which something was kept that nothing reads."""
    read_objects = walk((reading.manifest, reading.provider, *reading.models))
    return {one.span.file for _, one in read_objects if one.extra_keys and one.span}


def _unread(fault: Fault) -> Finding:
    """Say of a fault who refuses it: the SDK does not look at the values of properties."""
    message, cure = _cured(fault.message)
    declared = _at(Span(fault.file, fault.line, fault.column), message, fault.path)
    code = "XI012" if _READ_AT_REQUESTS.match(fault.path) else "XI011"
    return finding(code, declared, message, fault.path, fix=cure)


def _at(place: Span, message: str, path: str) -> UnreadYaml:
    declared = UnreadYaml(message=message, path=path)
    set_span(declared, place)
    return declared


def _cured(message: str) -> tuple[str, str]:
    """Tell what is wrong from what to do about it."""
    said, colon, cure = message.rpartition(": ")
    if colon and cure.startswith(_CURES):
        return said, cure[0].upper() + cure[1:] + ("" if cure.endswith("?") else ".")
    if message.startswith("expected"):
        return message, "Write what is expected there."
    return message, "Add it." if message.endswith("missing") else "Correct it."


_CURES = ("put it", "remove", "did you mean")
_READ_AT_REQUESTS = re.compile(r"^model_properties\.|^parameter_rules\[\d+\]\.default$")


def _requirements(files: PluginFiles) -> Iterator[str]:
    """Read what the plugin's environment will hold, as the daemon does: pyproject.toml first."""
    if "pyproject.toml" in files:
        try:
            data = tomllib.loads(files["pyproject.toml"].decode())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError):
            return
        declared = data.get("project")
        listed_ = declared.get("dependencies") if isinstance(declared, dict) else None
        if isinstance(listed_, list):
            yield from (line for line in listed_ if isinstance(line, str))
    elif "requirements.txt" in files:
        for line in files["requirements.txt"].decode(errors="replace").splitlines():
            if text := re.sub(r"(^|\s)#.*", "", line).strip():
                yield text


def placed(found: Finding, folder: Path | None) -> Finding:
    """Let a place in a folder be found from here; one in a package stays as it is."""
    place = found.span
    if place is None or folder is None or PurePosixPath(place.file).is_absolute():
        return found
    return attrs.evolve(found, span=attrs.evolve(place, file=str(folder / place.file)))
