"""A plugin as one value, whichever way it came: from a spec, a folder or a package."""

from __future__ import annotations

from difflib import get_close_matches
from enum import StrEnum
from functools import cached_property
from linecache import getline
from pathlib import Path

import attrs
from attrs import field, frozen

from xinfer.plugin.files import PluginFiles
from xinfer.plugin.limits import UnreadablePlugin
from xinfer.plugin.texts import texts_of
from xinfer.spec import Manifest, Model, Project, Provider
from xinfer.spec.declaration import Declaration
from xinfer.spec.span import Span
from xinfer.yaml import Fault

MANIFEST = "manifest.yaml"


class Form(StrEnum):
    """What the author edits: a ``provider_spec.py``, or the plugin's YAML."""

    SPEC = "spec"
    YAML = "yaml"


class NotRead(UnreadablePlugin):
    """A plugin's manifest or provider cannot be read, so the plugin as a whole is unknown."""


@frozen(kw_only=True)
class Plugin:
    """What a plugin declares, the files that are packed, and what could not be read.

    :param form: what its author edits.
    :param files: contents by path, each with the place where the author has it, and what is left
        out with the reason.
    :param declared: the project, completed; ``None`` if the manifest or provider cannot be read.
    :param manifest: ``None`` if it cannot be read; likewise ``provider``.
    :param models: those that can be read, in the order in which Dify lists them.
    :param provider_file: ``None`` if the manifest names no provider that is there.
    :param model_paths: the model files that the provider's patterns match.
    :param faults: what cannot be read, in whichever file.
    :param absent: paths that the manifest or the provider names, and where there is no file.
    :param modules: the Python that declares the plugin, if it is a spec.
    """

    form: Form
    files: PluginFiles
    declared: Project | None = None
    manifest: Manifest | None = None
    provider: Provider | None = None
    models: tuple[Model, ...] = ()
    provider_file: str | None = None
    model_paths: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = field(default=())
    absent: tuple[str, ...] = ()
    modules: tuple[Path, ...] = ()
    _lines: dict[str, list[str]] = field(init=False, factory=dict, repr=False, eq=False)

    @property
    def project(self) -> Project:
        """The declared project.

        :raises NotRead: the manifest or the provider cannot be read.
        """
        if self.declared is None:
            absent = [f"there is no {path}" for path in self.absent]
            reasons = "; ".join([*map(str, self.faults), *absent]) or "it names no provider"
            raise NotRead(f"{self.files.where} cannot be read: {reasons}.")
        return self.declared

    @cached_property
    def sources(self) -> dict[str, str]:
        """The text of its code, documents and lists of dependencies, by path."""
        return texts_of(self.files)

    @cached_property
    def left_out(self) -> dict[str, str]:
        """What is not packed, and what leaves it out."""
        return {gone.path: gone.reason for gone in self.files.left_out}

    def path(self, name: str) -> str:
        """Write a path of the plugin as the author has it, e.g. ``plugin/_assets/icon.svg``."""
        return f"{self.project.files}/{name}" if self.form is Form.SPEC else name

    def lacks(self, name: str) -> bool:
        """Return whether a file is missing. One that cannot be packed is not; it has a finding."""
        return name not in self.files and not self.is_unpackable(name)

    def is_unpackable(self, path: str) -> bool:
        """Return whether a path, or a folder above it, is something that cannot be packed."""
        parts = path.split("/")
        above = ("/".join(parts[:end]) for end in range(1, len(parts) + 1))
        return not self._unpackable.isdisjoint(above)

    def is_read(self, file: str | None, part: str = "") -> bool:
        """Return whether all of a file could be read, or all of what is below one of its keys."""
        return not any(fault.file == file and fault.path.startswith(part) for fault in self.faults)

    @cached_property
    def _unpackable(self) -> frozenset[str]:
        return frozenset(fault.path for fault in self.files.unpackable)

    def missing(self, name: str) -> str:
        """Write the message for a missing file: what leaves it out, or a file of a similar name."""
        if reason := self.left_out.get(name):
            return f"{self.path(name)} is left out by {reason}"
        folder = name.rpartition("/")[0]
        others = [path for path in self.files if path.rpartition("/")[0] == folder]
        near = get_close_matches(name, others, n=1)
        hint = f"; did you mean {self.path(near[0])}?" if near else ""
        return f"there is no {self.path(name)}{hint}"

    def place(self, span: Span) -> Span:
        """Find where the author has a part of one of the files."""
        source = self.files.source(span.file)
        return attrs.evolve(span, file=str(source)) if source else span

    def declared_at(self, span: Span) -> Span:
        """Return a span as it is, or the declaration that a build makes its file of."""
        is_generated = span.file in self.files and self.files.source(span.file) is None
        if self.form is Form.YAML or not is_generated:
            return span
        files: dict[str | None, Declaration | None] = {self.provider_file: self.provider}
        files |= zip(self.model_paths, self.models, strict=True)
        declared = files.get(span.file) or self.manifest
        return (declared.span if declared else None) or span

    def line(self, span: Span) -> str:
        """Return the line of a file of the plugin, or of a spec, that a span begins in."""
        if span.file not in self.files:
            if not Path(span.file).is_absolute():
                return ""  # a file of the plugin that is not packed
            return getline(span.file, span.line).rstrip()
        if span.file not in self._lines:
            content = self.files[span.file].decode(errors="replace")
            self._lines[span.file] = content.splitlines()
        lines = self._lines[span.file]
        return lines[span.line - 1].rstrip() if 0 < span.line <= len(lines) else ""
