"""Python source from a syntax tree and the comments of its parts.

Whatever the texts and comments hold, the source parses to the same tree: a text is written as
``repr`` writes it, and a comment is one line that begins with ``#``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from unicodedata import east_asian_width

from attrs import field, frozen

_LONGEST_TEXT = 66
"""Columns; a longer text is broken over several lines."""


@frozen
class Module:
    """A module before it is text.

    :param docstring: our own words, never a plugin's.
    :param imports: the names to import, by module; sections of them are a blank line apart.
    :param comments: lines that stand above a statement, an argument or an item.
    """

    docstring: str
    imports: Iterable[Mapping[str, Iterable[str]]]
    body: list[ast.stmt]
    comments: Comments = field(factory=dict)

    def __str__(self) -> str:
        parts = [f'"""{self.docstring}"""']
        for section in self.imports:
            lines = [f"from {m} import {', '.join(sorted(n))}" for m, n in section.items() if n]
            parts += ["", *lines] if lines else []
        parts.append("")
        printer = Printer(self.comments)
        parts += [line for statement in self.body for line in printer.statement(statement)]
        return "\n".join([*parts, ""])


type Comments = dict[ast.AST, tuple[str, ...]]
"""Comments by the node they stand above."""


@frozen
class Printer:
    """Writes the few kinds of statements and expressions that a spec is made of."""

    comments: Comments

    def statement(self, node: ast.stmt, indent: str = "") -> Iterator[str]:
        """Yield the lines of a statement; inside brackets no line needs an indent."""
        for comment in self.comments.get(node, ()):
            yield f"{indent}{comment_line(comment)}"
        match node:
            case ast.ClassDef(name=name, bases=bases, body=body):
                yield f"\n\nclass {name}({', '.join(map(self.expression, bases))}):"
                for inner in body:
                    yield from self.statement(inner, indent + "    ")
                yield "\n"
            case ast.Expr(value=ast.Constant(value=str() as docstring)):
                yield f'{indent}"""{docstring}"""\n'
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield f"{indent}{name} = {self.expression(value)}"
            case ast.AnnAssign(
                target=ast.Name(id=name), annotation=kind, value=ast.expr() as value
            ):
                yield f"{indent}{name}: {ast.unparse(kind)} = {self.expression(value)}"
            case _:
                raise TypeError(f"a spec holds no {type(node).__name__}")

    def expression(self, node: ast.expr) -> str:
        """Write an expression, a long text in parentheses of its own."""
        match node:
            case ast.Call(func=function, args=items, keywords=keywords):
                arguments = [self._argument(item, item) for item in items]
                arguments += [self._argument(item, item.value, item.arg) for item in keywords]
                return f"{ast.unparse(function)}({', '.join(arguments)})"
            case ast.Tuple(elts=items):
                inside = ", ".join(map(self._item, items))
                return f"({inside},)" if len(items) == 1 else f"({inside})"
            case ast.List(elts=items):
                return f"[{', '.join(map(self._item, items))}]"
            case ast.Dict(keys=keys, values=values):
                pairs = (
                    f"{self.expression(key)}: {self._item(value)}"
                    for key, value in zip(keys, values, strict=True)
                    if key is not None
                )
                return f"{{{', '.join(pairs)}}}"
            case ast.Constant(value=str() as text):
                quoted = _quoted(text)
                return f"({quoted})" if "\n" in quoted else quoted
            case _:
                return ast.unparse(node)

    def _argument(self, commented: ast.AST, value: ast.expr, name: str | None = None) -> str:
        """Write an argument: brackets stand around it already."""
        text = value.value if isinstance(value, ast.Constant) else None
        written = _quoted(text) if isinstance(text, str) else self.expression(value)
        return f"{self._above(commented)}{f'{name}=' if name else ''}{written}"

    def _item(self, node: ast.expr) -> str:
        return f"{self._above(node)}{self.expression(node)}"

    def _above(self, node: ast.AST) -> str:
        return "".join(f"\n{comment_line(comment)}\n" for comment in self.comments.get(node, ()))


def comment_line(comment: str) -> str:
    """Write a comment as one line, whatever it holds."""
    return f"# {''.join(c if c.isprintable() else _escaped(c) for c in comment.strip())}".rstrip()


def _escaped(character: str) -> str:
    return " " if character == "\t" else repr(character)[1:-1]


def _quoted(text: str) -> str:
    """Quote a text, a long one in pieces, a line each."""
    if _width(text) <= _LONGEST_TEXT:
        return repr(text)
    pieces = (piece for line in text.splitlines(keepends=True) for piece in _pieces(line))
    return "\n".join(map(repr, pieces))


def _pieces(line: str) -> Iterator[str]:
    """Break a line between words, and between the characters of Chinese and its like."""
    piece: list[str] = []
    available = _LONGEST_TEXT
    for word in _WORD.findall(line):
        width = _width(word)
        if piece and width > available:
            yield "".join(piece)
            piece, available = [], _LONGEST_TEXT
        piece.append(word)
        available -= width
    yield "".join(piece)


_WIDE = (
    "\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6"
)
_WORD = re.compile(rf"[{_WIDE}]|[^\s{_WIDE}]*\s+|[^\s{_WIDE}]+")


def _width(text: str) -> int:
    """Count columns: Chinese and its like take two, as linters count."""
    if text.isascii():
        return len(text)
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
