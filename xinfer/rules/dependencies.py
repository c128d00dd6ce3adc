"""Rules of what the daemon makes the plugin's environment from, when it installs the plugin."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from xinfer.plugin.plugin import Form, Plugin
from xinfer.plugin.requirements import LOCK, PYPROJECT, REQUIREMENTS
from xinfer.plugin.texts import span_in
from xinfer.plugin.toml import NotTOML, read_toml
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.rule import Fix, Problem, fix_in_files, rule
from xinfer.spec import Project
from xinfer.spec.span import Span

_OLDEST_SDK = Version("0.9.0")
_LAST_SDK_FOR_311 = "0.7.4"
_REGISTRY = re.compile(r'^source = \{ registry = "([^"]+)"', re.MULTILINE)
_PRIVATE_DOMAINS = (".local", ".internal", ".lan", ".corp", ".intra", ".home", ".localdomain")
_ENVIRONMENT = "daemon internal/core/local_runtime/setup_python_environment.go"


@rule(
    "XI119",
    Severity.REFUSED,
    Stage.START,
    source=f'{_ENVIRONMENT}: python -c "import dify_plugin"',
    bad=(
        '[project]\nname = "acme"\nversion = "0.1.0"\n«dependencies» = ["requests"]\n',
        {"pyproject.toml": None, "requirements.txt": "«»requests\n"},
    ),
    good=({"pyproject.toml": None, "requirements.txt": "dify-plugin>=0.9.0\nrequests\n"},),
    fix=Fix(
        spec='Add "dify_plugin>=0.9.0" to Project(requirements=…).',
        yaml="Add dify_plugin>=0.9.0 to dependencies in pyproject.toml, or to requirements.txt.",
    ),
)
def sdk_requirement(project: Project, plugin: Plugin) -> Iterator[Problem]:
    """The plugin does not require Dify's SDK, so its environment lacks it."""
    if LOCK in plugin.files or not _are_requirements_complete(project, plugin):
        return
    if not any(_names_sdk(line) for line in project.requirements):
        message = "dify_plugin is not among the requirements"
        if plugin.form is Form.SPEC:
            yield Problem(message, at="requirements")
        elif PYPROJECT in (plugin.sources or ()):
            yield _in_pyproject(plugin, "dependencies", message, key=True)
        else:
            yield Problem(message, span=Span(REQUIREMENTS, 1, 1))


@rule(
    "XI519",
    Severity.REFUSED,
    Stage.START,
    source="uv sync, uv pip install: PEP 508",
    bad=({"pyproject.toml": None, "requirements.txt": "dify_plugin>=0.9.0\n«requests=2»\n"},),
    good=({"pyproject.toml": None, "requirements.txt": "dify_plugin>=0.9.0\nrequests==2.*\n"},),
    fix="Write it as in dify_plugin>=0.9.0.",
)
def requirement_form(project: Project, plugin: Plugin) -> Iterator[Problem]:
    """A requirement does not follow PEP 508, so uv does not install it."""
    for index, line in enumerate(project.requirements):
        if not line.startswith("-") and "/" not in line and _requirement(line) is None:
            yield _of_requirement(plugin, index, line, f"{line!r} is not a requirement")


@rule(
    "XI520",
    Severity.ADVICE,
    Stage.REVIEW,
    source="marketplace toolkit; langgenius/dify-plugins#2663",
    bad=(
        {"pyproject.toml": None, "requirements.txt": "«dify_plugin>=0.7»\nrequests\n"},
        {"pyproject.toml": None, "requirements.txt": "«dify_plugin»\nrequests\n"},
        {"pyproject.toml": None, "requirements.txt": "«dify_plugin~=0.9.0»\nrequests\n"},
    ),
    good=({"pyproject.toml": None, "requirements.txt": "dify_plugin>=0.9.0,<1\nrequests\n"},),
    fix='Require "dify_plugin>=0.9.0".',
)
def sdk_bound(project: Project, plugin: Plugin) -> Iterator[Problem]:
    """Dify's SDK is required without a lower bound of at least 0.9.0, or with ~=."""
    for index, line in enumerate(project.requirements):
        if fault := sdk_bound_fault(line):
            yield _of_requirement(plugin, index, line, fault)


