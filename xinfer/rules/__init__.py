"""What can be wrong with a plugin: a rule for each mistake, and the check that applies them.

:func:`check` looks at a project; :data:`RULES` holds the rules by code. Codes begin XI0 for what
holds of any object, XI1 for the manifest, XI2 for the provider, XI3 for credentials, XI4 for
models, XI5 for the files of the plugin, XI6 for its Python, XI7 for its package, XI8 for what
changed since the version that users have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import chain
from typing import Any

from xinfer.rules import (
    against,
    credentials,
    dependencies,
    documents,
    files,
    forms,
    manifest,
    model_files,
    models,
    package,
    provider,
    python,
    show_on,
    values,
)
from xinfer.rules.finding import Finding, Form, Severity, Stage
from xinfer.rules.python.code import plugin_code
from xinfer.rules.rule import Problem, Rule, Subject
from xinfer.rules.texts import texts_of
from xinfer.rules.values import mistyped
from xinfer.schema import dotted, steps_of, walk
from xinfer.spec import Declaration, Project, complete

__all__ = [
    "RULES",
    "Finding",
    "Form",
    "Rule",
    "Severity",
    "Stage",
    "check",
    "check_one",
    "check_types",
    "check_values",
    "finding",
    "texts_of",
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


def check(
    project: Project,
    files: Mapping[str, int] | None = None,
    sources: Mapping[str, str] | None = None,
    form: Form = Form.SPEC,
    left_out: Mapping[str, str] | None = None,
) -> tuple[Finding, ...]:
    """Find what is wrong with a project.

    :param files: sizes in bytes of what the plugin holds, by path from its root; what is said of
        files is not checked without.
    :param sources: the text of what :func:`texts_of` reads, by path; not checked without.
    :param form: what the author edits.
    :param left_out: what is beside the files and not packed, and what leaves it out.
    """
    findings = check_values(project, form)
    if any(finding.severity is Severity.REFUSED for finding in findings):
        # What is not even of its type would make every other rule guess.
        return tuple(sorted(findings, key=_order))
    subject = Subject(
        project=complete(project),
        files=files,
        sources=sources,
        left_out=left_out or {},
        form=form,
    )
    python = plugin_code(subject)
    for path, declared in walk(subject.project):
        findings += _findings(declared, dotted(path) or "project", subject, form)
    if python:
        findings += _findings(python, "python", subject, form)
    return tuple(sorted(_distinct(findings), key=_order))


def check_values(project: Project, form: Form = Form.SPEC) -> list[Finding]:
    """Find only what holds of any object: values of another type, or that cannot be written.

    The forms that follow from the credentials are looked at once the rest is right.
    """
    findings = _distinct(mistyped(walk(project), form))
    if any(finding.severity is Severity.REFUSED for finding in findings):
        return findings
    completed = mistyped(walk(complete(project).provider, ("provider",)), form)
    return _distinct([*findings, *completed])


def check_one(declared: Declaration, path: str, form: Form = Form.YAML) -> tuple[Finding, ...]:
    """Find what is wrong with one object that belongs to no project."""
    return tuple(_findings(declared, path, None, form))


def check_types(declared: Declaration, path: str, form: Form = Form.YAML) -> tuple[Finding, ...]:
    """Find only what holds of any object, in one that belongs to no project and all it holds."""
    return tuple(mistyped(walk(declared, steps_of(path)), form))


def finding(
    code: str,
    declared: Declaration,
    message: str,
    path: str,
    *,
    at: str = "",
    fix: str = "",
    form: Form = Form.YAML,
) -> Finding:
    """Make a finding of a rule that was looked into elsewhere.

    :param at: the field it is about, below the object.
    :param fix: what to do, if that can be told better than by the rule.
    """
    return RULES[code].finding(Problem(message, at=at, fix=fix), declared, path, form)


def _findings(
    declared: Declaration, path: str, subject: Subject | None, form: Form
) -> Iterator[Finding]:
    kind: Any = type(declared)
    for rule in _rules_on(kind):
        yield from rule.findings(declared, path, subject, form)


def _distinct(findings: Iterable[Finding]) -> list[Finding]:
    """Leave out what repeats: several models share a rule, and both forms share their fields."""
    first: dict[tuple[str, str, str], Finding] = {}
    for finding in findings:
        first.setdefault((finding.code, finding.message, str(finding.span)), finding)
    return list(first.values())


def _order(finding: Finding) -> tuple[str, int, int, str]:
    span = finding.span
    return (span.file, span.line, span.column or 0, finding.code) if span else ("", 0, 0, "")
