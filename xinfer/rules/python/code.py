"""All Python of a plugin: what its modules are called, which of them run, what ruff finds there.

Only what runs is parsed: what the entry point, the provider's module and the models' modules
import, directly or not. Scripts and tests that lie beside are nobody's business.
"""

from __future__ import annotations

import ast
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, islice
from pathlib import PurePosixPath

from attrs import define, field, frozen

from xinfer.plugin.plugin import Plugin
from xinfer.rules.python.linter import SYNTAX, UNDEFINED, Diagnostic, lint
from xinfer.rules.python.memory import Memory
from xinfer.rules.python.source import Import, Module, parse
from xinfer.rules.python.tree import depth
from xinfer.rules.rule import Problem
from xinfer.spec import Project
from xinfer.spec.declaration import Declaration, set_span
from xinfer.spec.span import Span

MOST_TOKENS = 250_000
"""Names, numbers and signs in all that is parsed; the largest official plugin has 57,000.

A syntax tree takes up to 1 KB for each.
"""
_MOST_FOLDERS = 50
_MOST_BOUND = 2_000
_LONGEST, _DEEPEST = 4 * 1024 * 1024, 250
_TOKEN = re.compile(r"\w+|[^\w\s]")
_PYTHON = frozenset({".py", ".so", ".pyd"})


@define(eq=False)
class _Reader:
    """Parses files one by one, until their tokens are more than :data:`MOST_TOKENS`.

    :ivar skipped: what is not parsed although its text is known, and why.
    """

    texts: Mapping[str, str]
    tokens_left: int = MOST_TOKENS
    modules: dict[str, Module | None] = field(factory=dict)
    skipped: dict[str, str] = field(factory=dict)

    def module(self, path: str) -> Module | None:
        if path not in self.modules:
            self.modules[path] = self._parsed(path) if path in self.texts else None
        return self.modules[path]

    def _parsed(self, path: str) -> Module | None:
        text = self.texts[path]
        if len(text) > _LONGEST or not self._fits(text):
            self.skipped[path] = f"the plugin has more than {MOST_TOKENS:,} words and signs of it"
            return None
        module = parse(path, text)
        if depth(module.tree) > _DEEPEST:
            self.skipped[path] = f"it is nested more than {_DEEPEST} deep"
            return None
        return module

    def _fits(self, text: str) -> bool:
        tokens = sum(1 for _ in islice(_TOKEN.finditer(text), self.tokens_left + 1))
        if tokens > self.tokens_left:
            return False
        self.tokens_left -= tokens
        return True


