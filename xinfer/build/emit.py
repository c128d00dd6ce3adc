"""A project to the files of its plugin; pure: the same input gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterator

from xinfer.build.code import code_files
from xinfer.build.writer import FileTree
from xinfer.serde import to_yaml
from xinfer.spec import MODEL_FOLDERS, Project, complete

SPEC = "provider_spec.py"
_MAIN = "main.py"

_IGNORED = """\
.xinfer.json
.venv/
__pycache__/
.env
*.difypkg
"""

_PYPROJECT = """\
[project]
name = "{name}"
version = "{version}"
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

    :param modules: ``provider_spec.py`` and the modules it imports from beside it.
    :param carried: the files of the project's own folder. A module there takes the place of the
        generated one; a ``main.py`` there means that all the code is the project's own.
    :param runtime: the part of xinfer that the plugin needs to run.
    :raises ConflictError: a carried file stands where a declared one belongs.
    """
    project = complete(project)
    made = {path: text.encode() for path, text in _declared(project)} | dict(modules)
    for path in carried:
        if path in made or path in runtime:
            raise ConflictError(
                f"{project.files}/{path} is made by the build itself: remove it there, and say "
                f"what it said in {SPEC}."
            )
    code = {} if _MAIN in carried else {path: text.encode() for path, text in code_files(project)}
    return {**runtime, **code, **carried, **made}


def _declared(project: Project) -> Iterator[tuple[str, str]]:
    provider = project.provider
    yield "manifest.yaml", to_yaml(project.plugin, source=SPEC)
    yield f"provider/{provider.provider}.yaml", to_yaml(provider, source=SPEC)
    positions: dict[str, list[str]] = {}
    for model in project.models:
        folder = f"models/{MODEL_FOLDERS[model.model_type]}"
        positions.setdefault(folder, []).append(model.model)
        yield f"{folder}/{_file_name(model.model)}.yaml", to_yaml(model, source=SPEC)
    for folder, names in positions.items():
        yield f"{folder}/_position.yaml", to_yaml(list(names), source=SPEC)
    yield "requirements.txt", "".join(f"{line}\n" for line in project.requirements)
    yield (
        "pyproject.toml",
        _PYPROJECT.format(
            name=project.plugin.name,
            version=project.plugin.version,
            dependencies="\n".join(f'    "{line}",' for line in project.requirements),
        ),
    )
    yield ".difyignore", _IGNORED


def _file_name(model: str) -> str:
    """Make a model's name fit for a file: what a path or a glob would read otherwise goes."""
    return "".join(c if c.isalnum() or c in "._-" else "-" for c in model)
