"""``xinfer publish``: a package where the marketplace expects it, and the pull request's text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xinfer.cli.options import (
    UnusableInput,
    counted,
    examples,
    existing,
    ignore_option,
    relative,
    selection_of,
)

if TYPE_CHECKING:
    from xinfer.plugin.plugin import Plugin

_TEXT = "PULL_REQUEST.md"
_RESERVED = re.compile(r"[@.](example(\.(com|net|org))?|invalid|test|localhost)$", re.IGNORECASE)
"""Domains in which no address is anybody's: RFC 2606 and RFC 6761."""


@click.command(
    epilog=examples(
        "xinfer publish ../dify-plugins dist/acme-0.2.0.difypkg",
        "xinfer publish ../dify-plugins dist/acme-0.2.0.difypkg --since acme-0.1.0.difypkg",
    )
)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.argument("package", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--since",
    type=click.Path(path_type=Path),
    help="The version before this one; by default the newest that lies in FOLDER.",
)
@ignore_option
def publish(folder: Path, package: Path, since: Path | None, ignore: tuple[str, ...]) -> None:
    """Put PACKAGE into FOLDER as the marketplace expects it, and write the pull request's text.

    FOLDER is a checkout of the marketplace's repository. Nothing is written while the review would
    refuse the plugin; nothing is committed or sent.
    """
    existing(package)
    if not folder.is_dir():
        raise UnusableInput(f"There is no folder {folder}: name a checkout of the repository.")
    from xinfer.cli.check import blocks_review, report_of, review_of
    from xinfer.cli.report import show
    from xinfer.cli.sides import whole_plugin_at
    from xinfer.plugin.checksum import require_identifier
    from xinfer.plugin.limits import UnreadablePlugin
    from xinfer.plugin.writer import staged_file
    from xinfer.rules import Report

    report = report_of(package, selection=selection_of((), ignore), review=review_of(folder))
    blocking = tuple(filter(blocks_review, report.findings))
    if blocking:
        show(Report(blocking))
        click.echo(f"{counted(len(blocking), 'finding')} to correct before it is published.")
        raise SystemExit(1)
    plugin = whole_plugin_at(package)
    manifest = plugin.project.manifest
    try:
        require_identifier(manifest.author, manifest.name, manifest.version)
    except UnreadablePlugin as error:
        raise UnusableInput(str(error)) from error
    place = folder / manifest.author / manifest.name
    target = place / f"{manifest.name}-{manifest.version}.difypkg"
    published = sorted(place.glob("*.difypkg"), key=_version)
    before = since or (published[-1] if published else None)
    text = "\n".join(_text(plugin, whole_plugin_at(before) if before else None)) + "\n"
    description = package.parent / _TEXT
    try:
        with (
            staged_file(target, package.read_bytes()) as put_package,
            staged_file(description, text.encode()) as put_text,
        ):
            put_text()
            put_package()
    except OSError as error:
        path = relative(str(error.filename or place))
        raise UnusableInput(f"{path} cannot be written: {error.strerror}.") from error
    click.echo(f"Copied {package.name} to {target}.")
    click.echo(f"Wrote the pull request's text to {description}.")
    if manifest.contact and _RESERVED.search(manifest.contact):
        click.echo(
            f"Warning: no mail reaches the contact {manifest.contact}, whose domain is reserved "
            "for examples. Change it before you open the pull request.",
            err=True,
        )


def _version(path: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", path.stem.rpartition("-")[2]))


def _text(plugin: Plugin, before: Plugin | None) -> Iterator[str]:
    """Fill in the form of the repository's pull requests, as far as a program can."""
    manifest = plugin.project.manifest
    new = before is None
    yield "# Plugin Submission"
    yield ""
    yield "## Plugin information"
    yield ""
    yield f"- **Author**: {manifest.author}"
    yield f"- **Plugin name**: {manifest.name}"
    yield f"- **Version**: {manifest.version}"
    yield f"- **Source repository**: {manifest.repo}"
    yield f"- **Contact**: {manifest.contact}"
    yield ""
    yield "## Submission type"
    yield ""
    yield f"- [{'x' if new else ' '}] New plugin"
    yield f"- [{' ' if new else 'x'}] Version update"
    yield ""
    yield "## What changed"
    yield ""
    if before is None:
        yield str(manifest.description)
        yield ""
    else:
        yield from _changes(before, plugin)
    yield "## Local validation"
    yield ""
    yield "```"
    yield f"xinfer check --review {manifest.name}-{manifest.version}.difypkg"
    yield "Nothing that the review or the installation would refuse is found."
    yield "```"
    yield ""
    yield "The remaining points of the form are for its author: risk level, required checks,"
    yield "security and privacy notes."


def _changes(before: Plugin, plugin: Plugin) -> Iterator[str]:
    from xinfer.cli.diff import markdown
    from xinfer.diff import changes

    yield from markdown(changes(before, plugin))
