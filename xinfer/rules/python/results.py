"""Rules of what methods return: something at all, of the right shape, with all its fields."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from xinfer.plugin.plugin import Plugin
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.python.classes import Served, method, served
from xinfer.rules.python.code import PluginCode
from xinfer.rules.python.examples import MODEL
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
from xinfer.rules.rule import Problem, rule

_MUST_RETURN = ("_invoke", "get_num_tokens", "get_tts_model_voices")
_MESSAGE = "AssistantPromptMessage"
_USAGE = "_calc_response_usage"
_INVOKE = f"{MODEL}    def _invoke(self, *arguments):\n"
_TOKENS = f"{MODEL}    def get_num_tokens(self, model, credentials, prompt_messages, tools=None):\n"
_RESULT = f"{MODEL}    def _answer(self, model, text, usage):\n"


@rule(
    "XI631",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="sdk core/plugin_executor.py: PluginExecutor.invoke_llm",
    bad=(
        f"{_TOKENS}        if not prompt_messages:\n            «return»\n        return 1\n",
        f"{MODEL}    def «_invoke»(self, *arguments):\n        self._ask(*arguments)\n",
    ),
    good=(f"{_INVOKE}        raise InvokeBadRequestError\n",),
    fix="Return the result.",
)
def nothing_returned(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """A method returns nothing where a result is due.

    The SDK or the daemon refuses it: ``'NoneType' object is not iterable`` of a language model.
    """
    for each in served(code):
        for name in _MUST_RETURN:
            own = method(code, each, name) if name in each.calls else None
            if own is None or yields(own[1]) or own[1].decorator_list:
                continue
            results = [node for node in returned(own[1]) if gives_value(node)]
            empty = [node for node in returned(own[1]) if not gives_value(node)]
            dotted = f"{each.own.node.name}.{name}"
            if empty:
                yield own[0].problem(f"{dotted} returns None here", empty[0])
            elif not results and may_end(own[1].body):
                yield own[0].problem(f"{dotted} returns nothing", own[1])


@rule(
    "XI632",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="Python: a function with yield is a generator",
    bad=(
        f"{_INVOKE}        if not arguments[6]:\n            «return self._ask(*arguments[:3])»\n"
        "        yield from self._stream(*arguments)\n",
    ),
    good=(
        f"{_INVOKE}        if not arguments[6]:\n            return self._ask(*arguments[:3])\n"
        "        return self._stream(*arguments)\n",
    ),
    fix="Put the stream into a method of its own.",
)
def mixed_return(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """A method yields in one place and returns a result in another.

    With a ``yield`` anywhere in it Python makes all of it a generator, and what is returned is
    lost: without streaming, Dify gets an empty answer.
    """
    for each in served(code):
        if each.kind in STREAMS:
            for module, node in answering(code, each):
                lost = [result for result in returned(node) if gives_value(result)]
                if lost and yields(node):
                    yield module.problem(f"{node.name} yields, so that this is lost", lost[0])


@rule(
    "XI633",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="sdk core/plugin_executor.py: PluginExecutor.get_llm_num_tokens and its like",
    bad=(_TOKENS.replace("get_num_tokens", "«get_num_tokens»") + "        yield 1\n",),
    good=(f"{_INVOKE}        yield from self._stream(*arguments)\n",),
    fix="Return the whole result.",
)
def stream_not_possible(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """A method yields where the SDK expects one result; only language and speech models stream."""
    for each in served(code):
        for name in each.calls:
            own = method(code, each, name)
            streams = each.kind in STREAMS and name == "_invoke"
            if own and not streams and yields(own[1]) and not own[1].decorator_list:
                yield own[0].problem(f"{each.own.node.name}.{name} yields", own[1])


@rule(
    "XI634",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="daemon pkg/entities/model_entities/llm.go: LLMGetNumTokensResponse",
    bad=(
        f"{_TOKENS}        «return len(str(prompt_messages)) / 4»\n",
        f"{_RESULT}        return self._calc_response_usage(model, {{}}, «len(text) / 4», 1)\n",
    ),
    good=(f"{_TOKENS}        return len(str(prompt_messages)) // 4\n",),
    fix="Return whole numbers; for the texts of an embedding model, a list of them.",
)
def tokens_of_wrong_shape(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """Tokens are counted in fractions, or in another shape than the daemon takes.

    A language model's ``get_num_tokens`` returns an int, that of an embedding model a list with
    an int for each text. The SDK passes on whatever it is, and the daemon refuses the answer.
    """
    for each in served(code):
        counting = method(code, each, "get_num_tokens")
        if counting is None or yields(counting[1]):
            continue
        wrong = {"llm": {"float", "list", "str"}}.get(each.kind, {"int", "float", "str"})
        for result in returned(counting[1]):
            kind = shape(code, counting[0], counting[1], result.value)
            if kind in wrong:
                yield counting[0].problem(
                    f"get_num_tokens returns a {kind} for {each.kind}", result
                )
    for module in code.running:
        for node in module.each(ast.Call):
            if getattr(node.func, "attr", "") == _USAGE:
                counts = _arguments(node, "prompt_tokens", "completion_tokens")
                for value in (*node.args[2:4], *counts):
                    if shape(code, module, None, value) == "float":
                        yield module.problem("tokens are counted in fractions", value)


@rule(
    "XI635",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="sdk entities/model/llm.py, rerank.py, text_embedding.py: pydantic models",
    bad=(
        f"{_RESULT}        return «LLMResult(model=model, usage=usage)»\n",
        f"{_RESULT}        return «LLMResult(model, [], text, usage)»\n",
    ),
    good=(
        f"{_RESULT}        message = AssistantPromptMessage(content=text)\n"
        "        return LLMResult(model=model, message=message, usage=usage)\n",
    ),
    fix="Pass every field that it must have, each by its name.",
)
def result_incomplete(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """A result is made without a field that it must have, or with fields by place: it fails."""
    for module, node, name in _constructed(code):
        fields = {keyword.arg for keyword in node.keywords}
        if None in fields:
            continue
        lacking = sorted(RESULTS[name] - fields)
        if node.args:
            if not any(isinstance(argument, ast.Starred) for argument in node.args):
                yield module.problem(f"{name} takes its fields by name only", node)
        elif lacking:
            yield module.problem(f"{name} is made without {', '.join(lacking)}", node)


@rule(
    "XI636",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="daemon pkg/entities/model_entities/llm.go: PromptMessage",
    bad=(
        f"{_RESULT}        return LLMResult(\n"
        "            model=model, message=«AssistantPromptMessage(tool_calls=[])», usage=usage\n"
        "        )\n",
    ),
    good=(
        f"{_RESULT}        message = AssistantPromptMessage(content='', tool_calls=[])\n"
        "        return LLMResult(model=model, message=message, usage=usage)\n",
    ),
    fix='Pass content="".',
)
def content_missing(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """An answer's message has no content, which is then None; the daemon refuses the answer.

    That holds for messages with nothing but calls of tools, too.
    """
    for module, node, _name in _constructed(code):
        for value in _arguments(node, "message"):
            if (
                isinstance(value, ast.Call)
                and foreign(code, module, value.func).startswith("dify_plugin.")
                and foreign(code, module, value.func).endswith(f".{_MESSAGE}")
                and not value.args
                and _has_no_content(value)
            ):
                yield module.problem(f"{_MESSAGE} is made without content", value)


def answering(code: PluginCode, each: Served) -> Iterator[tuple[Module, Function]]:
    """Yield ``_invoke`` and the methods whose results it returns as they are, and so on."""
    waiting = ["_invoke"]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        own = method(code, each, name) if name not in seen else None
        seen.add(name)
        if own is not None:
            yield own
            waiting += (name for result in returned(own[1]) for name in _methods(result.value))


def _methods(value: ast.expr | None) -> Iterator[str]:
    """Name the methods of the same object whose results a value may be."""
    waiting = [value]
    while waiting:
        expression = waiting.pop()
        if isinstance(expression, ast.IfExp):
            waiting += [expression.body, expression.orelse]
        elif isinstance(expression, ast.Call) and (name := own_method(expression.func)):
            yield name


def _constructed(code: PluginCode) -> Iterator[tuple[Module, ast.Call, str]]:
    """Yield where an entity of :data:`RESULTS` is constructed."""
    for module in code.running:
        for node in module.each(ast.Call):
            dotted = foreign(code, module, node.func)
            name = dotted.rpartition(".")[2]
            if dotted.startswith("dify_plugin.") and name in RESULTS:
                yield module, node, name


def _arguments(node: ast.Call, *names: str) -> list[ast.expr]:
    arguments: Mapping[str | None, ast.expr] = {each.arg: each.value for each in node.keywords}
    return [arguments[name] for name in names if name in arguments]


def _has_no_content(node: ast.Call) -> bool:
    if any(keyword.arg is None for keyword in node.keywords):
        return False
    content = _arguments(node, "content")
    return not content or (isinstance(content[0], ast.Constant) and content[0].value is None)


RULES = (
    nothing_returned,
    mixed_return,
    stream_not_possible,
    tokens_of_wrong_shape,
    result_incomplete,
    content_missing,
)
