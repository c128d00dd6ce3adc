"""A plugin's Python, parsed once and never run: modules, what each imports, which of them run."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from attrs import field, frozen

from xinfer.rules.python.tree import SCOPES, ancestors, below, depth, own_nodes, parents_of
from xinfer.rules.rule import Problem, Subject
from xinfer.spec import Declaration, Origin, Project

_DAEMONS_PYTHON = (3, 12)
"""The daemon always makes an environment of this version, whatever the manifest says."""

_LONGEST, _DEEPEST = 4 * 1024 * 1024, 250
_DYNAMIC = {"globals", "exec", "modules", "vars", "global_enum", "_convert_"}
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
    module: str | None
    name: str | None
    bound: str
    lazy: bool
    careful: bool
    typing_only: bool


@frozen(eq=False)
class Failure:
    """Why a module cannot be read, and where."""

    message: str
    line: int
    column: int


@frozen(eq=False)
class Module:
    """One Python file.

    :param name: as it is imported, from the plugin's root.
    :param tree: empty where it cannot be read.
    """

    path: str
    name: str
    tree: ast.Module
    failure: Failure | None = None

    @cached_property
    def parents(self) -> Mapping[ast.AST, ast.AST]:
        """The node around each node."""
        return parents_of(self.tree)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Everything in it, in the order of the source."""
        return tuple(below(self.tree))

    @cached_property
    def _by_kind(self) -> Mapping[type, Sequence[Any]]:
        found: dict[type, list[ast.AST]] = {}
        for node in self.nodes:
            found.setdefault(type(node), []).append(node)
        return found

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

    def problem(self, message: str, at: ast.AST | None = None) -> Problem:
        """Say what is wrong, at a node of this module."""
        line, column = getattr(at, "lineno", 1), getattr(at, "col_offset", 0) + 1
        return Problem(message, at=self.path, span=Origin(self.path, line, column))


@frozen(kw_only=True, eq=False)
class PluginCode(Declaration):
    """All Python of a plugin.

    :param modules: by path.
    :param files: the paths of everything in the plugin, Python whose text is not known included.
    :ivar known: what has been worked out of it, by what was asked.
    """

    project: Project
    modules: Mapping[str, Module]
    files: frozenset[str]
    known: dict[object, Any] = field(init=False, factory=dict, repr=False)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        # What is worked out of it is kept by it.
        return id(self)

    @cached_property
    def by_name(self) -> Mapping[str, Module]:
        """The modules by the name that imports use; a package hides a module of its name."""
        order = sorted(self.modules.values(), key=lambda one: one.path.endswith("__init__.py"))
        return {one.name: one for one in order}

    @cached_property
    def _names(self) -> frozenset[str]:
        """Every dotted name that is a module or a folder with Python in it."""
        found: set[str] = set()
        for path in map(PurePosixPath, self.files):
            if path.suffix in {".py", ".so", ".pyd"}:
                parts = (*path.parts[:-1], path.name.partition(".")[0])
                found.update(".".join(parts[:end]) for end in range(1, len(parts) + 1))
        return frozenset(found)

    def holds(self, name: str) -> bool:
        """Say whether a dotted name is a module or a package of the plugin."""
        return name in self._names

    @property
    def entry(self) -> Module | None:
        """The module that starts the plugin."""
        return self.by_name.get(self.project.manifest.meta.runner.entrypoint)

    @property
    def provider_source(self) -> Module | None:
        """The module of the provider's class."""
        extra = self.project.provider.extra
        return self._source(extra.python.provider_source) if extra else None

    @property
    def model_sources(self) -> tuple[Module, ...]:
        """The modules of the models' classes, in the order in which the SDK loads them."""
        extra = self.project.provider.extra
        named = (self._source(path) for path in extra.python.model_sources) if extra else ()
        return tuple(module for module in named if module is not None)

    @cached_property
    def started(self) -> frozenset[Module]:
        """What runs when the plugin starts, as far as its imports tell."""
        roots = (self.entry, self.provider_source, *self.model_sources)
        return self._reached([root for root in roots if root is not None], lazy=False)

    @cached_property
    def running(self) -> tuple[Module, ...]:
        """What runs at all, sooner or later; scripts and tests of the plugin do not. By path."""
        return tuple(sorted(self._reached(self.started, lazy=True), key=lambda module: module.path))

    def imported(self, one: Import) -> Iterator[Module]:
        """Yield the plugin's modules that run because of an import, packages first."""
        names = [one.module or ""]
        if one.module and one.name:
            names.append(f"{one.module}.{one.name}")
        for name in names:
            parts = name.split(".")
            for end in range(1, len(parts) + 1):
                if found := self.by_name.get(".".join(parts[:end])):
                    yield found

    def _source(self, path: str) -> Module | None:
        # The SDK imports by name what a path stands for, and falls back to the path.
        name = PurePosixPath(path).with_suffix("").as_posix().replace("/", ".") if path else ""
        return self.by_name.get(name) or self.modules.get(str(PurePosixPath(path)))

    def _reached(self, roots: Iterable[Module], *, lazy: bool) -> frozenset[Module]:
        found: set[Module] = set()
        waiting = list(roots)
        for root in tuple(waiting):
            parts = root.name.split(".")
            packages = (".".join(parts[:end]) for end in range(1, len(parts)))
            waiting += (self.by_name[name] for name in packages if name in self.by_name)
        while waiting:
            module = waiting.pop()
            if module in found:
                continue
            found.add(module)
            for one in module.imports:
                if not one.typing_only and (lazy or not one.lazy):
                    waiting += self.imported(one)
        return frozenset(found)