@frozen(kw_only=True, eq=False)
class PluginCode(Declaration):
    """All Python of a plugin.

    :param files: the paths of everything in the plugin, Python whose text is not known included.
    :param left_out: what is beside and not packed, folders with a slash behind, and what leaves
        it out.
    :ivar memory: what has been worked out about it, by question.
    """

    project: Project
    files: frozenset[str]
    left_out: Mapping[str, str]
    reader: _Reader = field(repr=False)
    memory: Memory = field(init=False, factory=Memory, repr=False)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    @cached_property
    def paths(self) -> Mapping[str, str]:
        """The files of Python by the name that imports use; a package hides a module.

        A copy of the SDK that a plugin carries counts as the SDK.
        """
        paths: dict[str, str] = {}
        for path in sorted(self.files, key=lambda path: path.endswith("__init__.py")):
            pure = PurePosixPath(path)
            if (
                pure.suffix in _PYTHON
                and len(pure.parts) <= _MOST_FOLDERS
                and pure.parts[0] != "dify_plugin"
            ):
                stem = pure.name.partition(".")[0]
                parts = pure.parts[:-1] if stem == "__init__" else (*pure.parts[:-1], stem)
                paths[".".join(parts)] = path
        return paths

    @cached_property
    def names(self) -> frozenset[str]:
        """Every dotted name that is a module, or a folder with Python in it."""
        names: set[str] = set()
        for name in self.paths:
            while name and name not in names:
                names.add(name)
                name = name.rpartition(".")[0]
        return frozenset(names)

    def has_module(self, name: str) -> bool:
        """Return whether a dotted name is a module or a package of the plugin."""
        return name in self.names

    def why_left_out(self, name: str) -> str | None:
        """Return what leaves a module or package out of the packed files, if anything does."""
        return next((r for n in _packages(name) if (r := self._names_left_out.get(n))), None)

    @cached_property
    def _names_left_out(self) -> Mapping[str, str]:
        reasons: dict[str, str] = {}
        for path, reason in self.left_out.items():
            parts = PurePosixPath(path).with_suffix("").parts[:_MOST_FOLDERS]
            if path.endswith(("/", ".py")):
                for name in _packages(".".join(parts)):
                    reasons.setdefault(name, reason)
        return reasons

    def module(self, name: str) -> Module | None:
        """Return the module of a dotted name, if its text is known and can be looked at."""
        path = self.paths.get(name)
        return self.reader.module(path) if path else None

    @property
    def skipped(self) -> Mapping[str, str]:
        """What runs and cannot be looked at, with the reason."""
        running = self.running  # parses what there is to parse
        return self.reader.skipped if running else {}

    def problem(self, path: str, message: str) -> Problem:
        """Make a problem of a file as a whole."""
        return Problem(message, at=path, span=Span(path, 1, 1))

    @property
    def entry(self) -> Module | None:
        """The module that starts the plugin."""
        return self.module(self.project.manifest.meta.runner.entrypoint)

    @property
    def provider_source(self) -> Module | None:
        """The module of the provider's class."""
        extra = self.project.provider.extra
        return self._source(extra.python.provider_source) if extra else None

    @cached_property
    def model_sources(self) -> tuple[Module, ...]:
        """The modules of the models' classes, in the order in which the SDK loads them."""
        extra = self.project.provider.extra
        sources = map(self._source, extra.python.model_sources) if extra else ()
        return tuple(module for module in sources if module is not None)

    @cached_property
    def started(self) -> frozenset[Module]:
        """What runs when the plugin starts, as far as its imports tell."""
        roots = (self.entry, self.provider_source, *self.model_sources)
        return self._reached([root for root in roots if root is not None], lazy=False)

    @cached_property
    def running(self) -> tuple[Module, ...]:
        """What runs at all, sooner or later, by path."""
        ordered = sorted(self.started, key=lambda module: module.path)
        return tuple(sorted(self._reached(ordered, lazy=True), key=lambda module: module.path))

    @cached_property
    def is_whole(self) -> bool:
        """Whether all that may run can be looked at: nothing is unreadable or imported by text."""
        is_complete = self.reader.texts.keys() >= {
            path for path in self.files if path.endswith(".py")
        }
        return is_complete and not (
            self.reader.skipped
            or any(module.failure for module in self.running)
            or any(each.root == "importlib" for module in self.running for each in module.imports)
        )

    @cached_property
    def _diagnostics(self) -> Mapping[str, Sequence[Diagnostic]]:
        # What ruff keeps of a name grows with the square of how often it is bound.
        modules = [module for module in self.running if _most_bound(module) <= _MOST_BOUND]
        texts = {module.path: _without_typing(module) for module in modules}
        return lint(texts, safe=[module.path for module in modules if module.failure is None])

    def failure(self, module: Module) -> Diagnostic | None:
        """Return why a module is not Python 3.12, if it is not."""
        linted = (d for d in self._diagnostics.get(module.path, ()) if d.code == SYNTAX)
        return next(linted, module.failure)

    def undefined(self, module: Module) -> Iterator[ast.Name]:
        """Yield the names in a module that nothing defines, but those in quoted annotations."""
        places = {
            (d.line, d.column)
            for d in self._diagnostics.get(module.path, ())
            if d.code == UNDEFINED
        }
        for node in module.each(ast.Name) if places else ():
            if (node.lineno, module.column(node.lineno, node.col_offset)) in places:
                yield node

    def imported(self, each: Import) -> Iterator[Module]:
        """Yield the plugin's modules that run because of an import, packages first."""
        names = [each.module or ""]
        if each.module and each.name:
            names.append(f"{each.module}.{each.name}")
        for name in names:
            if name in self.names:
                for package in _packages(name):
                    if module := self.module(package):
                        yield module

    def _source(self, path: str) -> Module | None:
        # The SDK imports by name what a path stands for, and falls back to the path.
        name = PurePosixPath(path).with_suffix("").as_posix().replace("/", ".") if path else ""
        return self.module(name) or self.reader.module(str(PurePosixPath(path)))

    def _reached(self, roots: Iterable[Module], *, lazy: bool) -> frozenset[Module]:
        reached: set[Module] = set()
        packages = (self.module(name) for root in roots for name in _packages(root.name))
        waiting = deque(chain(roots, (module for module in packages if module is not None)))
        while waiting:
            module = waiting.popleft()
            if module not in reached:
                reached.add(module)
                for each in module.imports:
                    if not each.typing_only and (lazy or not each.lazy):
                        waiting.extend(self.imported(each))
        return frozenset(reached)


def plugin_code(plugin: Plugin) -> PluginCode:
    """Take the Python of a plugin."""
    texts = {path: text for path, text in plugin.sources.items() if path.endswith(".py")}
    code = PluginCode(
        project=plugin.project,
        files=frozenset(plugin.files),
        left_out=plugin.left_out,
        reader=_Reader(texts),
    )
    set_span(code, None)
    return code


def _packages(name: str) -> Iterator[str]:
    """Yield the dotted names that lead to a name, and the name itself."""
    parts = name.split(".")
    return (".".join(parts[:end]) for end in range(1, len(parts) + 1))


def _most_bound(module: Module) -> int:
    """Count how often the name is bound that is bound most often."""
    counts = Counter(name.id for name in module.each(ast.Name) if isinstance(name.ctx, ast.Store))
    return max(counts.values(), default=0)


def _without_typing(module: Module) -> str:
    """Blank out the imports that are for type checkers only: at run time they are not there."""
    nodes = {each.node for each in module.imports if each.typing_only}
    if not nodes:
        return module.text
    lines = list(module.lines)
    for node in nodes:
        begin, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        for number in range(begin, last + 1):
            start = node.col_offset if number == begin else 0
            end = node.end_col_offset if number == last else len(lines[number])
            blank = (b"pass" if number == begin else b"").ljust((end or 0) - start)
            lines[number] = lines[number][:start] + blank + lines[number][end:]
    return b"\n".join(lines).decode(errors="replace")
