"""Rules of what methods return: something at all, of the right shape, with all its fields."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from xinfer.rules.finding import Severity, Stage
from xinfer.rules.python.classes import Served, method, served
from xinfer.rules.python.code import PluginCode
from xinfer.rules.python.names import foreign
from xinfer.rules.python.sdk import RESULTS, STREAMS
from xinfer.rules.python.shapes import shape
from xinfer.rules.python.source import Module
from xinfer.rules.python.tree import (
    Function,
    gives_value,
    may_end,
    own_method,
    returned,
    yields,
)
from xinfer.rules.rule import Problem, Subject, rule

_MUST_RETURN = ("_invoke", "get_num_tokens", "get_tts_model_voices")
_MESSAGE = "AssistantPromptMessage"
_USAGE = "_calc_response_usage"


@rule("XI631", Severity.BROKEN, Stage.RUN_TIME, fix="Return the result.")
def nothing_returned(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """A method returns nothing where a result is due.

    The SDK or the daemon refuses it: ``'NoneType' object is not iterable`` of a language model.
    """
    for one in served(code):
        for name in _MUST_RETURN:
            found = method(code, one, name) if name in one.calls else None
            if found is None or yields(found[1]) or found[1].decorator_list:
                continue
            given = [node for node in returned(found[1]) if gives_value(node)]
            empty = [node for node in returned(found[1]) if not gives_value(node)]
            said = f"{one.own.node.name}.{name}"
            if empty:
                yield found[0].problem(f"{said} returns None here", empty[0])
            elif not given and may_end(found[1].body):
                yield found[0].problem(f"{said} returns nothing", found[1])


@rule("XI632", Severity.BROKEN, Stage.RUN_TIME, fix="Put the stream into a method of its own.")
def mixed_return(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """A method yields in one place and returns a result in another.

    With a ``yield`` anywhere in it Python makes all of it a generator, and what is returned is
    lost: without streaming, Dify gets an empty answer.
    """
    for one in served(code):
        if one.kind in STREAMS:
            for module, node in answering(code, one):
                lost = [given for given in returned(node) if gives_value(given)]
                if lost and yields(node):
                    yield module.problem(f"{node.name} yields, so that this is lost", lost[0])


@rule("XI633", Severity.BROKEN, Stage.RUN_TIME, fix="Return the whole result.")
def stream_not_possible(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """A method yields where the SDK wants one result; only language and speech models stream."""
    for one in served(code):
        for name in one.calls:
            found = method(code, one, name)
            streams = one.kind in STREAMS and name == "_invoke"
            if found and not streams and yields(found[1]) and not found[1].decorator_list:
                yield found[0].problem(f"{one.own.node.name}.{name} yields", found[1])


@rule(
    "XI634", Severity.BROKEN, Stage.RUN_TIME, fix="Return whole numbers; for texts, a list of them."
)
def tokens_of_wrong_shape(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """Tokens are counted in fractions, or in another shape than the daemon takes.

    A language model's ``get_num_tokens`` returns an int, that of an embedding model a list with
    an int for each text. The SDK passes on whatever it is, and the daemon refuses the answer.
    """
    for one in served(code):
        found = method(code, one, "get_num_tokens")
        if found is None or yields(found[1]):
            continue
        wrong = {"llm": {"float", "list", "str"}}.get(one.kind, {"int", "float", "str"})
        for given in returned(found[1]):
            said = shape(code, found[0], found[1], given.value)
            if said in wrong:
                yield found[0].problem(f"get_num_tokens returns a {said} for {one.kind}", given)
    for module in code.running:
        for node in module.each(ast.Call):
            if getattr(node.func, "attr", "") == _USAGE:
                for value in (*node.args[2:4], *_said(node, "prompt_tokens", "completion_tokens")):
                    if shape(code, module, None, value) == "float":
                        yield module.problem("tokens are counted in fractions", value)


@rule("XI635", Severity.BROKEN, Stage.RUN_TIME, fix="Name the field, or leave it out of the call.")
def result_incomplete(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """A result is made without a field that it must have, or with fields by place: it fails."""
    for module, node, name in _made(code):
        said = {keyword.arg for keyword in node.keywords}
        if None in said:
            continue
        lacking = sorted(RESULTS[name] - said)
        if node.args:
            if not any(isinstance(one, ast.Starred) for one in node.args):
                yield module.problem(f"{name} takes its fields by name only", node)
        elif lacking:
            yield module.problem(f"{name} is made without {', '.join(lacking)}", node)


@rule("XI636", Severity.BROKEN, Stage.RUN_TIME, fix='Say content="".')
def content_missing(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """An answer's message has no content, which is then None; the daemon refuses the answer.

    That holds for messages with nothing but calls of tools, too.
    """
    for module, node, _name in _made(code):
        for value in _said(node, "message"):
            if (
                isinstance(value, ast.Call)
                and foreign(code, module, value.func).startswith("dify_plugin.")
                and foreign(code, module, value.func).endswith(f".{_MESSAGE}")
                and not value.args
                and _has_no_content(value)
            ):
                yield module.problem(f"{_MESSAGE} is made without content", value)


def answering(code: PluginCode, one: Served) -> Iterator[tuple[Module, Function]]:
    """Yield ``_invoke`` and the methods whose results it returns as they are, and so on."""
    waiting = ["_invoke"]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        found = method(code, one, name) if name not in seen else None
        seen.add(name)
        if found is not None:
            yield found
            waiting += (called for given in returned(found[1]) for called in _methods(given.value))


def _methods(value: ast.expr | None) -> Iterator[str]:
    """Name the methods of the same object whose results a value may be."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, ast.IfExp):
            waiting += [one.body, one.orelse]
        elif isinstance(one, ast.Call) and (name := own_method(one.func)):
            yield name


def _made(code: PluginCode) -> Iterator[tuple[Module, ast.Call, str]]:
    """Yield where an entity of :data:`RESULTS` is made."""
    for module in code.running:
        for node in module.each(ast.Call):
            named = foreign(code, module, node.func)
            name = named.rpartition(".")[2]
            if named.startswith("dify_plugin.") and name in RESULTS:
                yield module, node, name


def _said(node: ast.Call, *names: str) -> list[ast.expr]:
    said: Mapping[str | None, ast.expr] = {one.arg: one.value for one in node.keywords}
    return [said[name] for name in names if name in said]


def _has_no_content(node: ast.Call) -> bool:
    if any(one.arg is None for one in node.keywords):
        return False
    content = _said(node, "content")
    return not content or (isinstance(content[0], ast.Constant) and content[0].value is None)


RULES = (
    nothing_returned,
    mixed_return,
    stream_not_possible,
    tokens_of_wrong_shape,
    result_incomplete,
    content_missing,
)
