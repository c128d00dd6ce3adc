"""What SDK 0.9.0 renamed: the languages of a text."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from packaging.version import Version

from xinfer.plugin.plugin import Plugin
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.python.code import PluginCode
from xinfer.rules.python.distributions import sdk_version
from xinfer.rules.python.names import bindings, foreign
from xinfer.rules.python.source import Module
from xinfer.rules.python.tree import FUNCTIONS, ancestors
from xinfer.rules.rule import Problem, rule

NEW_NAMES = {"en_US": "en_us", "zh_Hans": "zh_hans", "pt_BR": "pt_br", "ja_JP": "ja_jp"}
"""The attributes of a text in SDK 0.9.0, by those that they had before."""
_TEXTS = {"label", "help", "placeholder", "description", "title"}
_SINCE = Version("0.9.0")


@rule(
    "XI655",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="sdk entities/__init__.py: I18nObject since 0.9.0",
    bad=("def later(entity):\n    return «entity.label.en_US»\n",),
    good=("def later(entity):\n    return entity.label.en_us\n",),
    fix="Write en_us, zh_hans, pt_br or ja_jp; xinfer check --fix does it.",
)
def old_language_name(code: PluginCode, plugin: Plugin) -> Iterator[Problem]:
    """A text is read or set by a name that Dify's SDK no longer has since 0.9.0.

    ``entity.label.en_US`` raises an AttributeError or a ValueError; it is ``en_us`` now. To make
    a text, ``I18nObject(en_US=…)`` is still right.
    """
    if may_have_new_names(plugin):
        for module in code.running:
            for node in old_names(code, module):
                yield module.problem(f"{ast.unparse(node)} no longer exists", node)


def may_have_new_names(plugin: Plugin) -> bool:
    """Return whether the plugin may run with an SDK that has the new names."""
    least, excluded = sdk_version(plugin)
    return excluded is None or excluded > _SINCE or least == _SINCE


def old_names(code: PluginCode, module: Module) -> Iterator[ast.Attribute]:
    """Yield the attributes of texts that have another name now."""
    # A text of a spec has its own names.
    if not any(each.root == "xinfer" for each in module.imports):
        for node in module.each(ast.Attribute):
            if (
                node.attr in NEW_NAMES
                and not _is_own_field(code, node.attr)
                and _is_text(code, module, node.value)
            ):
                yield node


def old_keywords(code: PluginCode, module: Module) -> Iterator[ast.keyword]:
    """Yield the arguments for texts that have another name now; the old ones still work."""
    for node in module.each(ast.Call):
        if _makes_text(code, module, node):
            yield from (keyword for keyword in node.keywords if keyword.arg in NEW_NAMES)


def _is_text(code: PluginCode, module: Module, node: ast.expr | None) -> bool:
    """Return whether an expression is one of the SDK's texts, as far as can be seen."""
    if isinstance(node, ast.Name):
        for outer in ancestors(module.parents, node):
            if isinstance(outer, FUNCTIONS) and (values := bindings(module, outer).get(node.id)):
                value = values[0].value if len(values) == 1 else None
                return isinstance(value, ast.Attribute | ast.Call) and _is_text(code, module, value)
    if isinstance(node, ast.Call):
        return _makes_text(code, module, node)
    return isinstance(node, ast.Attribute) and node.attr in _TEXTS


def _makes_text(code: PluginCode, module: Module, node: ast.Call) -> bool:
    called = foreign(code, module, node.func)
    return called.startswith("dify_plugin.") and called.endswith(".I18nObject")


def _is_own_field(code: PluginCode, name: str) -> bool:
    """Return whether a class of the plugin has a field of this name."""
    return name in code.memory.ask(
        "own fields",
        lambda: {
            getattr(node.target, "id", "")
            for module in code.running
            for node in module.each(ast.AnnAssign)
        },
    )


RULES = (old_language_name,)
