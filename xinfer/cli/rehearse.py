"""``xinfer rehearse``: a package installed and started as Dify's daemon does it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xinfer.cli.options import UnusableInput, examples, existing
from xinfer.cli.terminal import json_text

if TYPE_CHECKING:
    from xinfer.daemon.rehearsal import Rehearsal, Step

_COLOURS = {"ok": "green", "failed": "red", "skipped": "yellow"}


@click.command(
    epilog=examples(
        "xinfer rehearse dist/acme-0.1.0.difypkg",
        "xinfer rehearse acme-0.1.0-offline.difypkg --no-network",
        "xinfer rehearse acme-0.1.0.difypkg --json report.json",
    )
)
@click.argument("package", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--no-network", is_flag=True, help="As on a host without internet.")
@click.option("--python", default="3.12", show_default=True, help="The environment's version.")
@click.option(
    "--json",
    "report",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="Write a report with hashes to this file; - is standard output.",
)
def rehearse(package: Path, python: str, report: Path | None, *, no_network: bool) -> None:
    """Install a package as Dify does, start it, and remove it again.

    Unpacks it, makes its environment with uv, starts the plugin to its first heartbeat, asks for
    its model schemas and starts it once more in serverless mode. Exits with 1 when a step fails.
    """
    existing(package)
    from xinfer.daemon import offline, rehearsal
    from xinfer.plugin.writer import write_file

    if no_network and not offline.isolated():
        click.echo(
            "This system allows no network namespace: an index and a proxy that do not answer "
            "take its place.",
            err=True,
        )
    to_stdout = str(report) == "-"
    try:
        done = rehearsal.rehearse(
            package,
            network=not no_network,
            python=python,
            tell=(lambda _: None) if to_stdout else _show,
        )
    except OSError as error:
        raise UnusableInput(f"{error.filename or package}: {error.strerror}.") from error
    text = json_text(_data(done), indent=2) + "\n"
    if to_stdout:
        click.echo(text, nl=False)
    else:
        _summarize(done)
    if report is not None and not to_stdout:
        try:
            write_file(report, text.encode())
        except OSError as error:
            raise UnusableInput(f"{report} cannot be written: {error.strerror}.") from error
    if not done.passed:
        raise SystemExit(1)


def _show(step: Step) -> None:
    mark = click.style(f"{step.outcome:>7}", fg=_COLOURS[step.outcome])
    limit = f" of {step.limit:.0f}" if step.limit else ""
    click.echo(f"{mark}  {step.name} ({step.seconds:.1f}{limit} s)")
    for line in step.text.splitlines():
        click.echo(f"         {line}")


def _summarize(done: Rehearsal) -> None:
    click.echo(f"SHA-256: {done.sha256}")
    if done.identifier:
        click.echo(f"Checksum: {done.checksum}")
        click.echo(f"Identifier: {done.identifier}")
    if done.passed:
        click.echo("It installs and starts.")


def _data(done: Rehearsal) -> dict[str, Any]:
    return {
        "package": done.package,
        "sha256": done.sha256,
        "checksum": done.checksum,
        "identifier": done.identifier,
        "passed": done.passed,
        "network": done.network,
        "memory": done.memory,
        "memory_requested": done.requested,
        "steps": [
            {
                "name": step.name,
                "outcome": step.outcome,
                "seconds": round(step.seconds, 3),
                "limit": step.limit,
                "text": step.text,
            }
            for step in done.steps
        ],
        "installed": list(done.installed),
    }