def sdk_bound_fault(line: str) -> str:
    """Return what the review refuses about the bounds of Dify's SDK; empty for other packages."""
    requirement = _requirement(line)
    if requirement is None or not _names_sdk(line):
        return ""
    clauses = list(requirement.specifier)
    if any(clause.operator == "~=" for clause in clauses):
        return f"{line} excludes the next version"
    lower = [
        Version(clause.version.removesuffix(".*"))
        for clause in clauses
        if clause.operator in (">=", ">", "==")
    ]
    if not lower:
        return f"{line} has no lower bound"
    return f"{line} allows versions below {_OLDEST_SDK}" if max(lower) < _OLDEST_SDK else ""


def _pyproject(requires: str, dependencies: str = '["dify_plugin>=0.9.0", "requests"]') -> str:
    return (
        f'[project]\nname = "acme"\nversion = "0.1.0"\n'
        f"requires-python = {requires}\ndependencies = {dependencies}\n"
    )


@rule(
    "XI521",
    Severity.REFUSED,
    Stage.START,
    source=f"{_ENVIRONMENT}: uv sync",
    bad=(_pyproject('«">=3.11"»'), _pyproject('«"three"»')),
    good=(
        _pyproject('">=3.12"'),
        {
            "pyproject.toml": _pyproject(
                '">=3.11"', '["dify_plugin>=0.9.0", "requests"]\n[dependency-groups]\ndev = []'
            ),
            "uv.lock": "version = 1\n",
        },
    ),
    fix='Write requires-python = ">=3.12".',
)
def python_version(project: Project, plugin: Plugin) -> Iterator[Problem]:
    """pyproject.toml allows a Python below 3.12, which Dify's SDK does not.

    Without a lock, uv looks for versions that suit the whole range, and does not find them.
    """
    declared, allowed = _requires_python(plugin)
    if allowed is None:
        message = f"{declared!r} is not a range of versions"
        yield _in_pyproject(plugin, "requires-python", message)
    elif oldest := _oldest_too_old(project, plugin, allowed):
        message = f"{declared} allows Python {oldest}, and dify_plugin needs 3.12"
        yield _in_pyproject(plugin, "requires-python", message)


@rule(
    "XI526",
    Severity.ADVICE,
    Stage.START,
    source=f"{_ENVIRONMENT}: uv venv --python 3.12",
    bad=(_pyproject('«">=3.13"»'),),
    good=(_pyproject('">=3.12,<3.14"'),),
    fix='Write requires-python = ">=3.12".',
)
def python_downloaded(project: Project, plugin: Plugin) -> Iterator[Problem]:
    """pyproject.toml excludes Python 3.12, which the daemon has.

    uv replaces the environment by one with a Python that it downloads; without a network the
    installation fails.
    """
    declared, allowed = _requires_python(plugin)
    if allowed is None or _oldest_too_old(project, plugin, allowed):
        return
    if not allowed.contains("3.12.0") and not allowed.contains("3.12.99"):
        message = f"{declared} excludes Python 3.12, which the daemon uses"
        yield _in_pyproject(plugin, "requires-python", message)


@rule(
    "XI522",
    Severity.ADVICE,
    Stage.START,
    source=f"{_ENVIRONMENT}: uv sync without --no-install-project",
    bad=(f"{_pyproject('">=3.12"')}\n«[build-system]»\nrequires = []\n",),
    good=(
        _pyproject('">=3.12"'),
        f"{_pyproject('">=3.12"')}\n[build-system]\nrequires = []\n[tool.uv]\npackage = false\n",
    ),
    fix=fix_in_files("Remove [build-system] from {}pyproject.toml."),
)
def build_system(_: Project, plugin: Plugin) -> Iterator[Problem]:
    """pyproject.toml has a build system, so uv builds the plugin itself as a package, or fails."""
    data = _toml(plugin)
    if "build-system" in data and _table(data, "tool", "uv").get("package") is not False:
        yield _in_pyproject(plugin, "build-system", "uv builds the plugin as a package")


