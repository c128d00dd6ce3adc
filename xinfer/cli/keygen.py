"""``xinfer keygen``: make a pair of keys to sign packages with."""

from __future__ import annotations

import os
from pathlib import Path

import click

from xinfer.cli.options import UnusableInput, examples
from xinfer.cli.signing import PASSPHRASE, ask_passphrase, require_signing


@click.command(epilog=examples("xinfer keygen acme", "xinfer keygen --passphrase acme"))
@click.argument("name", type=click.Path(path_type=Path))
@click.option(
    "--passphrase",
    is_flag=True,
    help=f"Protect the private key: asked for, or taken from {PASSPHRASE}.",
)
def keygen(name: Path, *, passphrase: bool) -> None:
    """Make NAME.private.pem, to sign with, and NAME.public.pem, for those who verify.

    Keep the private key to yourself. A key without passphrase also works with Dify's own command.
    No file is overwritten.
    """
    require_signing()
    from xinfer.plugin.signature import generate_key, private_pem, public_pem

    private, public = (name.with_name(f"{name.name}.{kind}.pem") for kind in ("private", "public"))
    for path in (private, public):
        if os.path.lexists(path):
            raise UnusableInput(f"{path} exists already, and a key is never overwritten.")
    secret = ask_passphrase() if passphrase else None
    key = generate_key()
    try:
        _write(private, private_pem(key, secret), 0o600)
        _write(public, public_pem(key.public_key()), 0o644)
    except OSError as error:
        raise UnusableInput(f"{private.parent} cannot be written: {error.strerror}.") from error
    click.echo(f"Wrote {private}, readable by you alone, and {public}.")


def _write(path: Path, content: bytes, mode: int) -> None:
    """Write a file that does not exist yet, with its mode from the first byte on."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
