"""``xinfer verify``: check the signature of a package, as Dify does before it installs it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from xinfer.cli.options import UnusableInput, examples
from xinfer.cli.signing import open_package, read_public_key, require_signing
from xinfer.cli.terminal import visible


@click.command(
    epilog=examples("xinfer verify acme-0.1.0.signed.difypkg --key acme.public.pem"),
)
@click.argument("package", type=click.Path(path_type=Path))
@click.option(
    "--key",
    "keys",
    type=click.Path(path_type=Path),
    multiple=True,
    required=True,
    help="A public key; one of several must fit.",
)
def verify(package: Path, keys: tuple[Path, ...]) -> None:
    """Check the signature of a PACKAGE.

    Exits with 0 if it is valid, with 1 if not, and with 2 if PACKAGE or a key cannot be read. A
    signature covers contents and their order. It does not cover names: what looks renamed is a
    warning.
    """
    require_signing()
    from xinfer.plugin.limits import UnreadablePlugin
    from xinfer.plugin.signature import EXPLANATIONS, Verdict
    from xinfer.plugin.signature import verify as check

    public = [read_public_key(path) for path in keys]
    try:
        result = check(open_package(package), public)
    except UnreadablePlugin as error:
        raise UnusableInput(str(error)) from error
    click.echo(EXPLANATIONS[result.verdict])
    if result.category is not None:
        click.echo(f"Category: {visible(result.category) or '(empty)'}")
    if result.time is not None:
        click.echo(f"Signed: {_moment(result.time)}")
    for warning in result.warnings:
        click.echo(f"Warning: {visible(warning)}", err=True)
    if result.verdict is not Verdict.VALID:
        raise SystemExit(1)


def _moment(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(sep=" ")
    except (OverflowError, ValueError, OSError):
        return f"{seconds} seconds after 1970"