@rule(
    "XI523",
    Severity.BROKEN,
    Stage.START,
    source=f"{_ENVIRONMENT}: uv sync --frozen",
    bad=(
        {"uv.lock": 'source = { registry = "«http://10.0.0.7/simple»" }\n'},
        {"uv.lock": 'source = { registry = "«http://pypi.corp/simple»" }\n'},
    ),
    good=({"uv.lock": 'source = { registry = "https://packages.example.com/simple" }\n'},),
    fix="Lock again with the public index.",
)
def private_index(_: Project, plugin: Plugin) -> Iterator[Problem]:
    """uv.lock names an index inside a private network, so the plugin installs nowhere else."""
    text = (plugin.sources or {}).get(LOCK, "")
    urls = {match[1]: match.span(1) for match in reversed([*_REGISTRY.finditer(text)])}
    for url, place in sorted(urls.items(), key=lambda item: item[1]):
        host = urlsplit(url).hostname or ""
        if _is_private(host):
            message = f"uv.lock names the index {host} of a private network"
            yield Problem(message, span=span_in(LOCK, text, *place))


@rule(
    "XI527",
    Severity.ADVICE,
    Stage.START,
    source=f"{_ENVIRONMENT}: uv sync reads [tool.uv]",
    bad=(
        f'{_pyproject('">=3.12"')}\n[[tool.uv.index]]\nurl = "«http://10.0.0.7/simple»"\n',
        f'{_pyproject('">=3.12"')}\n[tool.uv]\nindex-url = "«http://pypi.corp/simple»"\n',
    ),
    good=(f'{_pyproject('">=3.12"')}\n[[tool.uv.index]]\nurl = "https://packages.example.com/"\n',),
    fix="Remove the index from [tool.uv], and name it on your own machine by UV_INDEX.",
)
def private_index_configured(_: Project, plugin: Plugin) -> Iterator[Problem]:
    """pyproject.toml names an index inside a private network, which other daemons cannot reach."""
    settings = _table(_toml(plugin), "tool", "uv")
    indexes = settings.get("index", [])
    urls = [index.get("url") for index in indexes if isinstance(index, dict)]
    urls += [settings.get("index-url"), *_list(settings.get("extra-index-url"))]
    text = (plugin.sources or {}).get(PYPROJECT, "")
    for url in filter(None, map(_string, urls)):
        host = urlsplit(url).hostname or ""
        if _is_private(host):
            message = f"[tool.uv] names the index {host} of a private network"
            yield Problem(message, span=_first(PYPROJECT, text, url))


@rule(
    "XI524",
    Severity.REFUSED,
    Stage.PACKING,
    source="daemon pkg/plugin_packager/packager/packager.go: exportRequirementsFromUv",
    bad=({"pyproject.toml": "«»" + _pyproject('">=3.12"'), "uv.lock": "version = 1\n"},),
    good=(
        {
            "pyproject.toml": _pyproject('">=3.12"') + "[dependency-groups]\ndev = []\n",
            "uv.lock": "version = 1\n",
        },
    ),
    fix=fix_in_files("Add [dependency-groups] with dev = [] to {}pyproject.toml."),
)
def dev_group_missing(_: Project, plugin: Plugin) -> Iterator[Problem]:
    """pyproject.toml lacks the dependency group dev, which `dify plugin package` asks uv for.

    It makes a requirements.txt from uv.lock without that group, and fails if there is none.
    """
    files = plugin.files
    if PYPROJECT not in files or LOCK not in files or REQUIREMENTS in files:
        return
    if "dev" not in _table(_toml(plugin), "dependency-groups"):
        yield Problem("there is no dependency group dev", span=Span(PYPROJECT, 1, 1))


@rule(
    "XI525",
    Severity.REFUSED,
    Stage.START,
    source=f"{_ENVIRONMENT}: uv sync",
    bad=(
        "[project«»\n",
        "«project» = 1\n",
        _pyproject('">=3.12"', '«"requests"»'),
    ),
    good=(_pyproject('">=3.12"'),),
    fix="Correct it.",
)
def pyproject_form(_: Project, plugin: Plugin) -> Iterator[Problem]:
    """pyproject.toml is not TOML, or not of the shape that uv reads."""
    text = (plugin.sources or {}).get(PYPROJECT, "")
    try:
        declared = read_toml(text).get("project", {})
    except NotTOML as error:
        yield Problem(f"not TOML: {error}", span=Span(PYPROJECT, error.line, error.column))
        return
    if not isinstance(declared, dict):
        yield _in_pyproject(plugin, "project", "project is not a table", key=True)
        return
    dependencies = declared.get("dependencies", [])
    if not isinstance(dependencies, list) or not all(isinstance(d, str) for d in dependencies):
        yield _in_pyproject(plugin, "dependencies", "dependencies is not a list of strings")


