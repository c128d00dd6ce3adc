"""One Python file of a plugin: parsed, never run; its names, imports and places."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from attrs import field, frozen

from xinfer.rules.python.linter import SYNTAX, Diagnostic
from xinfer.rules.python.memory import Memory
from xinfer.rules.python.tree import SCOPES, ancestors, below, blocks_of, own_nodes, parents_of
from xinfer.rules.rule import Problem
from xinfer.spec.span import Span

_DAEMONS_PYTHON = (3, 12)
"""The daemon always makes an environment of this version, whatever the manifest says."""

_LINE_END = re.compile(rb"\r\n|\r|\n")
_DYNAMIC = {"globals", "exec", "modules", "vars", "global_enum", "_convert_"}
_DELAYED = ("__future__", "annotations")
_DEFINES = re.compile(rb"(async[ \t\f]+def|def|class)[ \t\f]+")
_FROM = re.compile(rb"from[ \t\f]+")
_CAUGHT = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


@frozen(eq=False)
class Import:
    """One name that an import statement asks for.

    :param module: absolute and dotted; ``None`` where it leads out of the plugin.
    :param name: what is taken from the module, if not the module itself; ``*`` for all.
    :param bound: the name that it gets here.
    :param lazy: it stands in a function, and so runs later.
    :param careful: it stands in a ``try`` or under a condition, and so may fail or not run.
    :param typing_only: it stands under ``TYPE_CHECKING``, and never runs.
    """

    node: ast.Import | ast.ImportFrom
    alias: ast.alias
    module: str | None
    name: str | None
    bound: str
    lazy: bool
    careful: bool
    typing_only: bool

    @property
    def root(self) -> str:
        """The first part of the module's name; empty where it leads out of the plugin."""
        return (self.module or "").partition(".")[0]


