"""Rules of what ruff finds: files that are not Python 3.12, and names that nothing defines.

Ruff finds a name; here it is told when Python looks it up: on start, in a request, or never.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from enum import Enum, auto

from xinfer.plugin.plugin import Plugin
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.python.code import PluginCode
from xinfer.rules.python.source import Module, is_tried
from xinfer.rules.python.tree import SCOPES, ancestors, own_nodes
from xinfer.rules.rule import Problem, rule

_ALWAYS_THERE = frozenset({"_", "__path__", "__class__", "__annotations__"})
_NOT_THIS_PYTHON = {"TYPE_CHECKING", "version_info", "platform"}
_CONDITIONS = (ast.If, ast.IfExp, ast.While, ast.Match, ast.BoolOp, ast.For, ast.With)
_FIX = "Import or define it, or correct the spelling."


class _Lookup(Enum):
    """When Python looks up a name."""

    ON_START = auto()
    IN_A_CALL = auto()
    IN_AN_ERROR = auto()


@rule(
    "XI600",
    Severity.ADVICE,
    Stage.START,
    source="xinfer rules/python/code.py: MOST_TOKENS",
    bad=("«»import json\nDEPTH = " + "-" * 300 + "1\n",),
    good=("DEPTH = " + "-" * 200 + "1\n",),
    fix="Leave out generated code and vendored libraries, and require the libraries instead.",
)
def not_checked(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """The plugin runs Python that is too large or nested too deeply for xinfer to check."""
    for path, reason in code.skipped.items():
        yield code.problem(path, f"{path} is not checked: {reason}")


@rule(
    "XI601",
    Severity.REFUSED,
    Stage.START,
    source="daemon internal/core/local_runtime/setup_python_environment.go: uv venv --python 3.12",
    bad=("def broken(«:»\n    pass\n",),
    good=("type Text = str\n",),
    fix="Correct the syntax.",
)
def unreadable_source(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """A module that the plugin starts with is not Python 3.12, so the SDK cannot start.

    The daemon compiles all modules when it installs the plugin, and only logs what fails.
    """
    for module in code.running:
        if module in code.started:
            yield from _unreadable(code, module)


@rule(
    "XI602",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="daemon internal/core/local_runtime/setup_python_environment.go: uv venv --python 3.12",
    bad=(
        {
            "models/llm/llm.py": "def later():\n    import helper\n\n    return helper\n",
            "helper.py": "«return 1»\n",
        },
    ),
    good=(
        {
            "models/llm/llm.py": "def later():\n    import helper\n\n    return helper\n",
            "helper.py": "x = 1\n",
        },
    ),
    fix="Correct the syntax.",
)
def unreadable_later(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """A module that is imported in a function is not Python 3.12, so the request fails."""
    for module in code.running:
        if module not in code.started:
            yield from _unreadable(code, module)


@rule(
    "XI610",
    Severity.REFUSED,
    Stage.START,
    source="sdk core/utils/class_loader.py: import_module_from_source",
    bad=(
        "def count(texts: «Sequence»[str]) -> int:\n    return len(texts)\n",
        "LIMIT = «DEFAULT_LIMIT» * 2\n",
    ),
    good=(
        "from collections.abc import Sequence\n"
        "def count(texts: Sequence[str]) -> int:\n    return len(texts)\n",
        'def count(texts: "Sequence[str]") -> int:\n    return len(texts)\n',
    ),
    fix=_FIX,
)
def undefined_on_start(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """A name is used while a module is imported, and nothing defines it; the SDK cannot start.

    Annotations count: Python 3.12 evaluates them where a function is defined, unless the module
    begins with ``from __future__ import annotations`` or they are in quotes. What is imported
    under ``TYPE_CHECKING`` does not exist at run time.
    """
    for module in code.running:
        if module in code.started:
            yield from _undefined(code, module, _Lookup.ON_START)


@rule(
    "XI628",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="Python: NameError",
    bad=("def later(texts):\n    return «txets»[0]\n",),
    good=(
        "def later(texts):\n    return texts[0]\n",
        "try:\n    unicode\nexcept NameError:\n    unicode = str\n",
    ),
    fix=_FIX,
)
def undefined_later(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """A name is used in a function, and nothing defines it: the request fails with a NameError."""
    for module in code.running:
        yield from _undefined(code, module, _Lookup.IN_A_CALL)
        if module not in code.started:
            yield from _undefined(code, module, _Lookup.ON_START)


@rule(
    "XI629",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="Python: NameError",
    bad=('def later(text):\n    raise ValueError(f"unknown: {«txet»}")\n',),
    good=('def later(text):\n    raise ValueError(f"unknown: {text}")\n',),
    fix=_FIX,
)
def undefined_in_error(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """A name is used in a ``raise``, and nothing defines it.

    The request fails either way, but with a NameError that hides what went wrong.
    """
    for module in code.running:
        yield from _undefined(code, module, _Lookup.IN_AN_ERROR)


def _unreadable(code: PluginCode, module: Module) -> Iterator[Problem]:
    failure = code.failure(module)
    if failure is not None:
        message = f"{module.path} is not Python 3.12: {failure.message}"
        yield Problem(message, at=module.path, span=module.span_of(failure))


def _undefined(code: PluginCode, module: Module, when: _Lookup) -> Iterator[Problem]:
    for node in code.undefined(module):
        if node.id not in _ALWAYS_THERE and _lookup(module, node) is when:
            yield module.problem(f"{node.id} is not defined", node)


def _lookup(module: Module, name: ast.Name) -> _Lookup | None:
    """Return when a name is looked up; ``None`` if that is never, or unknown.

    What stands under a condition outside of functions may be for type checkers, or for another
    Python; what a ``try`` catches is expected.
    """
    if module.is_dynamic or is_tried(module, name):
        return None
    lookup = _Lookup.ON_START
    conditional = False
    inner: ast.AST = name
    for outer in ancestors(module.parents, name):
        if isinstance(outer, ast.TypeAlias | ast.TypeVar) or _is_unread_note(module, outer, inner):
            return None
        if isinstance(outer, ast.If) and _is_of_another_python(outer.test):
            return None
        conditional |= isinstance(outer, _CONDITIONS)
        if isinstance(outer, ast.Raise):
            lookup, conditional = _Lookup.IN_AN_ERROR, False
        elif isinstance(outer, SCOPES) and _runs_inside(outer, inner):
            conditional = False
            lookup = _Lookup.IN_A_CALL if lookup is _Lookup.ON_START else lookup
        inner = outer
    return None if conditional else lookup


def _is_of_another_python(test: ast.expr) -> bool:
    """Return whether a condition is for type checkers, or for some version of Python."""
    return any(
        getattr(node, "id", getattr(node, "attr", "")) in _NOT_THIS_PYTHON
        for node in own_nodes(test)
    )


def _runs_inside(scope: ast.AST, node: ast.AST) -> bool:
    """Return whether a part of a function runs when it is called, not when it is defined."""
    if isinstance(scope, ast.Lambda):
        return node is scope.body
    return isinstance(node, ast.stmt) and not isinstance(scope, ast.ClassDef)


def _is_unread_note(module: Module, holder: ast.AST, node: ast.AST) -> bool:
    """Return whether a part of something is an annotation that Python never evaluates."""
    if node is not getattr(holder, "annotation", None) and node is not getattr(
        holder, "returns", None
    ):
        return False
    scope = next(
        (each for each in ancestors(module.parents, holder) if isinstance(each, SCOPES)), None
    )
    of_local = scope is not None and not isinstance(scope, ast.ClassDef)
    return (of_local and isinstance(holder, ast.AnnAssign)) or module.delays_annotations


RULES = (
    not_checked,
    unreadable_source,
    unreadable_later,
    undefined_on_start,
    undefined_later,
    undefined_in_error,
)