def plugin_code(subject: Subject) -> PluginCode | None:
    """Parse what is there of a plugin's Python; ``None`` where nobody knows its text."""
    if subject.sources is None:
        return None
    texts = {path: text for path, text in subject.sources.items() if path.endswith(".py")}
    parsed = {path: parse(path, text) for path, text in texts.items() if len(text) <= _LONGEST}
    code = PluginCode(
        project=subject.project,
        # What is too deep or too long for anyone to write is as good as not known.
        modules={p: module for p, module in parsed.items() if depth(module.tree) <= _DEEPEST},
        files=frozenset(subject.files or ()) | texts.keys(),
    )
    object.__setattr__(code, "origin", None)
    return code


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
        failure = Failure(error.msg or "a syntax error", error.lineno or 1, error.offset or 1)
    except (RecursionError, MemoryError):
        failure = Failure("it is nested too deeply to be read", 1, 1)
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        failure = Failure("it is not UTF-8", line, 1)
    except ValueError as error:
        failure = Failure(str(error), 1, 1)
    else:
        return Module(path, name, tree)
    return Module(path, name, ast.Module(body=[], type_ignores=[]), failure)


def is_tried(module: Module, node: ast.AST) -> bool:
    """Say whether an error of a node is caught in the function that it is in."""
    inner = node
    for outer in ancestors(module.parents, node):
        if isinstance(outer, SCOPES):
            return False
        if isinstance(outer, ast.Try | ast.TryStar) and outer.handlers and inner in outer.body:
            return True
        inner = outer
    return False


def is_dynamic(module: Module) -> bool:
    """Say whether a module has names that cannot be read off it."""
    return any(one.name == "*" for one in module.imports) or any(
        isinstance(node, ast.Name | ast.Attribute)
        and getattr(node, "id", getattr(node, "attr", "")) in _DYNAMIC
        for node in module.nodes
    )


def _imports(module: Module) -> Iterator[Import]:
    for node in module.nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.partition(".")[0]
                yield Import(node, alias.name, None, bound, *_when(module, node))
        elif isinstance(node, ast.ImportFrom):
            base = _base(module, node)
            for alias in node.names:
                yield Import(
                    node, base, alias.name, alias.asname or alias.name, *_when(module, node)
                )


def _base(module: Module, node: ast.ImportFrom) -> str | None:
    if not node.level:
        return node.module
    parts = module.package.split(".") if module.package else []
    if node.level > len(parts):
        return None
    kept = parts[: len(parts) - node.level + 1]
    return ".".join((*kept, node.module) if node.module else kept)


def _when(module: Module, node: ast.AST) -> tuple[bool, bool, bool]:
    """Say of a statement whether it runs later, may not run or may fail, or never runs."""
    lazy = careful = never = False
    inner = node
    for outer in ancestors(module.parents, node):
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            lazy = True
        elif isinstance(outer, ast.If):
            careful = True
            never |= _is_of_types(outer.test) and inner in outer.body
        elif isinstance(outer, ast.Try | ast.TryStar):
            careful |= inner not in outer.finalbody and _catches_imports(outer)
        elif isinstance(outer, ast.With | ast.AsyncWith | ast.Match | ast.While):
            careful = True
        inner = outer
    return lazy, careful, never


def _is_of_types(test: ast.expr) -> bool:
    return isinstance(test, ast.Name | ast.Attribute) and "TYPE_CHECKING" in (
        getattr(test, "id", ""),
        getattr(test, "attr", ""),
    )


def _catches_imports(node: ast.Try | ast.TryStar) -> bool:
    for handler in node.handlers:
        if handler.type is None:
            return True
        named = {n.id for n in own_nodes(handler.type) if isinstance(n, ast.Name)}
        if named & _CAUGHT or not named:
            return True
    return False