# What the files say --------------------------------------------------------------------------


def _toml(plugin: Plugin) -> dict[str, Any]:
    try:
        return read_toml((plugin.sources or {}).get(PYPROJECT, ""))
    except NotTOML:
        return {}


def _table(data: dict[str, Any], *keys: str) -> dict[str, Any]:
    for key in keys:
        inner = data.get(key)
        data = inner if isinstance(inner, dict) else {}
    return data


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _requires_python(plugin: Plugin) -> tuple[object, SpecifierSet | None]:
    """Return what ``requires-python`` says, and its range; ``None`` if it is not a range."""
    declared = _table(_toml(plugin), "project").get("requires-python")
    try:
        return declared, SpecifierSet(declared) if isinstance(declared, str) else SpecifierSet()
    except InvalidSpecifier:
        return declared, None


def _oldest_too_old(project: Project, plugin: Plugin, allowed: SpecifierSet) -> str:
    """Return the oldest Python that is allowed and that the SDK does not run on, or nothing."""
    if LOCK in plugin.files or not str(allowed):
        return ""
    for line in project.requirements:
        requirement = _requirement(line)
        if requirement and _names_sdk(line):
            if requirement.specifier.contains(_LAST_SDK_FOR_311):
                return ""
            return next((f"3.{n}" for n in range(8, 12) if allowed.contains(f"3.{n}.99")), "")
    return ""


def _are_requirements_complete(project: Project, plugin: Plugin) -> bool:
    """Return whether the list of requirements is all that the environment is made from."""
    if any(line.startswith("-") or "/" in line for line in project.requirements):
        return False
    if plugin.form is Form.SPEC:
        return True
    sources = plugin.sources or {}
    if PYPROJECT not in sources:
        return REQUIREMENTS in plugin.files
    declared = _table(_toml(plugin), "project")
    listed = declared.get("dependencies", [])
    return bool(declared) and isinstance(listed, list) and "dynamic" not in declared


def _requirement(line: str) -> Requirement | None:
    try:
        return Requirement(line)
    except InvalidRequirement:
        return None


def _names_sdk(line: str) -> bool:
    requirement = _requirement(line)
    return requirement is not None and canonicalize_name(requirement.name) == "dify-plugin"


def _is_private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(_PRIVATE_DOMAINS)


# Where they say it ---------------------------------------------------------------------------


def _of_requirement(plugin: Plugin, index: int, line: str, message: str) -> Problem:
    """Point at a requirement: in the spec, or in the file that the daemon installs from."""
    if plugin.form is Form.SPEC:
        return Problem(message, at=f"requirements[{index}]")
    file = PYPROJECT if PYPROJECT in plugin.files else REQUIREMENTS
    text = (plugin.sources or {}).get(file, "")
    return Problem(message, span=_first(file, text, line))


def _in_pyproject(plugin: Plugin, name: str, message: str, *, key: bool = False) -> Problem:
    """Point at the value of a key, or at a key or a table's name."""
    text = (plugin.sources or {}).get(PYPROJECT, "")
    pattern = (
        rf"^[ \t]*(?:(?P<table>\[[ \t]*{name}[ \t]*\])|(?P<key>[\"']?{name}[\"']?)[ \t]*=[ \t]*"
        r"(?P<value>\[[^]]*\]|[^#\n]*[^#\s]))"
    )
    match = re.search(pattern, text, re.MULTILINE)
    if match is None:
        return Problem(message, span=Span(PYPROJECT, 1, 1))
    part = "table" if match["table"] else "key" if key else "value"
    return Problem(message, span=span_in(PYPROJECT, text, *match.span(part)))


def _first(file: str, text: str, part: str) -> Span:
    """Return the span of the first occurrence of a text."""
    start = text.find(part)
    return span_in(file, text, start, start + len(part)) if start >= 0 else Span(file, 1, 1)


RULES = (
    sdk_requirement,
    requirement_form,
    sdk_bound,
    python_version,
    python_downloaded,
    build_system,
    private_index,
    private_index_configured,
    dev_group_missing,
    pyproject_form,
)
