"""A ``provider_spec.py`` to its project: imported by path, with the modules it brings along."""

from __future__ import annotations

import importlib
import linecache
import re
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType, TracebackType

from attrs import frozen

from xinfer import spec
from xinfer.build.contain import contained
from xinfer.spec import Project
from xinfer.spec.declaration import Declaration
from xinfer.spec.span import is_installed

_MODULE = "provider_spec"
"""The name under which the emitted plugin imports it too, whatever the file is called here."""


class SpecError(Exception):
    """The spec cannot be used; ``str`` says why, with the traceback of the user's own lines."""


@frozen(kw_only=True)
class LoadedSpec:
    """A spec and where it came from.

    :param folder: where the file lies; other paths of the project start there.
    :param modules: the spec's own source and that of the modules it imported from beside it, by
        path in the plugin.
    :param sources: where each of these modules is.
    """

    project: Project
    folder: Path
    modules: dict[str, bytes]
    sources: dict[str, Path]


def load_spec(path: Path) -> LoadedSpec:
    """Import a spec, which runs it.

    :raises SpecError: there is no such file, it does not import, or declares no ``project``.
    """
    path = path.absolute()
    if not path.is_file():
        raise SpecError(f"There is no {_short(path)}: name the file that declares the plugin.")
    linecache.checkcache()  # spans need the lines as they are now
    before = set(sys.modules)
    with _importable(path):
        try:
            source = path.read_bytes()
            with contained() as threads:
                module = importlib.import_module(_MODULE)
        except BaseException as error:
            raise SpecError(_report(error, path)) from error
        finally:
            own = _forget_modules(set(sys.modules) - before, path.parent)
    for thread in threads:
        thread.join(_PATIENCE)
        if thread.is_alive():
            raise SpecError(
                f"{_short(path)} starts the thread {thread.name}, which still runs after the spec "
                "is read: declare the plugin, and start nothing."
            )
    project = getattr(module, "project", None)
    if not isinstance(project, Project):
        content = "nothing of that name" if project is None else f"a value of type {_type(project)}"
        raise SpecError(
            f"{_short(path)} must declare `project = Project(...)` at its top level; "
            f"it holds {content}."
        )
    beside = {
        file.relative_to(path.parent).as_posix(): file
        for name, file in own.items()
        if name != _MODULE and file.is_file()
    }
    spec = f"{_MODULE}.py"
    return LoadedSpec(
        project=project,
        folder=path.parent,
        modules={name: file.read_bytes() for name, file in beside.items()} | {spec: source},
        sources={**beside, spec: path},
    )


_PATIENCE = 1.0
"""Seconds that a thread of a spec may go on."""


@frozen
class _Finder:
    """Finds the spec under its name in the plugin, whatever its file is called here."""

    path: Path

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """Answer the import system."""
        if name != _MODULE:
            return None
        loader = _UncachedLoader(name, str(self.path))
        return spec_from_file_location(name, self.path, loader=loader)


class _UncachedLoader(SourceFileLoader):
    """Compiles the source each time: Python tells a stale cache by size and whole seconds only."""

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 (the import system's signature)
        """Return the code of the file as it is now."""
        return self.source_to_code(self.get_data(self.path), self.path)


@contextmanager
def _importable(path: Path) -> Iterator[None]:
    """Let the spec be imported, and import what lies beside it, as it will in the plugin."""
    elsewhere = sys.modules.pop(_MODULE, None)
    finder = _Finder(path)
    sys.meta_path.insert(0, finder)
    sys.path.insert(0, str(path.parent))
    try:
        yield
    finally:
        sys.path.remove(str(path.parent))
        sys.meta_path.remove(finder)
        sys.modules.pop(_MODULE, None)
        if elsewhere is not None:
            sys.modules[_MODULE] = elsewhere


def _forget_modules(names: set[str], folder: Path) -> dict[str, Path]:
    """Unload the modules beside a spec, which the next spec must not get; return their files."""
    own = {name: file for name in names if (file := _beside(_file(sys.modules[name]), folder))}
    for name in own:
        del sys.modules[name]
    return own


def _file(module: ModuleType) -> str | None:
    """Return the file of a module, or the folder of a package that is nothing more."""
    return getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), None)


def _beside(file: str | None, folder: Path) -> Path | None:
    """Return the path of a module of the author's own; ``None`` for xinfer's and installed ones."""
    if file is None or is_installed(file):
        return None
    path = Path(file)
    return path if path.is_relative_to(folder) else None


def _report(error: BaseException, path: Path) -> str:
    """Show an error as Python does, without the lines of xinfer and of the import system."""
    if isinstance(error, KeyboardInterrupt):
        line = _last_line(error.__traceback__, path.parent)
        return f"{_short(path)} was still running{line} when it was interrupted."
    report = traceback.TracebackException.from_exception(error)
    part: traceback.TracebackException | None = report
    while part is not None:
        own = [frame for frame in part.stack if _beside(frame.filename, path.parent)]
        part.stack = traceback.StackSummary.from_list(own)
        context = part.__context__
        if context and not any(_beside(frame.filename, path.parent) for frame in context.stack):
            part.__context__ = None  # of xinfer's own
        part = part.__cause__ or part.__context__
    if isinstance(error, SystemExit):
        heading = f"{_short(path)} ends the program instead of declaring the plugin:"
    else:
        heading = f"{_short(path)} does not import:"
    text = "".join(report.format()).rstrip()
    hint = "" if "Did you mean" in text else _hint(error)
    return f"{heading}\n{text}{hint}".encode(errors="backslashreplace").decode()


def _last_line(trace: TracebackType | None, folder: Path) -> str:
    """Name the last line of the author's own that was running."""
    frames = [f for f in traceback.extract_tb(trace) if _beside(f.filename, folder)]
    if not frames:
        return ""
    return f", at line {frames[-1].lineno} of {_short(Path(frames[-1].filename))},"


def _type(value: object) -> str:
    return type(value).__name__


def _hint(error: BaseException) -> str:
    """Guess which name was meant, as Python does when it prints an error itself."""
    if isinstance(error, ImportError):
        names: Iterable[str] = dir(sys.modules.get(error.name or ""))
        near = get_close_matches(error.name_from or "", names, n=1)
        return f". Did you mean: '{near[0]}'?" if near else ""
    unexpected = _UNEXPECTED.match(str(error)) if isinstance(error, TypeError) else None
    kind = getattr(spec, unexpected[1], None) if unexpected else None
    if unexpected is None or not (isinstance(kind, type) and issubclass(kind, Declaration)):
        return ""
    from xinfer.schema import fields_of  # only for a message, and slow to import

    names = fields_of(kind)
    near = get_close_matches(unexpected[2], names, n=1)
    return f". Did you mean '{near[0]}'?" if near else f": it takes {', '.join(names)}"


_UNEXPECTED = re.compile(r"(\w+)\.__init__\(\) got an unexpected keyword argument '(\w+)'")


def _short(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
