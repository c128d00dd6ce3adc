"""``xinfer check``: find every mistake that can be found without Dify, with its place and fix."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from xinfer.cli.options import (
    FINDING_FORMATS,
    UnusableInput,
    counted,
    examples,
    existing,
    ignore_option,
    select_option,
    selection_of,
    show_suppressed_option,
)
from xinfer.cli.terminal import visible

if TYPE_CHECKING:
    from xinfer.diff import Change
    from xinfer.plugin.plugin import Plugin
    from xinfer.rules import Finding, Report, Review, Selection


@click.command(
    epilog=examples(
        "xinfer check",
        "xinfer check --fix published/acme",
        "xinfer check --select XI6 --ignore XI644",
        "xinfer check --review --published ../dify-plugins dist/acme-0.1.0.difypkg",
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
@click.option(
    "--review",
    is_flag=True,
    help="Apply the rules of the marketplace's review, too; exit with 1 for what it refuses.",
)
@click.option(
    "--published",
    type=click.Path(path_type=Path),
    help="With --review: the versions that are published, as a checkout of the marketplace's "
    "repository or a list with author/name:version on each line.",
)
@click.option("--fix", is_flag=True, help="First fix what has one right answer; folders only.")
@click.option(
    "--baseline",
    is_flag=True,
    help="First suppress what is found now: a comment above each line names rules and messages.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 for advice, too.")
@select_option
@ignore_option
@show_suppressed_option
def check(
    path: Path,
    output: str,
    against: Path | None,
    published: Path | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    *,
    baseline: bool,
    fix: bool,
    review: bool,
    strict: bool,
    show_suppressed: bool,
) -> None:
    """Find the mistakes in a plugin.

    PATH is a provider_spec.py, the folder of a plugin, or a .difypkg. Exits with 0 when nothing is
    found, or advice alone, with 1 when something is, and with 2 when PATH cannot be used.
    """
    from xinfer.cli.report import show

    existing(path)
    if published and not review:
        raise UnusableInput("--published is for the review: add --review.")
    selection = selection_of(select, ignore)
    reviewed = review_of(published) if review else None
    if fix:
        _fix(path)
    if baseline:
        _baseline(path, against, selection)
    report = report_of(path, against, selection, reviewed)
    show(report, output, show_suppressed=show_suppressed)
    is_counted = blocks_review if review else is_not_advice
    if any(strict or is_counted(finding) for finding in report.findings):
        raise SystemExit(1)


def is_not_advice(finding: Finding) -> bool:
    """Return whether a check fails because of a finding."""
    from xinfer.rules import Severity

    return finding.severity is not Severity.ADVICE


def blocks_review(finding: Finding) -> bool:
    """Return whether the marketplace's review would refuse the plugin, or Dify would."""
    from xinfer.rules import Stage

    return is_not_advice(finding) or finding.where is Stage.REVIEW


def review_of(published: Path | None) -> Review:
    """Make what the review compares a plugin with.

    :param published: where the published versions are listed.
    :raises UnusableInput: it cannot be read.
    """
    from xinfer.plugin.limits import UnreadablePlugin
    from xinfer.plugin.published import published_versions
    from xinfer.rules import Review

    try:
        return Review(published=published_versions(published) if published else frozenset())
    except UnreadablePlugin as error:
        raise UnusableInput(str(error)) from error


def report_of(
    path: Path,
    against: Path | None = None,
    selection: Selection | None = None,
    review: Review | None = None,
) -> Report:
    """Find what is wrong with a spec, a folder or a package.

    :param against: the version that users have.
    :param selection: the rules to apply; all of them by default.
    :param review: what the marketplace has, to apply the rules of its review, too.
    """
    from xinfer.build.preparation import WrongValues
    from xinfer.cli.sides import plugin_at
    from xinfer.rules import Report

    try:
        return _report(plugin_at(path), against, selection, review)
    except WrongValues as error:
        return Report(error.findings)


def _report(
    plugin: Plugin,
    against: Path | None,
    selection: Selection | None,
    review: Review | None = None,
) -> Report:
    from xinfer.rules import Selection, report

    changes = _changes(against, plugin) if against else None
    return report(plugin, changes=changes, review=review, selection=selection or Selection())


def _baseline(path: Path, against: Path | None, selection: Selection) -> None:
    """Write comments that suppress what is found."""
    from xinfer.build.preparation import WrongValues
    from xinfer.cli.sides import plugin_at
    from xinfer.importer import entries, write_baseline

    if path.is_file() and path.suffix != ".py":
        raise UnusableInput(f"{path} is a package. --baseline edits the files of a folder or spec.")
    try:
        plugin = plugin_at(path)
    except WrongValues:
        return
    findings = _report(plugin, against, selection).findings
    left = write_baseline(plugin, findings)
    suppressed = len(findings) - len(left)
    click.echo(f"Suppressed {counted(suppressed, 'finding')} in comments.", err=True)
    for entry in entries(left, path.absolute().parent) if path.suffix == ".py" else ():
        click.echo(f"For ignore= of the project: {visible(str(entry))},", err=True)


def _changes(old: Path, new: Plugin) -> tuple[Change, ...]:
    from xinfer.cli.sides import whole_plugin_at
    from xinfer.diff import changes

    return () if new.declared is None else changes(whole_plugin_at(old), new)


def _fix(path: Path) -> None:
    from xinfer.importer import UnreadablePlugin, repair

    try:
        for edit in repair(path):
            click.echo(f"Fixed {path / edit.file}:{edit.line}: {edit.message}", err=True)
    except UnreadablePlugin as error:
        raise UnusableInput(str(error)) from error
