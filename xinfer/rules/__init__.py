"""What can be wrong with a plugin: a rule for each mistake, and the check that applies them.

:func:`check` looks at a plugin; :data:`RULES` holds the rules by code. Codes begin XI0 for what
holds of any object, XI1 for the manifest, XI2 for the provider, XI3 for credentials, XI4 for
models, XI5 for the files of the plugin, XI6 for its Python, XI7 for its package, XI8 for what
changed since the version that users have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from itertools import chain
from typing import Any

import attrs

from xinfer.diff import Change
from xinfer.plugin.plugin import Form, NotRead, Plugin
from xinfer.rules import (
    against,
    credentials,
    customizable,
    dependencies,
    documents,
    files,
    forms,
    manifest,
    model_files,
    models,
    package,
    parameters,
    prices,
    provider,
    python,
    show_on,
    values,
)
from xinfer.rules.finding import Finding, Severity, Stage
from xinfer.rules.python.code import plugin_code
from xinfer.rules.rule import Rule
from xinfer.rules.values import mistyped
from xinfer.schema import dotted, walk
from xinfer.spec import Project
from xinfer.spec.declaration import Declaration
from xinfer.spec.span import Steps

__all__ = [
    "RULES",
    "Finding",
    "Form",
    "Rule",
    "Severity",
    "Stage",
    "check",
    "check_changes",
    "check_one",
    "check_values",
    "without_secrets",
]

RULES: Mapping[str, Rule] = {
    rule.code: rule
    for rule in sorted(
        chain.from_iterable(
            module.RULES
            for module in (
                values,
                manifest,
                provider,
                model_files,
                forms,
                show_on,
                credentials,
                models,
                parameters,
                prices,
                customizable,
                files,
                documents,
                dependencies,
                python,
                package,
                against,
            )
        ),
        key=lambda rule: rule.code,
    )
}
"""Every rule, by code."""


@cache
def _rules_on(kind: type[Any]) -> tuple[Rule, ...]:
    return tuple(rule for rule in RULES.values() if kind in rule.on)


def check(plugin: Plugin) -> tuple[Finding, ...]:
    """Find what is wrong with a plugin; each finding points into the file that the author edits.

    Rules that look at the whole declaration are left out if manifest or provider cannot be read.
    """
    findings = list(_findings(plugin, "", plugin, plugin.form))
    objects = list(_objects(plugin))
    values = list(mistyped(objects, plugin.form))
    findings += values
    # What is not even of its type would make every other rule guess.
    if not any(finding.severity is Severity.REFUSED for finding in values):
        for path, declared in objects:
            findings += _findings(declared, dotted(path) or "project", plugin, plugin.form)
        if plugin.declared is not None:
            findings += _findings(plugin_code(plugin), "python", plugin, plugin.form)
    unread = {(fault.file, fault.line, fault.column) for fault in plugin.faults}
    return tuple(
        _placed(finding, plugin)
        for finding in sorted(_distinct(findings), key=_order)
        if finding.code in _OF_FAULTS or _start(finding) not in unread
    )


_OF_FAULTS = {"XI011", "XI012", "XI013"}
"""The rules that report what cannot be read."""


def without_secrets(findings: Iterable[Finding], allowed: Iterable[str]) -> tuple[Finding, ...]:
    """Leave out the findings about files that the author has allowed to be packed.

    :param allowed: paths in the package, or as the author has them.
    """
    paths = [f"/{path.removeprefix('./')}" for path in allowed]

    def is_allowed(finding: Finding) -> bool:
        packed = finding.path.removeprefix("project.")
        return any(path.endswith(f"/{packed}") for path in paths)

    return tuple(
        finding
        for finding in findings
        if finding.code != package.SECRET_PACKED or not is_allowed(finding)
    )


def check_values(project: Project) -> tuple[Finding, ...]:
    """Find what keeps the YAML from being written: wrong types, and what no YAML can hold."""
    findings = list(mistyped(walk(project), Form.SPEC))
    if not any(finding.severity is Severity.REFUSED for finding in findings):
        for path, declared in walk(project):
            kind: Any = type(declared)
            for rule in _rules_on(kind):
                if rule.where is Stage.BUILD:
                    findings += rule.findings(declared, dotted(path), None, Form.SPEC)
    return tuple(_distinct(findings))


def check_one(declared: Declaration, path: str, form: Form = Form.YAML) -> tuple[Finding, ...]:
    """Find what is wrong with one object that belongs to no plugin."""
    return tuple(_findings(declared, path, None, form))


def check_changes(changes: Iterable[Change], new: Plugin) -> tuple[Finding, ...]:
    """Find what breaks for the users of a previous version; findings point into the new one."""
    findings = (
        finding
        for change in changes
        for finding in _findings(change, change.about.lower(), new, new.form)
    )
    return tuple(_placed(finding, new) for finding in findings)


def _objects(plugin: Plugin) -> Iterator[tuple[Steps, Declaration]]:
    """Yield every declared object that can be read."""
    if plugin.declared is not None:
        yield from walk(plugin.declared)
    else:
        for name in ("manifest", "provider", "models"):
            yield from walk(getattr(plugin, name), (name,))


def _findings(
    declared: Declaration | Plugin, path: str, plugin: Plugin | None, form: Form
) -> Iterator[Finding]:
    kind: Any = type(declared)
    for rule in _rules_on(kind):
        # A rule that looks at the whole has nothing to look at if the whole cannot be read.
        with suppress(NotRead):
            yield from rule.findings(declared, path, plugin, form)


def _placed(finding: Finding, plugin: Plugin) -> Finding:
    if finding.span is None:
        return finding
    return attrs.evolve(
        finding,
        line=plugin.line(finding.span),
        span=plugin.place(finding.span),
        related=tuple(map(plugin.place, finding.related)),
    )


def _start(finding: Finding) -> tuple[str, int, int] | None:
    span = finding.span
    return (span.file, span.line, span.column or 0) if span else None


def _distinct(findings: Iterable[Finding]) -> list[Finding]:
    """Leave out what repeats: several models share a rule, and both forms share their fields."""
    first: dict[tuple[str, str, str], Finding] = {}
    for finding in findings:
        first.setdefault((finding.code, finding.message, str(finding.span)), finding)
    return list(first.values())


def _order(finding: Finding) -> tuple[str, int, int, str]:
    span = finding.span
    return (span.file, span.line, span.column or 0, finding.code) if span else ("", 0, 0, "")
