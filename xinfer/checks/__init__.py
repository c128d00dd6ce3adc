"""Every rule that a declared plugin can break, with a code, a place and a cure.

:func:`check` looks at a project; :func:`catalogue` lists the rules. Codes begin XI0 for what holds
of any object, XI1 for the manifest, XI2 for the provider, XI3 for credentials, XI4 for models, XI5
for the files of the plugin.
"""

from __future__ import annotations

from collections.abc import Mapping

# Each of these enters its rules into the catalogue.
from xinfer.checks import credentials as _credentials  # noqa: F401
from xinfer.checks import files as _files  # noqa: F401
from xinfer.checks import manifest as _manifest  # noqa: F401
from xinfer.checks import models as _models  # noqa: F401
from xinfer.checks import provider as _provider  # noqa: F401
from xinfer.checks.finding import Finding, Kind
from xinfer.checks.rule import Rule, Subject, catalogue, rules_by_class
from xinfer.checks.values import mistyped
from xinfer.checks.walk import walk
from xinfer.spec import Project, complete

__all__ = ["Finding", "Kind", "Rule", "catalogue", "check"]


def check(project: Project, files: Mapping[str, int] | None = None) -> tuple[Finding, ...]:
    """Find what is wrong with a project.

    :param files: sizes in bytes of what the plugin holds, by path from its root; what is said of
        files is not checked without.
    """
    wrong = list(mistyped(project))
    if any(finding.kind is Kind.REFUSED for finding in wrong):
        # What is not even of its type would make every other rule guess.
        return tuple(sorted(wrong, key=_place))
    subject = Subject(project=complete(project), files=files)
    by_class = rules_by_class()
    found = wrong
    seen: set[tuple[str, str, str]] = set()
    for path, declared in walk(subject.project):
        for rule in by_class.get(type(declared), ()):
            for problem in rule.check(declared, subject):
                finding = Finding(
                    code=rule.code,
                    kind=rule.kind,
                    message=problem.message,
                    hint=rule.cure,
                    path=f"{path}.{problem.at}" if problem.at else path,
                    place=(problem.of or declared).origin,
                )
                # The two forms of a provider share their fields: one mistake is said once.
                key = (finding.code, finding.message, str(finding.place))
                if key not in seen:
                    seen.add(key)
                    found.append(finding)
    return tuple(sorted(found, key=_place))


def _place(finding: Finding) -> tuple[str, int, int, str]:
    place = finding.place
    return (
        (place.file, place.line, place.column or 0, finding.code)
        if place
        else ("", 0, 0, finding.code)
    )
