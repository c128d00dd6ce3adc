"""``xinfer diff``: what changed between two versions, in the words of a release note."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xinfer.cli.options import examples
from xinfer.cli.terminal import json_text, visible

if TYPE_CHECKING:
    from xinfer.diff import Change


@click.command(
    epilog=examples(
        "xinfer diff acme-0.1.0.difypkg provider_spec.py",
        "xinfer diff --format markdown published/acme dist/acme",
    )
)
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "output",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="For people, for a release note, or for programs.",
)
@click.option("--exit-code", is_flag=True, help="Exit with 1 when something breaks.")
def diff(old: Path, new: Path, output: str, *, exit_code: bool) -> None:
    """List what changed from OLD to NEW.

    Each is a provider_spec.py, the folder of a plugin, or a .difypkg. What breaks the credentials
    that users have stored, or their apps, is marked.
    """
    from xinfer.cli.sides import whole_plugin_at
    from xinfer.diff import changes

    changed = changes(whole_plugin_at(old), whole_plugin_at(new))
    for line in _FORMATS[output](changed):
        click.echo(line)
    if exit_code and any(change.breaks for change in changed):
        raise SystemExit(1)


def _text(listed: Sequence[Change]) -> Iterable[str]:
    if not listed:
        yield "Nothing changed."
    for about, group in groupby(listed, key=lambda change: change.about):
        yield click.style(about, bold=True)
        for change in group:
            mark = click.style("!", fg="red", bold=True) if change.breaks else " "
            yield f"{mark} {visible(change.text)}"
            if change.breaks:
                yield click.style(f"    {visible(change.breaks)}", fg="yellow")


def markdown(listed: Sequence[Change]) -> Iterable[str]:
    """Write changes as a release note."""
    for about, group in groupby(listed, key=lambda change: change.about):
        yield f"### {about}"
        yield ""
        for change in group:
            yield f"- {change.text}" + (f" (**breaks**: {change.breaks})" if change.breaks else "")
        yield ""


def _json(listed: Sequence[Change]) -> Iterable[str]:
    rows = [
        {"about": change.about.value, "text": change.text, "breaks": change.breaks or None}
        for change in listed
    ]
    yield json_text(rows, indent=2)


_FORMATS: Mapping[str, Callable[[Sequence[Change]], Iterable[str]]] = {
    "text": _text,
    "markdown": markdown,
    "json": _json,
}
