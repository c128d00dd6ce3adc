"""A project to the files of its plugin; pure: the same input gives the same bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from xinfer.build.code import code_files
from xinfer.plugin.ignore import DEFAULT_IGNORE
from xinfer.plugin.writer import FileTree
from xinfer.spec import Project
from xinfer.spec.project import complete, model_file, positions
from xinfer.yaml import to_yaml

SPEC = "provider_spec.py"
_MAIN = "main.py"
_DEPENDENCIES = {"requirements.txt", "pyproject.toml"}

_PYPROJECT = """\
[project]
name = {name}
version = {version}
requires-python = ">=3.12"
dependencies = [
{dependencies}
]

[dependency-groups]
dev = []
"""


class ConflictError(Exception):
    """A file that is carried over would replace one that is made from the spec."""


def emit(
    project: Project, *, modules: FileTree, carried: FileTree, runtime: FileTree
) -> dict[str, bytes]:
    """Make every file of the plugin.

    :param modules: ``provider_spec.py`` and the modules it imports from beside it, where the
        plugin needs them.
    :param carried: the files of the project's own folder. A module there takes the place of the
        generated one, and so do its dependencies, ignore file and lists of positions.
    :param runtime: the parts of xinfer that the plugin runs on.
    :raises ConflictError: a carried file stands where a declared one belongs.
    """
    project = complete(project)
    declared = {path: text.encode() for path, text in _declared(project)}
    code = {path: text.encode() for path, text in code_files(project) if path not in carried}
    needed = {**runtime, **modules}
    usual = {path: text.encode() for path, text in _usual(project, requirements(project, needed))}
    if _DEPENDENCIES & carried.keys():
        usual = {path: text for path, text in usual.items() if path not in _DEPENDENCIES}
    for path in carried:
        if path in declared or path in needed:
            raise ConflictError(
                f"{project.files}/{path} is written by the build: remove the file, and declare "
                f"what it holds in {SPEC}."
            )
    return {**usual, **needed, **code, **carried, **declared}


def requirements(project: Project, tree: Iterable[str]) -> tuple[str, ...]:
    """List what the plugin's environment must hold: what the project says, and what xinfer needs.

    :param tree: the paths of the plugin; those of xinfer tell which parts of it are there.
    """
    paths = tuple(tree)
    required = {re.split(r"[^\w.-]", line)[0].lower() for line in project.requirements}
    added = (
        line
        for folder, name, line in _NEEDS
        if name not in required and any(path.startswith(folder) for path in paths)
    )
    return (*project.requirements, *added)


_NEEDS = (
    ("xinfer/spec/", "attrs", "attrs>=24.3"),
    ("xinfer/runtime/", "requests", "requests>=2.32.3"),
    # The client closes streams through attributes of urllib3 that are not public.
    ("xinfer/runtime/", "urllib3", "urllib3>=2.2,<3"),
)
"""What each part of xinfer that a plugin carries needs beside the SDK."""


def _declared(project: Project) -> Iterator[tuple[str, str]]:
    """Yield the YAML files, which only the spec can declare."""
    yield "manifest.yaml", to_yaml(project.manifest, source=SPEC)
    yield project.provider_file, to_yaml(project.provider, source=SPEC)
    for model in project.models:
        yield model_file(model), to_yaml(model, source=SPEC)


def _usual(project: Project, required: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield the files that a project may replace: positions, dependencies, the ignore file."""
    for path, models in positions(project.provider, project.models):
        yield path, to_yaml([model.model for model in models], source=SPEC)
    yield "requirements.txt", "".join(f"{line}\n" for line in required)
    yield (
        "pyproject.toml",
        _PYPROJECT.format(
            name=_toml(project.manifest.name),
            version=_toml(project.manifest.version),
            dependencies="\n".join(f"    {_toml(line)}," for line in required),
        ),
    )
    yield ".difyignore", DEFAULT_IGNORE


def _toml(text: str) -> str:
    """Write a text as a TOML string, which JSON's strings are, too."""
    return json.dumps(text, ensure_ascii=False)
