"""``xinfer check``: find every mistake that can be found without Dify, with its place and fix."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from xinfer.cli.options import FINDING_FORMATS, UnusableInput, examples, existing

if TYPE_CHECKING:
    from xinfer.plugin.plugin import Plugin
    from xinfer.rules import Finding


@click.command(
    epilog=examples(
        "xinfer check",
        "xinfer check --fix published/acme",
        "xinfer check --format sarif acme-0.1.0.difypkg",
    )
)
@click.argument("path", type=click.Path(path_type=Path), default="provider_spec.py")
@click.option(
    "--format",
    "output",
    type=click.Choice(FINDING_FORMATS),
    default="text",
    show_default=True,
    help="For people, for programs, as notes on a pull request, or for code scanning.",
)
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    help="The version that users have: find what breaks for them, too.",
)
@click.option("--fix", is_flag=True, help="First fix what has one right answer; folders only.")
@click.option("--strict", is_flag=True, help="Exit with 1 for advice, too.")
def check(path: Path, output: str, against: Path | None, *, fix: bool, strict: bool) -> None:
    """Find the mistakes in a plugin.

    PATH is a provider_spec.py, the folder of a plugin, or a .difypkg. Exits with 0 when nothing is
    found, or advice alone, with 1 when something is, and with 2 when PATH cannot be used.
    """
    from xinfer.cli.report import show
    from xinfer.rules import Severity

    existing(path)
    if fix:
        _fix(path)
    findings = findings_of(path, against)
    show(findings, output)
    if any(strict or finding.severity is not Severity.ADVICE for finding in findings):
        raise SystemExit(1)


def findings_of(path: Path, against: Path | None = None) -> tuple[Finding, ...]:
    """Find what is wrong with a spec, a folder or a package.

    :param against: the version that users have.
    """
    from xinfer.build import WrongValues
    from xinfer.cli.sides import plugin_at
    from xinfer.rules import check

    try:
        plugin = plugin_at(path)
    except WrongValues as error:
        return error.findings
    findings = check(plugin)
    return findings + _broken_since(against, plugin) if against else findings


def _broken_since(old: Path, new: Plugin) -> tuple[Finding, ...]:
    from xinfer.cli.sides import project_at
    from xinfer.diff import changes
    from xinfer.rules import check_changes

    if new.declared is None:
        return ()
    return check_changes(changes(project_at(old), new.declared), new)


def _fix(path: Path) -> None:
    from xinfer.importer import UnreadablePlugin, repair

    try:
        for edit in repair(path):
            click.echo(f"Fixed {path / edit.file}:{edit.line}: {edit.message}", err=True)
    except UnreadablePlugin as error:
        raise UnusableInput(str(error)) from error
