"""Every rule that a declared plugin can break, with a code, a place and a fix.

:func:`check` looks at a project; :func:`catalogue` lists the rules. Codes begin XI0 for what holds
of any object, XI1 for the manifest, XI2 for the provider, XI3 for credentials, XI4 for models, XI5
for the files of the plugin, XI6 for its Python, XI7 for its package, XI8 for what changed since
the version that users have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

import attrs

# Each of these enters its rules into the catalogue.
from xinfer.rules import against as _against  # noqa: F401
from xinfer.rules import credentials as _credentials  # noqa: F401
from xinfer.rules import dependencies as _dependencies  # noqa: F401
from xinfer.rules import documents as _documents  # noqa: F401
from xinfer.rules import files as _files  # noqa: F401
from xinfer.rules import manifest as _manifest  # noqa: F401
from xinfer.rules import models as _models  # noqa: F401
from xinfer.rules import package as _package  # noqa: F401
from xinfer.rules import provider as _provider  # noqa: F401
from xinfer.rules import python as _code  # noqa: F401
from xinfer.rules.finding import Finding, Severity
from xinfer.rules.place import place_of
from xinfer.rules.python.source import plugin_code
from xinfer.rules.rule import Problem, Rule, Subject, catalogue, rules_by_class
from xinfer.rules.texts import texts_of
from xinfer.rules.values import mistyped
from xinfer.rules.walk import objects_in, walk
from xinfer.spec import Declaration, Project, complete

__all__ = [
    "Finding",
    "Rule",
    "Severity",
    "catalogue",
    "check",
    "check_one",
    "check_types",
    "check_values",
    "finding",
    "texts_of",
]


def check(
    project: Project,
    files: Mapping[str, int] | None = None,
    sources: Mapping[str, str] | None = None,
) -> tuple[Finding, ...]:
    """Find what is wrong with a project.

    :param files: sizes in bytes of what the plugin holds, by path from its root; what is said of
        files is not checked without.
    :param sources: the text of what :func:`texts_of` reads, by path; not checked without.
    """
    found = check_values(project)
    if any(one.severity is Severity.REFUSED for one in found):
        # What is not even of its type would make every other rule guess.
        return tuple(sorted(found, key=_place))
    subject = Subject(project=complete(project), files=files, sources=sources)
    seen = {_said(one) for one in found}
    python = plugin_code(subject)
    objects = chain(walk(subject.project), [("python", python)] if python else [])
    for path, declared in objects:
        for one in _found(declared, path, subject):
            # The two forms of a provider share their fields: one mistake is said once.
            if (said := _said(one)) not in seen:
                seen.add(said)
                found.append(one)
    return tuple(sorted(found, key=_place))


def check_values(project: Project) -> list[Finding]:
    """Find only what holds of any object: values of another type, or that cannot be written.

    The forms that follow from the credentials are looked at once the rest is right.
    """
    found = _once(mistyped(walk(project)))
    if any(one.severity is Severity.REFUSED for one in found):
        return found
    return _once([*found, *mistyped(objects_in("provider", complete(project).provider))])


def _once(found: Iterable[Finding]) -> list[Finding]:
    """Leave out what was said before, as of a rule that several models share."""
    said: dict[tuple[str, str, str], Finding] = {}
    for one in found:
        said.setdefault(_said(one), one)
    return list(said.values())


def _said(one: Finding) -> tuple[str, str, str]:
    return one.code, one.message, str(one.place)


def check_one(declared: Declaration, path: str) -> tuple[Finding, ...]:
    """Find what is wrong with one object that belongs to no project."""
    return tuple(_found(declared, path, None))


def check_types(declared: Declaration, path: str) -> tuple[Finding, ...]:
    """Find only what holds of any object, in one that belongs to no project and all it holds."""
    return tuple(mistyped(objects_in(path, declared)))


def finding(
    code: str, declared: Declaration, message: str, path: str, *, hint: str = ""
) -> Finding:
    """Make a finding of a rule that was looked into elsewhere.

    :param hint: how to mend it, where that can be told better than by the rule.
    """
    entered = next(known for known in catalogue() if known.code == code)
    made = _finding(entered, Problem(message), declared, path)
    return attrs.evolve(made, hint=hint) if hint else made


def _found(declared: Declaration, path: str, subject: Subject | None) -> Iterator[Finding]:
    for entered in rules_by_class().get(type(declared), ()):
        for problem in entered.check(declared, subject):
            at = f"{path}.{problem.at}" if problem.at else path
            yield _finding(entered, problem, declared, at)


def _finding(entered: Rule, problem: Problem, declared: Declaration, path: str) -> Finding:
    return Finding(
        code=entered.code,
        severity=entered.severity,
        message=problem.message,
        hint=entered.fix,
        path=path,
        place=problem.place
        or place_of(problem.of or declared, problem.at, relative=problem.of is None),
    )


def _place(one: Finding) -> tuple[str, int, int, str]:
    place = one.place
    return (place.file, place.line, place.column or 0, one.code) if place else ("", 0, 0, one.code)
