"""Rewrite a plugin's Python for what Dify's SDK 0.9.0 renamed.

The SDK's texts have ``en_us`` where they had ``en_US``: ``entity.label.en_US`` fails,
``I18nObject(en_US=…)`` still works and is rewritten along. Only what the plugin runs is looked at.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from xinfer.importer.edits import Edit, apply
from xinfer.plugin.plugin import Plugin
from xinfer.rules.python.code import plugin_code
from xinfer.rules.python.renamed import NEW_NAMES, may_have_new_names, old_keywords, old_names
from xinfer.rules.python.source import Module, parse

_LINE_END = re.compile(r"\r\n|\r|\n")


def renames(plugin: Plugin) -> Iterator[tuple[str, tuple[Edit, ...]]]:
    """Yield the files to rewrite, and how; none if the plugin keeps to an SDK before 0.9.0."""
    if plugin.declared is None or not may_have_new_names(plugin):
        return
    code = plugin_code(plugin)
    for module in code.running:
        starts = [0, *(match.end() for match in _LINE_END.finditer(module.text))]
        edits = [
            *(_attribute(module, starts, node) for node in old_names(code, module)),
            *(_keyword(module, starts, node) for node in old_keywords(code, module)),
        ]
        edits.sort(key=lambda edit: edit.start)
        if edits and _is_safe(module, edits, plugin.files[module.path]):
            yield module.path, tuple(edits)


def _attribute(module: Module, starts: list[int], node: ast.Attribute) -> Edit:
    line, offset = node.end_lineno or node.lineno, node.end_col_offset or 0
    end = starts[line - 1] + module.column(line, offset) - 1
    old, new = node.attr, NEW_NAMES[node.attr]
    message = f"renamed {ast.unparse(node)} to .{new}"
    return Edit(module.path, line, message, end - len(old), end, new)


def _keyword(module: Module, starts: list[int], node: ast.keyword) -> Edit:
    start = starts[node.lineno - 1] + module.column(node.lineno, node.col_offset) - 1
    old = node.arg or ""
    message = f"renamed the argument {old} to {NEW_NAMES[old]}"
    return Edit(module.path, node.lineno, message, start, start + len(old), NEW_NAMES[old])


def _is_safe(module: Module, edits: list[Edit], content: bytes) -> bool:
    """Return whether each edit meets the name that it replaces, in a file of UTF-8."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    meets = all(NEW_NAMES.get(text[edit.start : edit.end]) == edit.text for edit in edits)
    return meets and text == module.text and not parse(module.path, apply(text, edits)).failure
