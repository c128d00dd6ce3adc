"""Which fields of a form hold numbers, by what the plugin's own Python does with them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping

from xinfer.spec import FormField, FormType
from xinfer.spec.values import codec_of

_OF_SDK: Mapping[str, type] = {
    "context_size": int,
    "max_tokens_to_sample": int,
    "word_limit": int,
    "temperature": float,
    "top_p": float,
    "frequency_penalty": float,
    "presence_penalty": float,
}
"""What the SDK's OpenAI-compatible classes make numbers of, if the plugin's own are such."""

_NUMBERS = {"int": int, "float": float}
_MOST_BYTES, _LARGEST_FILE = 1024 * 1024, 512 * 1024
"""Of code that is read, all together and of one file; the rest tells nothing."""


def numbers_in(code: Iterable[bytes]) -> dict[str, type]:
    """Return the variables of credentials that every line of code reads as a number.

    A test whether there is a value at all says nothing about it; any other use does.
    """
    uses: dict[str, set[type]] = {}
    of_sdk = False
    left = _MOST_BYTES
    for source in code:
        if b"credentials" not in source and b"OAICompat" not in source:
            continue
        if len(source) > min(left, _LARGEST_FILE):
            continue
        left -= len(source)
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for variable, kind in _uses(tree):
            uses.setdefault(variable, set()).add(kind)
        of_sdk = of_sdk or b"OAICompat" in source
    if of_sdk:
        for variable, kind in _OF_SDK.items():
            uses.setdefault(variable, set()).add(kind)
    return {
        variable: float if float in kinds else int
        for variable, kinds in uses.items()
        if kinds <= {int, float}
    }


def kind_of(field: FormField, numbers: Mapping[str, type]) -> type:
    """Return the type of a text field: a number if its use and its default say so."""
    kind = numbers.get(field.variable, str)
    if field.type is not FormType.TEXT_INPUT or "max_length" in field.explicit or kind is str:
        return str
    return kind if field.default is None or _is_written_so(field.default, kind) else str


def _is_written_so(text: str, kind: type) -> bool:
    """Return whether a number, read from a text and written again, is the same text."""
    codec, _ = codec_of(kind)
    try:
        return codec.write(codec.parse(text)) == text
    except ValueError:
        return False


def _uses(tree: ast.Module) -> Iterator[tuple[str, type]]:
    """Yield each variable of credentials that is used, and the type that it is made."""
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        variable = _variable(node)
        if variable is None:
            continue
        parent = parents.get(node)
        while isinstance(parent, ast.BoolOp):
            node, parent = parent, parents.get(parent)
        match parent:
            case ast.Call(func=ast.Name(id="int" | "float" as name), args=[only]) if only is node:
                yield variable, _NUMBERS[name]
            case ast.If() | ast.IfExp() | ast.While() | ast.Assert() if parent.test is node:
                pass
            case (
                ast.UnaryOp(op=ast.Not())
                | ast.Compare(ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=None)])
            ):
                pass
            case _:
                yield variable, str


def _variable(node: ast.AST) -> str | None:
    """Return the variable that an expression takes from credentials."""
    match node:
        case ast.Subscript(value=owner, slice=ast.Constant(value=str() as variable)):
            is_read = isinstance(node.ctx, ast.Load)
        case ast.Call(
            func=ast.Attribute(value=owner, attr="get"),
            args=[ast.Constant(value=str() as variable), *_],
        ):
            is_read = True
        case _:
            return None
    name = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
    return variable if is_read and "cred" in name.lower() else None
