"""``xinfer import``: a published plugin's folder to a project that builds the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from xinfer.cli.options import UnusableInput, counted, examples
from xinfer.cli.terminal import visible

_WORTH_A_BAR = 50
"""Model files; fewer are read before a bar can be seen."""


@click.command(
    "import",
    epilog=examples(
        "xinfer import published/acme",
        "xinfer import published/acme -o acme",
        "xinfer import --baseline acme-0.1.0.difypkg",
    ),
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="The folder to write; by default one of the plugin's name in the current folder.",
)
@click.option(
    "--baseline",
    is_flag=True,
    help="Suppress what xinfer check finds in the result: comments name the rules and messages.",
)
@click.option(
    "--declare-runtime",
    is_flag=True,
    help="Declare a runtime in the place of Python that only fills in the SDK's classes for "
    "OpenAI-compatible servers.",
)
def import_(folder: Path, out: Path | None, *, baseline: bool, declare_runtime: bool) -> None:
    """Write the provider_spec.py that builds the plugin in FOLDER, or in a .difypkg.

    Its YAML becomes Python; its own Python, icons and documents are copied. Building the result
    gives YAML that is equal, key for key, to what was read. Nothing in the plugin is executed.
    """
    from xinfer.importer import (
        NotDeclarable,
        UnreadablePlugin,
        import_plugin,
        with_runtime,
        write_spec,
    )
    from xinfer.plugin.read import read_plugin

    try:
        with _Progress() as progress:
            plugin = read_plugin(folder, progress=progress)
        imported = import_plugin(plugin)
        if declare_runtime:
            imported = with_runtime(imported)
        spec = write_spec(imported, out or _folder_of(imported.manifest.name), baseline=baseline)
    except UnreadablePlugin as error:
        raise UnusableInput(str(error)) from error
    except NotDeclarable as error:
        raise UnusableInput(
            f"No runtime can be declared for {folder}: {error}. Leave --declare-runtime out to "
            "keep its Python."
        ) from error
    for warning in imported.warnings:
        click.secho(visible(warning), fg="yellow", err=True)
    models, files = counted(len(imported.models), "model"), counted(len(imported.copied), "file")
    click.echo(f"Wrote {spec}: {models}, {files} copied.")


_FOLDER = re.compile(r"[a-z0-9_-]{1,128}", re.IGNORECASE)
"""A plugin's name as Dify takes it, and in capitals."""


def _folder_of(name: str) -> Path:
    """Return the name of the folder for a plugin.

    :raises UnusableInput: the plugin's name is not one that Dify accepts, and might lead elsewhere.
    """
    if not _FOLDER.fullmatch(name):
        raise UnusableInput(
            f"The plugin's name, {name!r}, is not a folder's name. Name the folder with -o."
        )
    return Path(name)


class _Progress:
    """Shows a bar if there is much to read."""

    def __init__(self) -> None:
        self._progress: Any = None
        self._bar: Any = None

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._progress.__exit__(None, None, None)

    def __call__(self, done: int, total: int) -> None:
        if self._bar is None and total >= _WORTH_A_BAR:
            from rich.progress import Progress

            self._progress = Progress(transient=True).__enter__()
            self._bar = self._progress.add_task("Reading models", total=total)
        if self._bar is not None:
            self._progress.update(self._bar, completed=done)
