"""Rules of streams: generators that nobody runs, errors in them, answers too large for a line."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Set

from xinfer.plugin.plugin import Plugin
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.python.classes import Method, Served, find, served
from xinfer.rules.python.code import PluginCode
from xinfer.rules.python.examples import MODEL, added_by_users
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
from xinfer.rules.rule import Problem, rule

_PIECES = {"iter_lines", "iter_content", "iter_text", "iter_bytes", "iter_raw"}
_CLIENTS = {"requests", "httpx"}
_WHOLE = {"read", "getvalue"}
_INVOKE = (
    f"{MODEL}    def _invoke(self, model, credentials, prompt_messages, *arguments):\n"
    "        response = self._ask(model, credentials, str(prompt_messages))\n"
    "        return self._stream(response)\n\n"
)
_MODULE = "models/tts/tts.py"
_SPEECH = added_by_users("tts", _MODULE)
_SPEAKER = """\
import dify_plugin
import requests


class AcmeSpeech(dify_plugin.OAICompatText2SpeechModel):
    def _invoke(self, model, tenant_id, credentials, content_text, voice, user=None):
        response = requests.post("https://example.com/speech", json={{"input": content_text}})
        {}
"""


@rule(
    "XI641",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="sdk interfaces/model/large_language_model.py: LargeLanguageModel.invoke; "
    "dify api/core/plugin/impl/base.py: BasePluginClient._handle_plugin_daemon_error",
    bad=(
        f"{_INVOKE}    def _stream(self, response):\n"
        "        «for line in response.iter_lines()»:\n            yield line\n",
    ),
    good=(
        f"{_INVOKE}    def _stream(self, response):\n        try:\n"
        "            for line in response.iter_lines():\n                yield line\n"
        "        except requests.RequestException as error:\n"
        "            raise InvokeConnectionError(str(error)) from error\n",
    ),
    fix="Catch them there, and raise the SDK's Invoke errors.",
)
def stream_errors_unmapped(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """A stream is read without a ``try``: an error in the middle of it reaches Dify raw.

    The SDK maps what ``_invoke`` raises by ``_invoke_error_mapping``; once it has returned a
    generator, it no longer does. Dify shows the library's message inside of JSON.
    """
    own = {node.name for module in code.running for node in module.each(ast.FunctionDef)}
    for each in served(code):
        if each.kind == "llm":
            for module, node in answering(code, each):
                if not yields(node) or node.decorator_list:
                    continue
                for inner in body_nodes(node):
                    is_read = isinstance(inner, ast.For) and _is_read(inner, _PIECES - own)
                    if is_read and not _is_guarded(code, module, inner):
                        yield module.problem("the stream is read without a try", inner)


@rule(
    "XI642",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="Python: a generator runs when it is iterated",
    bad=(
        f"{MODEL}    def validate_credentials(self, model, credentials):\n"
        "        «self._stream(credentials)»\n\n"
        "    def _stream(self, credentials):\n        yield credentials['api_key']\n",
    ),
    good=(
        f"{MODEL}    def validate_credentials(self, model, credentials):\n"
        "        next(self._stream(credentials))\n\n"
        "    def _stream(self, credentials):\n        yield credentials['api_key']\n",
    ),
    fix="Iterate it with for, or take its first value with next().",
)
def generator_never_run(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """A generator is called and thrown away, so that nothing in it ever runs.

    Where validation does that, every key passes. ``invoke`` of a language model is a generator,
    too.
    """
    for each in served(code):
        for module, node in _methods_of(each):
            for inner in body_nodes(node):
                if isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Call):
                    name = _generator(code, each, module, inner.value.func)
                    if name:
                        yield module.problem(f"{name} is a generator, and nothing runs it", inner)


@rule(
    "XI643",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="daemon internal/core/local_runtime: PLUGIN_STDIO_MAX_BUFFER_SIZE is 5242880",
    bad=({**_SPEECH, _MODULE: _SPEAKER.format("«return response.content»")},),
    good=({**_SPEECH, _MODULE: _SPEAKER.format("yield from response.iter_content(8192)")},),
    fix="Yield it in pieces: yield from response.iter_content(8192).",
)
def audio_at_once(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """Speech is returned whole: a long text ends the plugin.

    The SDK writes it in one line, twice as long in hexadecimal digits, and the daemon ends a
    plugin that writes more than 5 MiB in a line: 2.6 MB of audio, which is a minute of WAV.
    """
    for each in served(code):
        if each.kind == "tts":
            for module, node in answering(code, each):
                for result in returned(node) if not yields(node) else ():
                    if result.value is not None and _is_whole(result.value):
                        yield module.problem("all of the audio is returned at once", result)


def _methods_of(each: Served) -> Iterator[tuple[Module, Function]]:
    for owner in each.lineage.order:
        if not isinstance(owner, str) and isinstance(owner.node, ast.ClassDef):
            for node in owner.node.body:
                if isinstance(node, FUNCTIONS):
                    yield owner.module, node


def _generator(code: PluginCode, each: Served, module: Module, called: ast.expr) -> str | None:
    """Name what is called, if that is certainly a generator."""
    name = own_method(called)
    if name == "invoke" and each.kind == "llm":
        return "invoke" if isinstance(find(code, each.lineage, name), str | None) else None
    if name is not None:
        attribute = find(code, each.lineage, name)
        node = attribute.node if isinstance(attribute, Method) else None
    else:
        value = meaning(code, module, called)
        node = value.node if isinstance(value, Own) else None
    if isinstance(node, ast.FunctionDef) and yields(node) and not node.decorator_list:
        return node.name
    return None


def _is_read(node: ast.For, reading: Set[str]) -> bool:
    """Return whether a loop goes through the body of an HTTP answer, and yields from it."""
    called = node.iter.func if isinstance(node.iter, ast.Call) else None
    return getattr(called, "attr", "") in reading and any(
        isinstance(inner, ast.Yield | ast.YieldFrom) for inner in own_nodes(node)
    )


def _is_guarded(code: PluginCode, module: Module, node: ast.AST) -> bool:
    """Return whether something around a statement may map its errors."""
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
    """Return whether a ``with`` only closes what it opens."""
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
