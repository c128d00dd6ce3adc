"""``xinfer check``: every mistake that can be found at the desk, with its place and its cure."""

from __future__ import annotations

from pathlib import Path

import click

from xinfer.build import BuildError, prepare
from xinfer.checks import Kind
from xinfer.checks import check as check_project
from xinfer.cli.options import UnusableInput
from xinfer.cli.report import FORMATS, show


@click.command
@click.argument("path", type=click.Path(path_type=Path), default="provider_spec.py")
@click.option(
    "--format",
    "output",
    type=click.Choice(list(FORMATS)),
    default="text",
    show_default=True,
    help="For people, for programs, or as notes on a pull request.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 for advice, too.")
def check(path: Path, output: str, *, strict: bool) -> None:
    """Find the mistakes in a declared plugin.

    PATH is a provider_spec.py. Exits with 0 when nothing is found, or advice alone, with 1 when
    something is, and with 2 when PATH cannot be used.
    """
    try:
        prepared = prepare(path)
    except BuildError as error:
        raise UnusableInput(str(error)) from error
    files = {name: len(content) for name, content in prepared.tree.items()}
    findings = check_project(prepared.project, files)
    show(findings, output)
    if any(strict or finding.kind is not Kind.ADVICE for finding in findings):
        raise SystemExit(1)
