"""What can be wrong with a plugin: a rule for each mistake, and the check that applies them.

:func:`check` looks at a plugin, :func:`report` also at what its author suppresses;
:data:`RULES` holds the rules by code. Codes begin XI0 for what
holds of any object, XI1 for the manifest, XI2 for the provider, XI3 for credentials, XI4 for
models, XI5 for the files of the plugin (XI55 for what the marketplace's review alone asks), XI6 for
its Python, XI7 for its package, XI8 for what changed since the version that users have, XI9 for
suppressions of the others.
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
    languages,
    manifest,
    meta,
    model_files,
    models,
    package,
    parameters,
    prices,
    provider,
    python,
    resources,
    show_on,
    suppression,
    values,
)
from xinfer.rules import review as of_review
from xinfer.rules.finding import Finding, Report, Severity, Stage, Suppression, place_of
from xinfer.rules.python.code import plugin_code
from xinfer.rules.review import Review
from xinfer.rules.rule import Rule
from xinfer.rules.selection import EVERYTHING, Selection
from xinfer.rules.values import mistyped
from xinfer.schema import dotted, walk
from xinfer.spec import Project
from xinfer.spec.declaration import Declaration
from xinfer.spec.span import Steps

__all__ = [
    "NOT_FOR_A_BASELINE",
    "RULES",
    "Finding",
    "Form",
    "Report",
    "Review",
    "Rule",
    "Selection",
    "Severity",
    "Stage",
    "Suppression",
    "check",
    "check_one",
    "check_values",
    "report",
]

RULES: Mapping[str, Rule] = {
    rule.code: rule
    for rule in sorted(
        chain.from_iterable(
            module.RULES
            for module in (
                values,
                languages,
                manifest,
                resources,
                meta,
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
                of_review,
                suppression,
            )
        ),
        key=lambda rule: rule.code,
    )
}
"""Every rule, by code."""


NOT_FOR_A_BASELINE = frozenset({package.SECRET_PACKED, *(r.code for r in suppression.RULES)})
"""What nobody suppresses by the way: secrets, and suppressions themselves."""


@cache
def _rules_on(kind: type[Any]) -> tuple[Rule, ...]:
    return tuple(rule for rule in RULES.values() if kind in rule.on)


def check(plugin: Plugin) -> tuple[Finding, ...]:
    """Find what is wrong with a plugin; each finding points into the file that the author edits.

    Rules that look at the whole declaration are left out if manifest or provider cannot be read.
    What the author suppresses is left out, too.
    """
    return report(plugin).findings


def report(
    plugin: Plugin,
    *,
    changes: Iterable[Change] | None = None,
    review: Review | None = None,
    selection: Selection = EVERYTHING,
    allowed: Iterable[str] = (),
) -> Report:
    """Find what is wrong with a plugin, and what of it the author has decided to leave out.

    :param changes: since the version that users have; they get findings, too.
    :param review: what the marketplace has; without it the rules of its review are left out.
    :param selection: the rules to apply.
    :param allowed: files that are packed although they look like secrets: paths in the package,
        or as the author has them.
    """
    findings, is_whole = _examined(plugin)
    ran = {code for code in RULES if code in selection} if is_whole else set()
    if changes is not None:
        findings += _of_changes(changes, plugin)
    else:
        ran -= {rule.code for rule in against.RULES}
    if review is not None:
        findings += (_placed(f, plugin) for f in _findings(review, "manifest", plugin, plugin.form))
    else:
        ran -= {rule.code for rule in of_review.RULES}
    directives = suppression.directives(plugin, RULES)
    selected = [finding for finding in findings if finding.code in selection]
    marked = list(suppression.suppress(selected, directives, plugin))
    for directive in directives:
        directive.settled.update(directive.codes.keys() - ran)
        of_directive = _findings(directive, "", plugin, plugin.form)
        marked += (_placed(f, plugin) for f in of_directive if f.code in selection)
    # What is shared by several objects counts unless all of them suppress it.
    marked = _distinct(sorted(marked, key=lambda finding: finding.suppression is not None))
    counted = _without_secrets(sorted(marked, key=place_of), tuple(allowed))
    return Report(
        findings=tuple(f for f in counted if f.suppression is None),
        suppressed=tuple(f for f in counted if f.suppression is not None),
    )


def _examined(plugin: Plugin) -> tuple[list[Finding], bool]:
    """Apply the rules to all that can be read; tell also whether all of them could be applied."""
    findings = list(_findings(plugin, "", plugin, plugin.form))
    objects = list(_objects(plugin))
    values = list(mistyped(objects, plugin.form))
    findings += values
    # What is not even of its type would make every other rule guess.
    is_typed = not any(finding.severity is Severity.REFUSED for finding in values)
    if is_typed:
        for path, declared in objects:
            findings += _findings(declared, dotted(path) or "project", plugin, plugin.form)
        if plugin.declared is not None:
            findings += _findings(plugin_code(plugin), "python", plugin, plugin.form)
    unread = {(fault.file, fault.line, fault.column) for fault in plugin.faults}
    placed = [
        _placed(finding, plugin)
        for finding in findings
        if finding.code in _OF_FAULTS or _start(finding) not in unread
    ]
    return placed, is_typed and plugin.declared is not None


_OF_FAULTS = {"XI011", "XI012", "XI013", "XI015"}
"""The rules that report what cannot be read."""


def _without_secrets(findings: Iterable[Finding], allowed: Iterable[str]) -> list[Finding]:
    """Leave out the findings about files that the author has allowed to be packed."""
    paths = [f"/{path.removeprefix('./')}" for path in allowed]

    def is_allowed(finding: Finding) -> bool:
        packed = finding.path.removeprefix("project.")
        return any(path.endswith(f"/{packed}") for path in paths)

    return [
        finding
        for finding in findings
        if finding.code != package.SECRET_PACKED or not is_allowed(finding)
    ]


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


def check_one(declared: Declaration, path: str) -> tuple[Finding, ...]:
    """Find what is wrong with one object that belongs to no plugin."""
    return tuple(_findings(declared, path, None, Form.YAML))


def _of_changes(changes: Iterable[Change], new: Plugin) -> Iterator[Finding]:
    """Find what breaks for the users of a previous version."""
    for change in changes:
        for finding in _findings(change, change.about.lower(), new, new.form):
            yield _placed(finding, new)


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
    span = plugin.declared_at(finding.span)
    return attrs.evolve(
        finding,
        line=plugin.line(span),
        span=plugin.place(span),
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
