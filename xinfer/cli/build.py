"""``xinfer build``, and ``build.py``: check the spec, then write the plugin."""

from __future__ import annotations

from pathlib import Path

import click

from xinfer.cli.options import (
    UnusableInput,
    allow_secret_option,
    counted,
    examples,
    ignore_option,
    select_option,
    selection_of,
    show_suppressed_option,
    spec_option,
)
from xinfer.cli.terminal import visible


@click.command(
    epilog=examples(
        "xinfer build", "xinfer build --spec acme/provider_spec.py", "xinfer build --check"
    )
)
@spec_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default="dist",
    show_default=True,
    help="The folder that receives the plugin's folder and its .difypkg.",
)
@click.option(
    "--check",
    "only_check",
    is_flag=True,
    help="Write nothing; show what a build would change, and exit with 1 if anything.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 for broken findings, and write nothing.")
@allow_secret_option
@select_option
@ignore_option
@show_suppressed_option
def build(
    spec: Path,
    out: Path,
    allow_secret: tuple[str, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    *,
    only_check: bool,
    strict: bool,
    show_suppressed: bool,
) -> None:
    """Write the plugin that a provider_spec.py declares.

    The plugin is written unless Dify refuses it: broken findings and advice are shown. Files in
    the folder that no build made stay. Exits with 0 when the plugin is written or up to date, with
    1 when a finding stops it or --check would change something, and with 2 when the spec cannot be
    used.
    """
    from xinfer.build.preparation import BuildError, WrongValues, prepare, write
    from xinfer.cli.report import show
    from xinfer.rules import Report, Severity, report

    selection = selection_of(select, ignore)
    try:
        prepared = prepare(spec)
    except WrongValues as error:
        show(Report(error.findings))
        raise SystemExit(1) from error
    except BuildError as error:
        raise UnusableInput(str(error)) from error
    checked = report(prepared.plugin, selection=selection, allowed=allow_secret)
    if checked.findings or checked.suppressed:
        show(checked, show_suppressed=show_suppressed)
    stops = {Severity.REFUSED, Severity.BROKEN} if strict else {Severity.REFUSED}
    if any(finding.severity in stops for finding in checked.findings):
        raise SystemExit(1)
    folder = out / prepared.name
    files = counted(len(prepared.tree), "file")
    if only_check:
        changes = list(prepared.differences(folder))
        for line in changes:
            click.echo(visible(line))
        if changes:
            click.echo(f"{folder} is out of date: run xinfer build.", err=True)
            raise SystemExit(1)
        click.echo(f"{folder} is up to date ({files}).")
        return
    try:
        built = write(prepared, out)
    except BuildError as error:
        raise UnusableInput(str(error)) from error
    done = f"Wrote {built.folder}" if built.changed else f"{built.folder} is up to date"
    click.echo(f"{done} ({files}) and {built.package.name}.")
    if prepared.project.runtime is None:
        click.echo("No runtime is declared: the plugin's own Python serves its models.")
    click.echo(f"Identifier: {built.identifier}")
