"""Rules of what the plugin's environment is made from; the daemon makes it at installation."""

from __future__ import annotations

import ipaddress
import re
import tomllib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from xinfer.rules.finding import Severity, Stage
from xinfer.rules.rule import Problem, Subject, rule
from xinfer.spec import Project, Span

_LEAST_SDK = Version("0.9.0")
_PYPROJECT, _LOCK, _REQUIREMENTS = "pyproject.toml", "uv.lock", "requirements.txt"
_REGISTRY = re.compile(r'^source = \{ registry = "([^"]+)"', re.MULTILINE)
_NOT_PUBLIC = (".local", ".internal", ".lan", ".corp", ".intra", ".home", ".localdomain")


@rule("XI519", Severity.REFUSED, Stage.START, fix="Write it as in dify_plugin>=0.9.0.")
def requirement_form(project: Project, _: Subject) -> Iterator[Problem]:
    """A requirement is none by PEP 508; the plugin's environment cannot be made."""
    for index, line in enumerate(project.requirements):
        if not line.startswith("-") and "/" not in line and _requirement(line) is None:
            yield Problem(f"{line!r} is not a requirement", at=f"requirements[{index}]")


@rule("XI520", Severity.ADVICE, Stage.REVIEW, fix='Require "dify_plugin>=0.9.0".')
def sdk_bound(project: Project, _: Subject) -> Iterator[Problem]:
    """Dify's SDK is required in no version, or in one below 0.9.0; the marketplace refuses it."""
    for index, line in enumerate(project.requirements):
        named = _requirement(line)
        if named is None or named.name.replace("-", "_").lower() != "dify_plugin":
            continue
        at = f"requirements[{index}]"
        least = [
            Version(one.version.removesuffix(".*"))
            for one in named.specifier
            if one.operator in (">=", ">", "==")
        ]
        if any(one.operator == "~=" for one in named.specifier):
            yield Problem(f"{line} shuts out the next version", at=at)
        elif not least:
            yield Problem(f"{line} has no lower bound", at=at)
        elif max(least) < _LEAST_SDK:
            yield Problem(f"{line} allows versions below {_LEAST_SDK}", at=at)


@rule("XI521", Severity.REFUSED, Stage.START, fix='Write requires-python = ">=3.12".')
def python_version(project: Project, subject: Subject) -> Iterator[Problem]:
    """pyproject.toml does not allow Python 3.12, or allows one that Dify's SDK does not.

    The daemon always makes a Python 3.12. Without a lock uv looks for versions that suit the
    whole range, and finds none where the SDK needs a later Python than the range begins with.
    """
    wanted = _project(subject).get("requires-python")
    try:
        allowed = SpecifierSet(wanted) if isinstance(wanted, str) else SpecifierSet()
    except InvalidSpecifier:
        yield _in_pyproject(subject, "requires-python", f"{wanted!r} is no range of versions")
        return
    if not allowed.contains("3.12.0") and not allowed.contains("3.12.99"):
        yield _in_pyproject(subject, "requires-python", f"{wanted} shuts out Python 3.12")
    elif wanted and _LOCK not in (subject.files or ()) and _wants_sdk_of_312(project):
        below = [minor for minor in range(8, 12) if allowed.contains(f"3.{minor}.99")]
        if below:
            said = f"{wanted} begins with 3.{below[0]}, and dify_plugin needs 3.12"
            yield _in_pyproject(subject, "requires-python", said)


@rule("XI522", Severity.ADVICE, Stage.REVIEW, fix="Remove [build-system] from pyproject.toml.")
def build_system(project: Project, subject: Subject) -> Iterator[Problem]:
    """pyproject.toml has a build system, so uv builds the plugin itself as a package, or fails."""
    if "build-system" in _toml(subject):
        yield _in_pyproject(subject, "[build-system]", "there is a [build-system]")


@rule("XI523", Severity.BROKEN, Stage.RUN_TIME, fix="Lock again with the public index.")
def private_index(project: Project, subject: Subject) -> Iterator[Problem]:
    """uv.lock names an index inside a private network; the plugin installs nowhere else."""
    text = (subject.sources or {}).get(_LOCK, "")
    for url in sorted(set(_REGISTRY.findall(text))):
        host = urlsplit(url).hostname or ""
        if _is_private(host):
            line = text[: text.index(url)].count("\n") + 1
            yield Problem(f"uv.lock names the index {host}", span=Span(_LOCK, line, 1))


@rule("XI524", Severity.REFUSED, Stage.PACKING, fix="Add [dependency-groups] with dev = [].")
def dev_group_missing(project: Project, subject: Subject) -> Iterator[Problem]:
    """pyproject.toml has no dependency group ``dev``; ``dify plugin package`` fails without.

    It makes a requirements.txt from uv.lock, leaving out that group by its name.
    """
    files = subject.files or ()
    if _PYPROJECT not in files or _LOCK not in files or _REQUIREMENTS in files:
        return
    groups = _toml(subject).get("dependency-groups")
    if not isinstance(groups, dict) or "dev" not in groups:
        yield Problem("there is no dependency group dev", span=Span(_PYPROJECT, 1, 1))


@rule("XI525", Severity.REFUSED, Stage.START, fix="Correct it.")
def pyproject_form(project: Project, subject: Subject) -> Iterator[Problem]:
    """pyproject.toml is no TOML, or of another shape; the plugin's environment cannot be made."""
    try:
        declared = tomllib.loads((subject.sources or {}).get(_PYPROJECT, "")).get("project", {})
    except tomllib.TOMLDecodeError as error:
        yield Problem(f"pyproject.toml: {error}", span=Span(_PYPROJECT, 1, 1))
        return
    if not isinstance(declared, dict):
        yield _in_pyproject(subject, "project", "[project] is no table")
        return
    needed = declared.get("dependencies", [])
    if not isinstance(needed, list) or not all(isinstance(line, str) for line in needed):
        yield _in_pyproject(subject, "dependencies", "dependencies is no list of texts")


def _wants_sdk_of_312(project: Project) -> bool:
    for line in project.requirements:
        named = _requirement(line)
        if named is not None and named.name.replace("-", "_").lower() == "dify_plugin":
            return not named.specifier.contains("0.7.4")
    return False


def _requirement(line: str) -> Requirement | None:
    try:
        return Requirement(line)
    except InvalidRequirement:
        return None


def _toml(subject: Subject) -> dict[str, Any]:
    try:
        return tomllib.loads((subject.sources or {}).get(_PYPROJECT, ""))
    except tomllib.TOMLDecodeError:
        return {}


def _project(subject: Subject) -> dict[str, Any]:
    said = _toml(subject).get("project", {})
    return said if isinstance(said, dict) else {}


def _in_pyproject(subject: Subject, key: str, message: str) -> Problem:
    text = (subject.sources or {}).get(_PYPROJECT, "")
    line = text[: max(text.find(key), 0)].count("\n") + 1
    return Problem(message, span=Span(_PYPROJECT, line, 1))


def _is_private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(_NOT_PUBLIC)


RULES = (
    requirement_form,
    sdk_bound,
    python_version,
    build_system,
    private_index,
    dev_group_missing,
    pyproject_form,
)
