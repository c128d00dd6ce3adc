"""A ``provider_spec.py`` to its project: imported by path, with the modules it brings along."""

from __future__ import annotations

import importlib.util
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

from attrs import frozen

from xinfer import spec
from xinfer.schema import fields_of
from xinfer.spec import Declaration, Project

_MODULE = "provider_spec"
"""The name under which the emitted plugin imports it too, whatever the file is called here."""

_XINFER = Path(__file__).parent.parent


class SpecError(Exception):
    """The spec cannot be used; ``str`` says why, with the traceback of the user's own lines."""


@frozen(kw_only=True)
class LoadedSpec:
    """A spec and where it came from.

    :param folder: where the file lies; other paths of the project start there.
    :param modules: the spec's own source and that of the modules it imported from beside it, by
        path in the plugin.
    """

    project: Project
    folder: Path
    modules: dict[str, bytes]


def load_spec(path: Path) -> LoadedSpec:
    """Import a spec.

    :raises SpecError: there is no such file, it does not import, or declares no ``project``.
    """
    path = path.absolute()
    if not path.is_file():
        raise SpecError(f"There is no {_short(path)}: name the file that declares the plugin.")
    before = set(sys.modules)
    with _importable(path.parent):
        try:
            source = path.read_bytes()
            module = _execute(path)
        except (Exception, SystemExit) as error:
            raise SpecError(_report(error, path)) from error
        finally:
            imported = {name: sys.modules[name] for name in set(sys.modules) - before}
            # A second spec in this process must not meet the modules of the first.
            own = {
                name: file
                for name, loaded in imported.items()
                if (file := _beside(_place(loaded), path.parent))
            }
            for name in own:
                del sys.modules[name]
    project = getattr(module, "project", None)
    if not isinstance(project, Project):
        found = "nothing of that name" if project is None else f"a {type(project).__name__}"
        raise SpecError(
            f"{_short(path)} must declare `project = Project(...)` at its top level; "
            f"it holds {found}."
        )
    others = {
        file.relative_to(path.parent).as_posix(): file.read_bytes()
        for name, file in own.items()
        if name != _MODULE and file.is_file()
    }
    return LoadedSpec(
        project=project, folder=path.parent, modules={**others, f"{_MODULE}.py": source}
    )


def _execute(path: Path) -> object:
    found = importlib.util.spec_from_file_location(_MODULE, path)
    if found is None or found.loader is None:
        raise ImportError(f"{path.name} is not a Python file")
    module = importlib.util.module_from_spec(found)
    sys.modules[_MODULE] = module  # where typing looks for the names that annotations use
    found.loader.exec_module(module)
    return module


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Let the spec import what lies beside it, as it will in the plugin."""
    elsewhere = sys.modules.pop(_MODULE, None)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop(_MODULE, None)
        if elsewhere is not None:
            sys.modules[_MODULE] = elsewhere


def _place(module: object) -> str | None:
    """Return the file of a module, or the folder of a package that is nothing more."""
    return getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), None)


def _beside(file: str | None, folder: Path) -> Path | None:
    """Tell a module of the user's own from xinfer's and from what is installed."""
    if file is None:
        return None
    path = Path(file)
    installed = any(path.is_relative_to(place) for place in (_XINFER, sys.prefix, sys.base_prefix))
    return path if path.is_relative_to(folder) and not installed else None


def _report(error: BaseException, path: Path) -> str:
    """Show the error as Python does, without the lines of xinfer and of the import system."""
    report = traceback.TracebackException.from_exception(error)
    own = [frame for frame in report.stack if _beside(frame.filename, path.parent)]
    report.stack = traceback.StackSummary.from_list(own)
    report.__cause__ = report.__context__ = None
    heading = f"{_short(path)} does not import:"
    return "\n".join([heading, "".join(report.format()).rstrip() + _meant(error)])


def _meant(error: BaseException) -> str:
    """Guess which field of a declaration was meant by a misspelt one, as Python 3.13 does."""
    if "Did you mean" in str(error):
        return ""
    found = _UNEXPECTED.match(str(error))
    kind = getattr(spec, found[1], None) if found else None
    if found is None or not (isinstance(kind, type) and issubclass(kind, Declaration)):
        return ""
    known = fields_of(kind)
    near = get_close_matches(found[2], known, n=1)
    return f". Did you mean '{near[0]}'?" if near else f": it takes {', '.join(known)}"


_UNEXPECTED = re.compile(r"(\w+)\.__init__\(\) got an unexpected keyword argument '(\w+)'")


def _short(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
