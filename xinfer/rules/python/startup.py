"""Rules of what happens while the plugin starts: its entry point, and code that runs on import."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from xinfer.plugin.plugin import Plugin
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.python.code import PluginCode
from xinfer.rules.python.distributions import STANDARD_LIBRARY
from xinfer.rules.python.names import foreign
from xinfer.rules.python.source import Import, Module
from xinfer.rules.python.tree import ancestors, own_nodes
from xinfer.rules.rule import Problem, rule

_USE_URLLIB3 = {"requests", "urllib3", "boto3", "botocore"}
_PATCH = {"dify_plugin", "gevent"}
_CLIENTS = {"requests", "httpx"}
_VERBS = {"get", "post", "put", "patch", "delete", "head", "options", "request", "stream"}


@rule(
    "XI606",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="sdk dify_plugin/__init__.py: gevent.monkey.patch_all; executed with gevent 26.9",
    bad=({"main.py": "import «requests»\n"},),
    good=({"main.py": "import json\nimport dify_plugin\nimport requests\n"},),
    fix="Import dify_plugin first.",
)
def patched_too_late(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """The plugin imports requests or urllib3 before Dify's SDK: HTTPS ends in a RecursionError.

    The SDK replaces Python's sockets and TLS as soon as it is imported, so that requests run side
    by side. urllib3 holds on to the TLS of Python if it is imported before.
    """
    if code.entry is not None:
        for module, each in _in_order(code, code.entry):
            if each.root in _PATCH:
                return
            if each.root in _USE_URLLIB3:
                yield module.problem(f"{each.root} is imported before dify_plugin", each.alias)
                return


@rule(
    "XI607",
    Severity.REFUSED,
    Stage.START,
    source="daemon internal/core/local_runtime: no heartbeat within 120 seconds",
    bad=(
        {
            "manifest.yaml": "meta:\n  runner:\n    entrypoint: start\n",
            "start.py": "«»from dify_plugin import DifyPluginEnv, Plugin\n\n"
            "plugin = Plugin(DifyPluginEnv())\n",
        },
    ),
    good=(
        {
            "manifest.yaml": "meta:\n  runner:\n    entrypoint: start\n",
            "start.py": "from dify_plugin import DifyPluginEnv, Plugin\n\n"
            "Plugin(DifyPluginEnv()).run()\n",
        },
    ),
    fix='Call plugin.run() under if __name__ == "__main__".',
)
def never_run(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """The module that starts the plugin does not run it: the process ends before it is ready."""
    entry = code.entry
    if entry is None or entry.failure is not None:
        return
    roots = {each.root for each in entry.imports}
    if any(code.has_module(root) for root in roots) or not roots <= STANDARD_LIBRARY | {
        "dify_plugin"
    }:
        return
    if not any(getattr(node, "attr", getattr(node, "id", "")) == "run" for node in entry.nodes):
        yield entry.problem("nothing calls run() of the plugin")


@rule(
    "XI608",
    Severity.ADVICE,
    Stage.START,
    source="sdk core/utils/class_loader.py: import_module_from_source",
    bad=('MODELS = «requests.get("https://example.com/models", timeout=10)».json()\n',),
    good=(
        'def models():\n    return requests.get("https://example.com/models", timeout=10).json()\n',
    ),
    fix="Move it into the method that needs it.",
)
def request_on_import(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """A module asks a server while it is imported: if that fails, the plugin does not start."""
    for module in code.running:
        for node in own_nodes(module.tree) if module in code.started else ():
            if isinstance(node, ast.Call):
                root, _dot, name = foreign(code, module, node.func).partition(".")
                is_request = root in _CLIENTS and name in _VERBS
                if (
                    is_request or (root, name) == ("urllib", "request.urlopen")
                ) and not _is_conditional(module, node):
                    yield module.problem(f"{root}.{name} is called on import", node)


def _in_order(code: PluginCode, start: Module) -> Iterator[tuple[Module, Import]]:
    """Yield what is imported on start, in the order in which it happens."""
    seen = {start}
    waiting = [(start, iter(start.imports))]
    while waiting:
        module, rest = waiting[-1]
        each = next(rest, None)
        if each is None:
            waiting.pop()
        elif not (each.lazy or each.typing_only):
            yield module, each
            inner = [target for target in code.imported(each) if target not in seen]
            seen.update(inner)
            waiting += ((target, iter(target.imports)) for target in reversed(inner))


def _is_conditional(module: Module, node: ast.AST) -> bool:
    conditions = ast.If | ast.Try
    return any(isinstance(outer, conditions) for outer in ancestors(module.parents, node))


RULES = (patched_too_late, never_run, request_on_import)
