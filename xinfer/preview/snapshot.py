"""A loaded plugin as the page needs it: its files, findings, and where each field stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from attrs import field, frozen

from xinfer.build.preparation import plugin
from xinfer.plugin.read import read_plugin
from xinfer.preview.language import LANGUAGES
from xinfer.preview.profiles import PROFILES
from xinfer.rules import Finding, check
from xinfer.spec import Project
from xinfer.yaml import read_document

_SCHEMAS = ("provider_credential_schema", "model_credential_schema")


@frozen(kw_only=True)
class Snapshot:
    """One version of the plugin.

    :param project: complete.
    :param files: what the plugin holds.
    :param sources: the files that the author edits, by the path shown.
    """

    project: Project
    files: Mapping[str, bytes]
    findings: tuple[Finding, ...]
    sources: Mapping[str, str] = field(factory=dict)

    def icon(self, name: str) -> bytes | None:
        """Return an icon's content."""
        return self.files.get(f"_assets/{name}")

    def about(self) -> dict[str, Any]:
        """Describe it for the page: everything that no state changes."""
        project = self.project
        return {
            "name": project.manifest.name,
            "version": project.manifest.version,
            "profiles": {p.name: f"Dify {p.versions}" for p in PROFILES.values()},
            "languages": dict(LANGUAGES),
            "types": [str(kind) for kind in project.provider.supported_model_types],
            "abilities": sorted(_abilities(project)),
            "files": dict(self._shown_files()),
            "fields": {name: self._fields(name) for name in _SCHEMAS},
            "findings": [_finding(finding) for finding in self.findings],
        }

    def _shown_files(self) -> Iterator[tuple[str, str]]:
        for path, text in self.sources.items():
            yield path, text
        for path in ("manifest.yaml", self.project.provider_file):
            if path in self.files:
                yield path, self.files[path].decode()

    def _fields(self, schema: str) -> list[dict[str, Any]]:
        """List where the fields of a form stand: lines of the YAML, a line of the spec."""
        declared = getattr(self.project.provider, schema)
        if declared is None:
            return []
        file = self.project.provider_file
        extents = read_document(self.files[file], file).extents if file in self.files else {}
        fields = []
        for index, entry in enumerate(declared.credential_form_schemas):
            first, _, last, _ = extents.get((schema, "credential_form_schemas", index), (0,) * 4)
            span = entry.span
            fields.append(
                {
                    "variable": entry.variable,
                    "yaml": {"file": file, "first": first, "last": last},
                    "spec": {
                        "file": Path(span.file).name,
                        "first": span.line,
                        "last": span.end_line or span.line,
                    }
                    if span and span.file.endswith(".py")
                    else None,
                }
            )
        return fields


def load(path: Path) -> Snapshot:
    """Load a ``provider_spec.py``, a plugin's folder or a package.

    :raises Exception: what the build or the reader of plugins raises, with a text for people.
    """
    is_spec = path.suffix == ".py"
    loaded = plugin(path) if is_spec else read_plugin(path)
    return Snapshot(
        project=loaded.project,
        files=loaded.files,
        findings=check(loaded),
        sources={path.name: path.read_text(encoding="utf-8")} if is_spec else {},
    )


def _abilities(project: Project) -> set[str]:
    """Name the abilities that conditions of customizable models ask for."""
    from xinfer.spec.conditions import Ability, AllOf, AnyOf, Not

    def of(condition: object) -> Iterator[str]:
        match condition:
            case Ability(name):
                yield name
            case AllOf(conditions) | AnyOf(conditions):
                for part in conditions:
                    yield from of(part)
            case Not(part):
                yield from of(part)

    return {
        name
        for model in project.customizable_models
        for condition in (
            *model.features.values(),
            *(rule.when for rule in model.parameter_rules),
            *(getattr(value, "when", None) for value in model.properties.values()),
        )
        for name in of(condition)
    }


def _finding(finding: Finding) -> dict[str, Any]:
    span = finding.span
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "fix": finding.fix,
        "path": finding.path,
        "file": PurePosixPath(span.file).name if span else "",
        "line": span.line if span else 0,
    }
