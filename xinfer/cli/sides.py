"""A plugin named on the command line in any of its forms: a spec, a folder, a package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from xinfer.cli.options import UnusableInput, existing

if TYPE_CHECKING:
    from xinfer.spec import Project


def project_at(path: Path) -> Project:
    """Read the project that a path stands for.

    Of a spec that is what it builds, so that it compares with a folder or a package, and what it
    says of the models that users add by hand.

    :raises UnusableInput: it cannot be read; the message says why.
    """
    from xinfer.build import BuildError, prepare
    from xinfer.importer import UnreadablePlugin, files_in_memory, project_of, read_project
    from xinfer.spec import evolve

    existing(path)
    try:
        if path.suffix != ".py":
            return read_project(path)
        prepared = prepare(path)
        built = project_of(files_in_memory(prepared.tree, path))
        return evolve(built, customizable_models=prepared.project.customizable_models)
    except (*BuildError, UnreadablePlugin) as error:
        raise UnusableInput(str(error)) from error
