"""Rules of streams: generators that nobody runs, errors in them, answers too large for a line."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Set

from xinfer.rules.finding import Severity, Stage
from xinfer.rules.python.classes import Method, Served, find, served
from xinfer.rules.python.code import PluginCode
from xinfer.rules.python.names import Own, foreign, meaning
from xinfer.rules.python.results import answering
from xinfer.rules.python.source import Module
from xinfer.rules.python.tree import (
    FUNCTIONS,
    Function,
    ancestors,
    body_nodes,
    own_method,
    own_nodes,
    returned,
    yields,
)
from xinfer.rules.rule import Problem, Subject, rule

_PIECES = {"iter_lines", "iter_content", "iter_text", "iter_bytes", "iter_raw"}
_CLIENTS = {"requests", "httpx"}
_WHOLE = {"read", "getvalue"}


@rule(
    "XI641",
    Severity.BROKEN,
    Stage.RUN_TIME,
    fix="Catch them there, and raise the SDK's Invoke errors.",
)
def stream_errors_unmapped(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """A stream is read without a ``try``: an error in the middle of it comes to Dify raw.

    The SDK maps what ``_invoke`` raises by ``_invoke_error_mapping``; once it has returned a
    generator, it no longer does. A broken connection is then no InvokeConnectionError, and Dify
    does not try another key or model.
    """
    own = {node.name for module in code.running for node in module.each(ast.FunctionDef)}
    for one in served(code):
        if one.kind == "llm":
            for module, node in answering(code, one):
                if not yields(node) or node.decorator_list:
                    continue
                for inner in body_nodes(node):
                    read = isinstance(inner, ast.For) and _is_read(inner, _PIECES - own)
                    if read and not _is_guarded(code, module, inner):
                        yield module.problem("the stream is read without a try", inner)


@rule("XI642", Severity.BROKEN, Stage.RUN_TIME, fix="Go through it with for, or next().")
def generator_never_run(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """A generator is called and thrown away, so that nothing in it ever runs.

    Where validation does that, every key passes. ``invoke`` of a language model is a generator,
    too.
    """
    for one in served(code):
        for module, node in _methods_of(one):
            for inner in body_nodes(node):
                if isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Call):
                    name = _generator(code, one, module, inner.value.func)
                    if name:
                        yield module.problem(f"{name} is a generator, and nothing runs it", inner)


@rule("XI643", Severity.ADVICE, Stage.RUN_TIME, fix="Yield it in pieces, iter_content(8192) say.")
def audio_at_once(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """Speech is returned whole: a long one ends the plugin.

    The SDK writes it in one line, twice as long in hex, and the daemon ends a plugin that writes
    more than 5 MiB in a line: some 2.6 MB of audio, which is a minute of WAV.
    """
    for one in served(code):
        if one.kind == "tts":
            for module, node in answering(code, one):
                for given in returned(node) if not yields(node) else ():
                    if given.value is not None and _is_whole(given.value):
                        yield module.problem("all of the audio is returned at once", given)


def _methods_of(one: Served) -> Iterator[tuple[Module, Function]]:
    for owner in one.lineage.order:
        if not isinstance(owner, str) and isinstance(owner.node, ast.ClassDef):
            for node in owner.node.body:
                if isinstance(node, FUNCTIONS):
                    yield owner.module, node


def _generator(code: PluginCode, one: Served, module: Module, called: ast.expr) -> str | None:
    """Name what is called, where that is certainly a generator."""
    name = own_method(called)
    if name == "invoke" and one.kind == "llm":
        return "invoke" if isinstance(find(code, one.lineage, name), str | None) else None
    if name is not None:
        found = find(code, one.lineage, name)
        node = found.node if isinstance(found, Method) else None
    else:
        known = meaning(code, module, called)
        node = known.node if isinstance(known, Own) else None
    if isinstance(node, ast.FunctionDef) and yields(node) and not node.decorator_list:
        return node.name
    return None


def _is_read(node: ast.For, reading: Set[str]) -> bool:
    """Say whether a loop goes through the body of an HTTP answer, and yields from it."""
    called = node.iter.func if isinstance(node.iter, ast.Call) else None
    return getattr(called, "attr", "") in reading and any(
        isinstance(one, ast.Yield | ast.YieldFrom) for one in own_nodes(node)
    )


def _is_guarded(code: PluginCode, module: Module, node: ast.AST) -> bool:
    """Say whether something around a statement may map its errors."""
    for outer in ancestors(module.parents, node):
        if isinstance(outer, FUNCTIONS):
            return False
        if isinstance(outer, ast.Try | ast.TryStar) and outer.handlers:
            return True
        if isinstance(outer, ast.With) and not all(
            _is_plain(code, module, item.context_expr) for item in outer.items
        ):
            return True
    return False


def _is_plain(code: PluginCode, module: Module, node: ast.expr) -> bool:
    """Say whether a ``with`` only closes what it opens."""
    called = node.func if isinstance(node, ast.Call) else node
    return foreign(code, module, called).partition(".")[0] in _CLIENTS | {"contextlib"}


def _is_whole(node: ast.expr) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr == "content"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr == "join":
            joined = node.func.value
            return isinstance(joined, ast.Constant) and isinstance(joined.value, bytes)
        return node.func.attr in _WHOLE
    return False


RULES = (
    stream_errors_unmapped,
    generator_never_run,
    audio_at_once,
)