@frozen(eq=False)
class Module:
    """One Python file.

    :param name: as it is imported, from the plugin's root.
    :param tree: empty where it cannot be read.
    :param failure: why it cannot be read.
    :ivar memory: what has been worked out about it, by question.
    """

    path: str
    name: str
    text: str
    tree: ast.Module
    failure: Diagnostic | None = None
    memory: Memory = field(init=False, factory=Memory, repr=False)

    @cached_property
    def parents(self) -> Mapping[ast.AST, ast.AST]:
        """The node around each node."""
        return parents_of(self.nodes)

    @cached_property
    def blocks(self) -> Mapping[ast.AST, str]:
        """The block of the node around it in which each statement stands."""
        return blocks_of(self.nodes)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Everything in it, in the order of the source."""
        return tuple(below(self.tree))

    @cached_property
    def _by_kind(self) -> Mapping[type, Sequence[Any]]:
        grouped: dict[type, list[ast.AST]] = {}
        for node in self.nodes:
            grouped.setdefault(type(node), []).append(node)
        return grouped

    def each[N: ast.AST](self, kind: type[N]) -> Sequence[N]:
        """List its nodes of one kind, in order."""
        return self._by_kind.get(kind, ())

    @property
    def package(self) -> str:
        """The package that relative imports start from; empty at the root."""
        return self.name if self.path.endswith("__init__.py") else self.name.rpartition(".")[0]

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """Everything it imports, in order."""
        return tuple(_imports(self))

    @cached_property
    def _imports_by_node(self) -> Mapping[ast.AST, Sequence[Import]]:
        grouped: dict[ast.AST, list[Import]] = {}
        for each in self.imports:
            grouped.setdefault(each.node, []).append(each)
        return grouped

    def imports_at(self, node: ast.AST) -> Sequence[Import]:
        """List what one import statement asks for."""
        return self._imports_by_node.get(node, ())

    @cached_property
    def is_dynamic(self) -> bool:
        """Whether it may have names that cannot be read off it."""
        return self.imports_all or any(
            getattr(node, "id", getattr(node, "attr", "")) in _DYNAMIC
            for node in (*self.each(ast.Name), *self.each(ast.Attribute))
        )

    @cached_property
    def imports_all(self) -> bool:
        """Whether it imports all names of another module."""
        return any(each.name == "*" for each in self.imports)

    @cached_property
    def delays_annotations(self) -> bool:
        """Whether its annotations are not evaluated, as a ``__future__`` import demands."""
        return any((each.module, each.name) == _DELAYED for each in self.imports)

    @cached_property
    def lines(self) -> Sequence[bytes]:
        """The lines of the text, in UTF-8, as columns of syntax trees count."""
        return _LINE_END.split(self.text.encode(errors="replace"))

    def column(self, line: int, offset: int) -> int:
        """Count the characters before an offset of a syntax tree, from 1."""
        text = self.lines[line - 1] if line <= len(self.lines) else b""
        return len(text[:offset].decode(errors="replace")) + 1

    def span(self, node: ast.AST | None = None) -> Span:
        """Return the characters of a node: of a function or class its name, of a loop its head."""
        if node is None or not hasattr(node, "lineno"):
            return Span(self.path, 1, 1)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return self._behind(node, _DEFINES, len(node.name.encode()))
        start: Any = node
        end: Any = node.iter if isinstance(node, ast.For | ast.AsyncFor) else node
        return self._between(start.lineno, start.col_offset, end.end_lineno, end.end_col_offset)

    def node_of(self, node: ast.AST, name: str) -> ast.AST:
        """Return the part of an import that binds a name; anything else as it is."""
        return next((each.alias for each in self.imports_at(node) if each.bound == name), node)

    def span_of_import(self, each: Import) -> Span:
        """Return where the name of a module stands that is imported."""
        if isinstance(each.node, ast.Import):
            return self.span(each.alias)
        return self._behind(
            each.node, _FROM, each.node.level + len((each.node.module or "").encode())
        )

    def span_of(self, diagnostic: Diagnostic) -> Span:
        """Return where ruff or Python points."""
        return Span(
            self.path,
            diagnostic.line,
            diagnostic.column,
            diagnostic.end_line,
            diagnostic.end_column,
        )

    def _behind(self, node: ast.stmt, keyword: re.Pattern[bytes], length: int) -> Span:
        match = keyword.match(self.lines[node.lineno - 1], node.col_offset)
        start = match.end() if match else node.col_offset
        return self._between(node.lineno, start, node.lineno, start + length)

    def _between(self, line: int, start: int, end_line: int, end: int) -> Span:
        return Span(self.path, line, self.column(line, start), end_line, self.column(end_line, end))

    def problem(self, message: str, node: ast.AST | None = None, *, fix: str = "") -> Problem:
        """Make a problem at a node of this module."""
        return Problem(message, at=self.path, span=self.span(node), fix=fix)


def parse(path: str, text: str) -> Module:
    """Parse one file as the daemon's Python would; nothing in it is run."""
    parts = PurePosixPath(path).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text, path, feature_version=_DAEMONS_PYTHON)
            # Finds what the grammar alone allows: a return outside of a function, say.
            compile(tree, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        message, line = error.msg or "a syntax error", error.lineno or 1
        end = (error.end_lineno, error.end_offset) if error.end_offset else (None, None)
        failure = Diagnostic(SYNTAX, message, line, max(error.offset or 1, 1), *end)
    except (RecursionError, MemoryError):
        failure = Diagnostic(SYNTAX, "the file is nested too deeply", 1, 1)
    except UnicodeEncodeError as error:
        failure = Diagnostic(
            SYNTAX, "the file is not UTF-8", text.count("\n", 0, error.start) + 1, 1
        )
    except ValueError as error:
        failure = Diagnostic(SYNTAX, str(error), 1, 1)
    else:
        return Module(path, name, text, tree)
    return Module(path, name, text, ast.Module(body=[], type_ignores=[]), failure)


def is_tried(module: Module, node: ast.AST) -> bool:
    """Return whether an error of a node is caught in the function that it is in."""
    inner = node
    for outer in ancestors(module.parents, node):
        if isinstance(outer, SCOPES):
            return False
        if isinstance(outer, ast.Try | ast.TryStar) and outer.handlers and _is_body(module, inner):
            return True
        inner = outer
    return False


def _imports(module: Module) -> Iterator[Import]:
    for node in module.nodes:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        when = _when(module, node)
        base = _base(module, node) if isinstance(node, ast.ImportFrom) else None
        for alias in node.names:
            if isinstance(node, ast.Import):
                bound = alias.asname or alias.name.partition(".")[0]
                yield Import(node, alias, alias.name, None, bound, *when)
            else:
                yield Import(node, alias, base, alias.name, alias.asname or alias.name, *when)


def _base(module: Module, node: ast.ImportFrom) -> str | None:
    if not node.level:
        return node.module
    parts = module.package.split(".") if module.package else []
    if node.level > len(parts):
        return None
    package = parts[: len(parts) - node.level + 1]
    return ".".join((*package, node.module) if node.module else package)


def _when(module: Module, node: ast.AST) -> tuple[bool, bool, bool]:
    """Tell of a statement whether it runs later, may not run or may fail, or never runs."""
    lazy = careful = never = False
    inner = node
    for outer in ancestors(module.parents, node):
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            lazy = True
        elif isinstance(outer, ast.If):
            careful = True
            never |= _is_of_types(outer.test) and _is_body(module, inner)
        elif isinstance(outer, ast.Try | ast.TryStar):
            careful |= module.blocks.get(inner) != "finalbody" and _catches_imports(outer)
        elif isinstance(outer, ast.With | ast.AsyncWith | ast.Match | ast.While):
            careful = True
        inner = outer
    return lazy, careful, never


def _is_body(module: Module, node: ast.AST) -> bool:
    return module.blocks.get(node) == "body"


def _is_of_types(test: ast.expr) -> bool:
    return isinstance(test, ast.Name | ast.Attribute) and "TYPE_CHECKING" in (
        getattr(test, "id", ""),
        getattr(test, "attr", ""),
    )


def _catches_imports(node: ast.Try | ast.TryStar) -> bool:
    for handler in node.handlers:
        if handler.type is None:
            return True
        caught = {n.id for n in own_nodes(handler.type) if isinstance(n, ast.Name)}
        if caught & _CAUGHT or not caught:
            return True
    return False
