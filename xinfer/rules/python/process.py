"""Rules of the process that all requests share: its output, its one thread, its network."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import islice

from xinfer.plugin.plugin import Plugin
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.python.code import PluginCode
from xinfer.rules.python.names import foreign
from xinfer.rules.python.source import Module, is_tried
from xinfer.rules.python.tree import ancestors
from xinfer.rules.rule import Problem, rule

_PRINTS = {"builtins.print", "pprint.pprint", "pprint.pp", "rich.print"}
_OUTPUT = {"sys.stdout", "sys.__stdout__"}
_WRITES = {f"{name}.{verb}" for name in _OUTPUT for verb in ("write", "writelines")}
_LOGS = {"logging.StreamHandler", "logging.basicConfig"}
_BLOCKS = {
    "torch",
    "transformers",
    "sentence_transformers",
    "tensorflow",
    "onnxruntime",
    "llama_cpp",
    "vllm",
    "faiss",
    "psycopg2",
    "MySQLdb",
}
_FETCHES = {"tiktoken.get_encoding", "tiktoken.encoding_for_model"}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@rule(
    "XI651",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="sdk core/server/stdio/response_writer.py: StdioResponseWriter writes to sys.stdout",
    bad=(
        "def later(text):\n    «print(text)»\n",
        "import sys\ndef later(text):\n    «print(text, file=sys.stdout)»\n",
    ),
    good=(
        "import logging\ndef later(text):\n    logging.getLogger(__name__).info(text)\n",
        "import sys\ndef later(text):\n    print(text, file=sys.stderr)\n",
        'if __name__ == "__main__":\n    print("by hand")\n',
    ),
    fix="Use logging, which writes to standard error.",
)
def printed(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """The plugin prints to standard output, where it talks to the daemon in lines of JSON.

    The daemon logs each such line as an error.
    """
    for module, node, what in _prints(code):
        if _ends_the_line(node):
            yield module.problem(f"{what} writes to standard output", node)


@rule(
    "XI656",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="sdk core/server/stdio/response_writer.py: StdioResponseWriter; executed",
    bad=(
        'def later():\n    «print(".", end="")»\n',
        'import sys\ndef later():\n    «sys.stdout.write("50 %\\r")»\n',
    ),
    good=('import sys\ndef later():\n    print(".", end="", file=sys.stderr)\n',),
    fix="Use logging, which writes to standard error.",
)
def printed_without_newline(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """The plugin prints to standard output and does not end the line.

    The next answer stands in the same line, where the daemon cannot read it: the request that it
    belongs to never ends.
    """
    for module, node, what in _prints(code):
        if not _ends_the_line(node):
            yield module.problem(f"{what} leaves its line without an end", node)


@rule(
    "XI652",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="sdk dify_plugin/__init__.py: gevent.monkey.patch_all; executed with gevent 26.9",
    bad=("import asyncio\ndef later(task):\n    return «asyncio.run(task)»\n",),
    good=(
        "import asyncio\ndef start(task, thread):\n"
        "    def run():\n        asyncio.run(task)\n\n    return thread(target=run)\n",
    ),
    fix="Use a client that is not asynchronous.",
)
def event_loop(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """A request runs an event loop of asyncio.

    All requests share one thread, and a thread runs one loop at a time: of two requests at once
    the second fails with "asyncio.run() cannot be called from a running event loop".
    """
    for module in code.running:
        for node in module.each(ast.Call):
            if _runs_loop(code, module, node.func) and not (
                _is_handed_on(module, node) or _is_script(module, node)
            ):
                yield module.problem("an event loop is run", node)


@rule(
    "XI653",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="daemon internal/core/local_runtime: no heartbeat for 120 seconds",
    bad=(
        {
            "models/llm/llm.py": "import «torch»\n",
            "pyproject.toml": None,
            "requirements.txt": "dify_plugin>=0.9.0\nrequests\ntorch\n",
        },
    ),
    good=("import math\n",),
    fix="Let a server do it, and ask that server over HTTP.",
)
def blocking_library(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """A library computes or waits in C, and blocks all other requests until it is done.

    The daemon kills a plugin that has sent no heartbeat for 120 seconds.
    """
    for module in code.running:
        for each in module.imports:
            if each.root in _BLOCKS and not each.typing_only and not code.has_module(each.root):
                yield module.problem(f"{each.root} is imported", each.alias)


@rule(
    "XI654",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="sdk interfaces/model/ai_model.py: AIModel._get_num_tokens_by_gpt2",
    bad=(
        "class AcmeModel(LargeLanguageModel):\n    ...\n\n"
        "    def get_num_tokens(self, model, credentials, prompt_messages, tools=None):\n"
        "        return «self._get_num_tokens_by_gpt2(str(prompt_messages))»\n",
    ),
    good=(
        "class AcmeModel(LargeLanguageModel):\n    ...\n\n"
        "    def get_num_tokens(self, model, credentials, prompt_messages, tools=None):\n"
        "        try:\n"
        "            return self._get_num_tokens_by_gpt2(str(prompt_messages))\n"
        "        except Exception:\n            return len(str(prompt_messages)) // 4\n",
    ),
    fix="Estimate by length, or ask the server.",
)
def tokenizer_fetched(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """Tokens are counted with a vocabulary that is fetched from the internet on first use.

    Where there is no internet it fails with a ConnectionError, unless TIKTOKEN_CACHE_DIR holds
    the vocabulary; the daemon's own image has that of gpt2.
    """
    for module in code.running:
        fetches = ((_fetch(code, module, node), node) for node in module.each(ast.Call))
        # Where there is a try around it, there is something else to do without the internet.
        untried = ((what, node) for what, node in fetches if what and not is_tried(module, node))
        # Once is enough: most count in many places.
        for what, node in islice(untried, 1):
            yield module.problem(f"{what} fetches a vocabulary", node)


def _prints(code: PluginCode) -> Iterator[tuple[Module, ast.Call, str]]:
    """Yield what writes to standard output, and what it is called."""
    for module in code.running:
        for node in module.each(ast.Call):
            what = _printing(code, module, node)
            if what and not _is_script(module, node):
                yield module, node, what


def _printing(code: PluginCode, module: Module, node: ast.Call) -> str | None:
    called = foreign(code, module, node.func)
    keywords = {keyword.arg: keyword.value for keyword in node.keywords}
    if called in _PRINTS:
        target = keywords.get("file", keywords.get("stream"))
        silent = None in keywords or (len(node.args) > 1 and called.startswith("pprint"))
        there = target is None or foreign(code, module, target) in _OUTPUT
        return called.removeprefix("builtins.") if there and not silent else None
    if called in _WRITES:
        return called
    if called in _LOGS:
        target = keywords.get("stream", node.args[0] if node.args else None)
        is_output = target is not None and foreign(code, module, target) in _OUTPUT
        return called if is_output else None
    return None


def _ends_the_line(node: ast.Call) -> bool:
    """Return whether what is printed may end with a new line."""
    end = next((keyword.value for keyword in node.keywords if keyword.arg == "end"), None)
    if getattr(node.func, "attr", "") == "write":
        end = node.args[0] if node.args else None
    if isinstance(end, ast.JoinedStr):
        end = end.values[-1] if end.values else end
    text = end.value if isinstance(end, ast.Constant) else None
    return not isinstance(text, str) or text.endswith("\n")


def _fetch(code: PluginCode, module: Module, node: ast.Call) -> str | None:
    if getattr(node.func, "attr", "") == "_get_num_tokens_by_gpt2":
        return "_get_num_tokens_by_gpt2"
    called = foreign(code, module, node.func)
    pretrained = called.startswith("transformers.") and called.endswith(".from_pretrained")
    return called if pretrained or called in _FETCHES else None


def _is_script(module: Module, node: ast.AST) -> bool:
    """Return whether something runs only when its module is run by hand."""
    inner = node
    for outer in ancestors(module.parents, node):
        if isinstance(outer, ast.If) and module.blocks.get(inner) == "body":
            test = outer.test
            if isinstance(test, ast.Compare) and getattr(test.left, "id", "") == "__name__":
                return True
        inner = outer
    return False


def _runs_loop(code: PluginCode, module: Module, called: ast.expr) -> bool:
    if getattr(called, "attr", "") == "run_until_complete":
        return any(each.root == "asyncio" for each in module.imports)
    return foreign(code, module, called) == "asyncio.run"


def _is_handed_on(module: Module, node: ast.AST) -> bool:
    """Return whether something is in a function that is passed on, to a thread of its own maybe."""
    function = next((o for o in ancestors(module.parents, node) if isinstance(o, _FUNCTIONS)), None)
    if function is None or isinstance(function, ast.Lambda):
        return function is not None
    called = {id(call.func) for call in module.each(ast.Call)}
    uses = (*module.each(ast.Name), *module.each(ast.Attribute))
    return any(
        getattr(use, "id", getattr(use, "attr", "")) == function.name and id(use) not in called
        for use in uses
    )


RULES = (
    printed,
    printed_without_newline,
    event_loop,
    blocking_library,
    tokenizer_fetched,
)
