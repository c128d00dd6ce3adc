"""Rules of the process that all requests share: its output, its one thread, its network."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import islice

from packaging.version import Version

from xinfer.rules.finding import Severity, Stage
from xinfer.rules.python.code import PluginCode
from xinfer.rules.python.distributions import sdk_version
from xinfer.rules.python.names import foreign
from xinfer.rules.python.source import Module, is_tried
from xinfer.rules.python.tree import ancestors
from xinfer.rules.rule import Problem, Subject, rule

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
_OLD_NAMES = {"en_US", "zh_Hans", "pt_BR", "ja_JP"}
_TEXTS = {"label", "help", "placeholder", "description", "title"}
_NEW_NAMES_SINCE = Version("0.9.0")


@rule("XI651", Severity.BROKEN, Stage.RUN_TIME, fix="Log by logging; it goes to stderr.")
def printed(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """The plugin prints to standard output, where it talks with the daemon in lines of JSON.

    What is printed shows as an error in the daemon's log, and may end up within a line of
    another request's answer, which is then lost.
    """
    for module in code.running:
        for node in module.each(ast.Call):
            said = _prints(code, module, node)
            if said and not _is_script(module, node):
                yield module.problem(f"{said} writes to standard output", node)


@rule("XI652", Severity.BROKEN, Stage.RUN_TIME, fix="Use the client that is not asynchronous.")
def event_loop(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """A request runs an event loop of asyncio.

    All requests share one thread, and a thread runs one loop at a time: of two requests at once
    the second fails with "asyncio.run() cannot be called from a running event loop".
    """
    for module in code.running:
        for node in module.each(ast.Call):
            if _runs_loop(code, module, node.func):
                # What a lambda does may be handed to a thread of its own.
                in_lambda = isinstance(module.parents.get(node), ast.Lambda)
                if not in_lambda and not _is_script(module, node):
                    yield module.problem("an event loop is run", node)


@rule("XI653", Severity.ADVICE, Stage.RUN_TIME, fix="Let a server do it, and ask that by HTTP.")
def blocking_library(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """A library computes or waits in C, and stops all other requests for as long.

    The daemon kills a plugin that has not given a sign of life for 120 seconds.
    """
    for module in code.running:
        for one in module.imports:
            root = (one.module or "").partition(".")[0]
            if root in _BLOCKS and not one.typing_only and not code.holds(root):
                yield module.problem(f"{root} is imported", one.node)


@rule("XI654", Severity.ADVICE, Stage.RUN_TIME, fix="Estimate by length, or ask the server.")
def tokenizer_fetched(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """Tokens are counted with a vocabulary that is fetched from the internet on first use.

    Where there is no internet it fails with a ConnectionError, unless TIKTOKEN_CACHE_DIR holds
    the vocabulary; the daemon's own image brings that of gpt2.
    """
    for module in code.running:
        fetches = ((_fetch(code, module, node), node) for node in module.each(ast.Call))
        # Where there is a try around it, there is something else to do without the internet.
        found = ((said, node) for said, node in fetches if said and not is_tried(module, node))
        # Once is enough: most count in many places.
        for said, node in islice(found, 1):
            yield module.problem(f"{said} fetches a vocabulary", node)


@rule("XI655", Severity.BROKEN, Stage.RUN_TIME, fix="Write en_us, zh_hans, pt_br or ja_jp.")
def old_language_name(code: PluginCode, subject: Subject) -> Iterator[Problem]:
    """A text is read or set by a name that Dify's SDK no longer has since 0.9.0.

    ``entity.label.en_US`` raises an AttributeError or a ValueError; it is ``en_us`` now. To make
    one, ``I18nObject(en_US=…)`` is still right.
    """
    least, first_not = sdk_version(subject)
    if first_not is not None and first_not <= _NEW_NAMES_SINCE and least != _NEW_NAMES_SINCE:
        return
    for module in code.running:
        if any((one.module or "").startswith("xinfer") for one in module.imports):
            continue
        for node in module.each(ast.Attribute):
            if (
                node.attr in _OLD_NAMES
                and isinstance(node.value, ast.Attribute)
                and node.value.attr in _TEXTS
                and not _is_own_field(code, node.attr)
            ):
                yield module.problem(f".{node.value.attr}.{node.attr} is no longer there", node)


def _prints(code: PluginCode, module: Module, node: ast.Call) -> str | None:
    named = foreign(code, module, node.func)
    said = {one.arg: one.value for one in node.keywords}
    if named in _PRINTS:
        target = said.get("file", said.get("stream"))
        silent = None in said or (len(node.args) > 1 and named.startswith("pprint"))
        there = target is None or foreign(code, module, target) in _OUTPUT
        return named.removeprefix("builtins.") if there and not silent else None
    if named in _WRITES:
        return named
    if named in _LOGS:
        target = said.get("stream", node.args[0] if node.args else None)
        return named if target is not None and foreign(code, module, target) in _OUTPUT else None
    return None


def _fetch(code: PluginCode, module: Module, node: ast.Call) -> str | None:
    if getattr(node.func, "attr", "") == "_get_num_tokens_by_gpt2":
        return "_get_num_tokens_by_gpt2"
    named = foreign(code, module, node.func)
    pretrained = named.startswith("transformers.") and named.endswith(".from_pretrained")
    return named if pretrained or named in _FETCHES else None


def _is_script(module: Module, node: ast.AST) -> bool:
    """Say whether something runs only when its module is run by hand."""
    inner = node
    for outer in ancestors(module.parents, node):
        if isinstance(outer, ast.If) and inner in outer.body:
            test = outer.test
            if isinstance(test, ast.Compare) and getattr(test.left, "id", "") == "__name__":
                return True
        inner = outer
    return False


def _runs_loop(code: PluginCode, module: Module, called: ast.expr) -> bool:
    if getattr(called, "attr", "") == "run_until_complete":
        return any(one.module == "asyncio" for one in module.imports)
    return foreign(code, module, called) == "asyncio.run"


def _is_own_field(code: PluginCode, name: str) -> bool:
    """Say whether a class of the plugin has a field of this name."""
    return any(
        getattr(node.target, "id", "") == name
        for module in code.running
        for node in module.each(ast.AnnAssign)
    )


RULES = (
    printed,
    event_loop,
    blocking_library,
    tokenizer_fetched,
    old_language_name,
)
