"""Rules of how the SDK calls the methods of a plugin's classes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from xinfer.plugin.plugin import Plugin
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.python.classes import method, served
from xinfer.rules.python.code import PluginCode
from xinfer.rules.python.examples import MODEL, added_by_users
from xinfer.rules.python.results import answering
from xinfer.rules.python.signatures import misfit
from xinfer.rules.python.source import Module
from xinfer.rules.python.tree import body_nodes, own_method
from xinfer.rules.rule import Problem, rule
from xinfer.spec import ConfigurateMethod

_OF_CUSTOM_MODELS = {"validate_credentials", "get_customizable_model_schema"}
"""What the SDK calls for models that users add, and for no others."""
_EXECUTOR = "sdk core/plugin_executor.py: PluginExecutor.invoke_llm, invoke_tts and their like"
_MODULE = "models/rerank/rerank.py"
_PLUGIN = added_by_users("rerank", _MODULE)
_RERANKER = """\
import dify_plugin


class AcmeRerank(dify_plugin.OAICompatRerankModel):
    def _invoke(self, model, credentials, query, docs, score_threshold=None, top_n=None, user=None):
        return super()._invoke(model, credentials, query, docs[:{}])
"""


@rule(
    "XI621",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=_EXECUTOR,
    bad=(
        f"{MODEL}    def «_invoke»(self, model, credentials, prompt_messages):\n"
        "        return self.answer(prompt_messages)\n",
        f"{MODEL}    def «get_num_tokens»(self, model, credentials):\n        return 0\n",
    ),
    good=(f"{MODEL}    def _invoke(self, *arguments):\n        return self.answer(*arguments)\n",),
    fix="Take the parameters of the SDK's method.",
)
def signature_differs(code: PluginCode, plugin: Plugin) -> Iterator[Problem]:
    """A method cannot be called as the SDK calls it: each call fails with a TypeError.

    The SDK passes most arguments by place, ``tools``, ``stop`` and ``user`` included, and those
    of speech by name.
    """
    for each in served(code):
        for name, call in each.calls.items():
            own = method(code, each, name) if _is_called(plugin, name) else None
            if own and (why := misfit(own[1], call)):
                yield own[0].problem(f"{each.own.node.name}.{name} {why}", own[1])


@rule(
    "XI622",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=_EXECUTOR,
    bad=(
        f"{MODEL}    async def «get_num_tokens»(\n"
        "        self, model, credentials, prompt_messages, tools=None\n"
        "    ):\n        return 0\n",
    ),
    good=(
        f"{MODEL}    def get_num_tokens(self, model, credentials, prompt_messages, tools=None):\n"
        "        return 0\n",
    ),
    fix="Write def instead of async def, and call the server without await.",
)
def asynchronous_method(code: PluginCode, plugin: Plugin) -> Iterator[Problem]:
    """A method that the SDK calls is asynchronous; it is never awaited, and does nothing."""
    for each in served(code):
        for name in each.calls:
            own = method(code, each, name) if _is_called(plugin, name) else None
            if own and isinstance(own[1], ast.AsyncFunctionDef) and not own[1].decorator_list:
                yield own[0].problem(f"{each.own.node.name}.{name} is asynchronous", own[1])


@rule(
    "XI627",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="sdk interfaces/model/ai_model.py: AIModel.timing_context",
    bad=(f"{MODEL}    def _invoke(self, *arguments):\n        return «self.invoke(*arguments)»\n",),
    good=(
        f"{MODEL}    def _invoke(self, *arguments):\n        return self._answer(*arguments)\n\n"
        "    def _answer(self, *arguments):\n        return self._ask(*arguments)\n",
    ),
    fix="Call self._invoke.",
)
def nested_invoke(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """``_invoke`` calls ``self.invoke``, which calls it: the SDK refuses to time a call twice."""
    for each in served(code):
        invoke = method(code, each, "_invoke")
        for node in body_nodes(invoke[1]) if invoke else ():
            if invoke and isinstance(node, ast.Call) and own_method(node.func) == "invoke":
                yield invoke[0].problem("_invoke calls self.invoke", node)


@rule(
    "XI644",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="dify api/core/plugin/impl/model.py: invoke_rerank sends null; "
    "daemon pkg/entities/requests/model.go: RequestInvokeRerank.TopN is an int",
    bad=({**_PLUGIN, _MODULE: _RERANKER.format("«top_n»")},),
    good=({**_PLUGIN, _MODULE: _RERANKER.format("top_n or len(docs)")},),
    fix="Treat 0 like None: top_n or len(docs).",
)
def none_of_the_documents(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """``top_n`` is taken as it comes; the daemon sends 0 if the caller gives none.

    ``docs[:0]`` leaves no document, and a service that is sent a 0 refuses or obeys it. Dify's
    own retrieval always gives a number; what else calls the model may not.
    """
    for each in served(code):
        for module, node in answering(code, each) if each.kind == "rerank" else ():
            nodes = [*body_nodes(node)]
            filtered = any(isinstance(inner, ast.DictComp) for inner in nodes)
            if filtered or any(_is_weighed(module, inner) for inner in nodes):
                continue
            for inner in nodes:
                if _is_top_n(inner) and _is_literal(module, inner):
                    yield module.problem("top_n is 0 if the caller gives none", inner)


def _is_called(plugin: Plugin, name: str) -> bool:
    """Return whether the SDK calls a method, given what users can configure."""
    methods = plugin.project.provider.configurate_methods
    if name == "validate_provider_credentials":
        return ConfigurateMethod.PREDEFINED_MODEL in methods
    return name not in _OF_CUSTOM_MODELS or ConfigurateMethod.CUSTOMIZABLE_MODEL in methods


def _is_top_n(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "top_n" and isinstance(node.ctx, ast.Load)


def _is_weighed(module: Module, node: ast.AST) -> bool:
    """Return whether ``top_n`` is looked at in a way that a 0 may be found, or set anew."""
    if isinstance(node, ast.Name) and node.id == "top_n" and isinstance(node.ctx, ast.Store):
        return True
    if not _is_top_n(node):
        return False
    around = module.parents[node]
    if isinstance(around, ast.Compare):
        return not all(isinstance(operator, ast.Is | ast.IsNot) for operator in around.ops)
    if isinstance(around, ast.If | ast.IfExp | ast.While):
        return around.test is node
    return isinstance(around, ast.BoolOp | ast.UnaryOp | ast.Call | ast.BinOp)


def _is_literal(module: Module, node: ast.AST) -> bool:
    """Return whether ``top_n`` is used as it is: to cut a list, or in what is sent."""
    around = module.parents[node]
    if isinstance(around, ast.Slice):
        return around.upper is node and around.lower is None
    if isinstance(around, ast.Dict):
        key = around.keys[around.values.index(node)] if node in around.values else None
        return isinstance(key, ast.Constant) and isinstance(key.value, str)
    return False


RULES = (signature_differs, asynchronous_method, nested_invoke, none_of_the_documents)
