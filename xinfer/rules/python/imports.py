"""Rules of imports: what cannot be read, what is not there, what comes in the wrong order."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from packaging.version import Version

from xinfer.rules.finding import Severity, Stage
from xinfer.rules.python.code import PluginCode
from xinfer.rules.python.distributions import KNOWN, provided, provides, sdk_version
from xinfer.rules.python.names import bindings, foreign
from xinfer.rules.python.sdk_names import NAMES, NEWEST, ROOMS
from xinfer.rules.python.source import Import, Module
from xinfer.rules.python.tree import ancestors, own_nodes
from xinfer.rules.rule import Problem, Subject, rule
from xinfer.spec import Span

_GONE = {"asynchat", "asyncore", "distutils", "imp", "smtpd"}
"""Modules of Python that its version 3.12 no longer has."""
_NO_LONGER = """
    aifc audioop cgi cgitb chunk crypt imghdr lib2to3 mailcap msilib nis nntplib ossaudiodev pipes
    sndhdr spwd sunau telnetlib uu xdrlib
"""
"""Modules that 3.12 has, and the Python that runs this may not."""
PYTHONS_OWN = (sys.stdlib_module_names | set(_NO_LONGER.split())) - _GONE
_PATCHED = {"ssl", "requests", "urllib3", "httpx", "aiohttp", "grpc", "httpcore", "openai", "boto3"}
_SINCE = Version("0.9.0")
_FOLDERS = {"openai_compatible"}
_PATCHES = {"dify_plugin", "gevent"}


@rule("XI601", Severity.REFUSED, Stage.START, fix="Correct it; python -m compileall finds it, too.")
def unreadable_source(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """A module that the plugin starts with is no Python 3.12, so the SDK cannot start.

    The daemon compiles all modules when it installs the plugin, and only logs what fails.
    """
    for module in code.running:
        if module in code.started:
            yield from _unreadable(code, module)


@rule(
    "XI602", Severity.BROKEN, Stage.RUN_TIME, fix="Correct it; python -m compileall finds it, too."
)
def unreadable_later(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """A module that is imported inside of a function is no Python 3.12: the request fails."""
    for module in code.running:
        if module not in code.started:
            yield from _unreadable(code, module)


@rule("XI603", Severity.REFUSED, Stage.START, fix="Correct the name, or add the module.")
def import_missing(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """An import names what is not there; the SDK cannot start.

    A module has to be in the plugin, from whose root all names begin, and not in a folder that
    the ignore file leaves out. A relative import does not lead out of the root.
    """
    for module in code.running:
        for one in module.imports:
            if module in code.started and not one.lazy and (said := _missing(code, module, one)):
                yield module.problem(said, one.node)


@rule("XI604", Severity.BROKEN, Stage.RUN_TIME, fix="Correct the name, or add the module.")
def import_missing_later(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """An import inside of a function names what is not there; the request fails."""
    for module in code.running:
        for one in module.imports:
            later = one.lazy or module not in code.started
            if later and (said := _missing(code, module, one)):
                yield module.problem(said, one.node)


@rule("XI605", Severity.ADVICE, Stage.RUN_TIME, fix="Add the package to the plugin's dependencies.")
def package_not_required(code: PluginCode, subject: Subject) -> Iterator[Problem]:
    """A package is imported that the plugin does not require.

    The plugin does not start without it; it may be there because another package needs it, until
    that one no longer does. What Dify's SDK requires is always there.
    """
    given = provided(subject)
    if given is None:
        return
    seen = {"dify_plugin"}  # of which XI119 speaks
    for module in code.running:
        for one in module.imports:
            root = (one.module or "").partition(".")[0]
            if one.careful or one.typing_only or root in seen or not _is_elsewhere(code, root):
                continue
            if not any(provides(name, one.module or "") for name in given.names) and (
                given.closed or root in KNOWN
            ):
                seen.add(root)
                yield module.problem(f"nothing in the dependencies provides {root}", one.node)


@rule("XI606", Severity.BROKEN, Stage.RUN_TIME, fix="Import dify_plugin first.")
def patched_too_late(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """The plugin imports ssl, or a library that does, before Dify's SDK.

    The SDK replaces sockets and threads as soon as it is imported, so that requests run side by
    side. What has taken hold of the old ones before blocks all requests, or recurses endlessly.
    """
    if code.entry is not None:
        for module, one in _in_order(code, code.entry):
            root = (one.module or "").partition(".")[0]
            if root in _PATCHES:
                return
            if root in _PATCHED:
                yield module.problem(f"{root} is imported before dify_plugin", one.node)
                return


@rule("XI609", Severity.REFUSED, Stage.START, fix="Correct the name.")
def sdk_name_missing(code: PluginCode, subject: Subject) -> Iterator[Problem]:
    """An import names something that Dify's SDK does not have; the plugin cannot start.

    Looked at are the modules that models need, of version 0.9.0 to 0.10.2, unless a lock or a
    requirement names another.
    """
    least, first_not = sdk_version(subject)
    exact = least is not None and least == first_not and least in (NEWEST, _SINCE)
    if (first_not is not None and not exact) or (least is not None and least > NEWEST):
        return
    for module in code.running:
        for one in module.imports:
            if not (one.careful or one.lazy or one.typing_only) and module in code.started:
                parts = (one.module or "").split(".")
                if parts[0] != "dify_plugin" or one.name == "*":
                    continue
                known = NAMES.get(one.module or "")
                below_it = f"{one.module}.{one.name}" in NAMES or one.name in _FOLDERS
                if len(parts) > 1 and parts[1] not in ROOMS:
                    yield module.problem(f"dify_plugin has no {parts[1]}", one.node)
                elif known and one.name and not below_it and one.name not in known | ROOMS:
                    yield module.problem(f"{one.module} has no {one.name}", one.node)


@rule(
    "XI607", Severity.REFUSED, Stage.START, fix='Write plugin.run() under __name__ == "__main__".'
)
def never_run(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """The module that starts the plugin does not run it: the process ends before it is ready."""
    entry = code.entry
    if entry is None or entry.failure is not None:
        return
    roots = {(one.module or "").partition(".")[0] for one in entry.imports}
    if any(code.holds(root) for root in roots) or not roots <= PYTHONS_OWN | {"dify_plugin"}:
        return
    if not any(getattr(node, "attr", getattr(node, "id", "")) == "run" for node in entry.nodes):
        yield entry.problem("nothing in it calls the plugin's run()")


@rule("XI608", Severity.ADVICE, Stage.RUN_TIME, fix="Move it into the method that needs it.")
def request_on_import(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """A module asks a server while it is imported: where that fails, the plugin does not start."""
    for module in sorted(code.started, key=lambda one: one.path):
        for node in own_nodes(module.tree):
            if isinstance(node, ast.Call):
                root, _dot, name = foreign(code, module, node.func).partition(".")
                asks = root in {"requests", "httpx"} and name in _VERBS
                if (asks or (root, name) == ("urllib", "request.urlopen")) and not _is_conditional(
                    module, node
                ):
                    yield module.problem(f"{root}.{name} is called on import", node)


_VERBS = {"get", "post", "put", "patch", "delete", "head", "options", "request", "stream"}


def _unreadable(code: PluginCode, module: Module) -> Iterator[Problem]:
    failure = code.failure(module)
    if failure is not None:
        place = Span(module.path, failure.line, failure.column)
        yield Problem(f"{module.path}: {failure.message}", at=module.path, span=place)


def _missing(code: PluginCode, module: Module, one: Import) -> str | None:
    """Say what an import does not find, where that is certain."""
    if one.careful or one.typing_only:
        return None
    if one.module is None:
        return "a relative import leads out of the plugin"
    root = one.module.partition(".")[0]
    if not code.holds(root):
        return f"Python 3.12 has no module {root}" if root in _GONE else None
    if root in PYTHONS_OWN or (root in KNOWN and f"{root}/__init__.py" not in code.files):
        return None
    if not code.holds(one.module):
        return f"there is no {one.module} in the plugin"
    if one.name in (None, "*") or code.holds(f"{one.module}.{one.name}"):
        return None
    target = code.module(one.module)
    if target is None:
        unknown = one.module in code.paths
        return None if unknown else f"there is no {one.module}.{one.name} in the plugin"
    names = bindings(target, target.tree)
    if target.failure or one.name in names or "__getattr__" in names or target.is_dynamic:
        return None
    return None if target is module else f"{target.path} has no {one.name}"


def _is_elsewhere(code: PluginCode, root: str) -> bool:
    return bool(root) and root not in PYTHONS_OWN | _GONE and not code.holds(root)


def _in_order(code: PluginCode, start: Module) -> Iterator[tuple[Module, Import]]:
    """Yield what is imported on start, in the order in which it happens."""
    seen = {start}
    waiting = [(start, iter(start.imports))]
    while waiting:
        module, rest = waiting[-1]
        one = next(rest, None)
        if one is None:
            waiting.pop()
        elif not (one.lazy or one.typing_only):
            yield module, one
            inner = [found for found in code.imported(one) if found not in seen]
            seen.update(inner)
            waiting += ((found, iter(found.imports)) for found in reversed(inner))


def _is_conditional(module: Module, node: ast.AST) -> bool:
    careful = ast.If | ast.Try
    return any(isinstance(outer, careful) for outer in ancestors(module.parents, node))


RULES = (
    unreadable_source,
    unreadable_later,
    import_missing,
    import_missing_later,
    package_not_required,
    patched_too_late,
    sdk_name_missing,
    never_run,
    request_on_import,
)
