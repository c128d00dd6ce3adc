"""Fragments of YAML and Python laid over a text: they replace what they name and add the rest."""

from __future__ import annotations

import ast
import re

MARKS = re.compile("[«»]")


# YAML, by its lines ------------------------------------------------------------------------------


def overlay_yaml(base, text, indent=0):
    """Replace the keys that the text has; what is a mapping on both sides, key by key."""
    blocks, laid = _blocks(base, indent), _blocks(text, indent)
    if None in laid:
        return text
    for key, block in laid.items():
        if key in blocks and _is_mapping(block, indent) and _is_mapping(blocks[key], indent):
            inner = overlay_yaml(_below(blocks[key]), _below(block), indent + 2)
            blocks[key] = block.partition("\n")[0] + "\n" + inner
        else:
            blocks[key] = block
    return "".join(blocks.values())


def _blocks(text, indent):
    """Split a text into its keys' blocks; a text that is no mapping has the key ``None``."""
    blocks = {}
    key = None
    for line in text.splitlines(keepends=True):
        line = line if line.endswith("\n") else f"{line}\n"
        match = re.match(rf" {{{indent}}}([\w\"'-]+):(\s|$)", MARKS.sub("", line))
        if match and not line.lstrip("« ").startswith("- "):
            key = match[1]
            if key in blocks:  # the example says it twice
                key = f"{key} again"
            blocks[key] = ""
        blocks[key] = blocks.get(key, "") + line
    return blocks


def _is_mapping(block, indent):
    head, _, below = block.partition("\n")
    first = MARKS.sub("", below)
    return (
        head.rstrip().endswith(":")
        and first.startswith(" " * (indent + 2))
        and first[indent + 2] not in "- "
    )


def _below(block):
    return block.partition("\n")[2]


# Python, by its syntax ---------------------------------------------------------------------------


def overlay_python(base, text):
    """Replace definitions of the same name, methods of the same class one by one; add the rest."""
    clean = MARKS.sub("", text)
    try:
        tree, own = ast.parse(clean), ast.parse(base)
    except SyntaxError:
        return text
    lines, laid = base.splitlines(keepends=True), text.splitlines(keepends=True)
    if laid and not laid[-1].endswith("\n"):
        laid[-1] += "\n"
    definitions = {name: node for node in own.body for name in _names(node)}
    edits, added, first = [], [], []
    for node in tree.body:
        chunk = laid[_start(node) - 1 : node.end_lineno]
        same = next((definitions[name] for name in _names(node) if name in definitions), None)
        if isinstance(node, ast.Import | ast.ImportFrom):
            first += chunk
        elif same is None:
            added += ["\n", *chunk]
        elif (
            isinstance(node, ast.ClassDef) and isinstance(same, ast.ClassDef) and _is_partial(node)
        ):
            methods = {name: inner for inner in same.body for name in _names(inner)}
            for inner in node.body[1:]:
                old = next((methods[name] for name in _names(inner) if name in methods), None)
                piece = laid[_start(inner) - 1 : inner.end_lineno]
                if old is None:
                    edits.append((same.end_lineno, same.end_lineno, ["\n", *piece]))
                else:
                    edits.append((_start(old) - 1, old.end_lineno, piece))
        else:
            edits.append((_start(same) - 1, same.end_lineno, chunk))
    for start, end, chunk in sorted(edits, key=lambda edit: edit[:2], reverse=True):
        lines[start:end] = chunk
    return "".join([*first, *lines, *added])


def _is_partial(node):
    """Say whether a class only replaces methods: it begins with ``...``."""
    return isinstance(node.body[0], ast.Expr) and getattr(node.body[0].value, "value", "") is ...


def _start(node):
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _names(node):
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    return []
