"""``xinfer keygen``: make a pair of keys to sign packages with."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
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

    if not name.name:
        raise UnusableInput("The keys need a name, e.g. xinfer keygen acme.")
    private, public = (name.with_name(f"{name.name}.{kind}.pem") for kind in ("private", "public"))
    for path in (private, public):
        if os.path.lexists(path):
            raise UnusableInput(f"{path} exists already, and a key is never overwritten.")
    secret = ask_passphrase(confirm=True) if passphrase else None
    key = generate_key()
    try:
        private.parent.mkdir(parents=True, exist_ok=True)
        with (
            _new_file(private, private_pem(key, secret), 0o600),
            _new_file(public, public_pem(key.public_key()), 0o644),
        ):
            pass
    except OSError as error:
        raise UnusableInput(f"{private.parent} cannot be written: {error.strerror}.") from error
    click.echo(f"Wrote {private}, readable by you alone, and {public}.")


@contextmanager
def _new_file(path: Path, content: bytes, mode: int) -> Iterator[None]:
    """Write a file that does not exist yet, with its mode from the first byte on.

    It is removed again if it cannot be written whole, or if what depends on it fails.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        yield
    except BaseException:
        path.unlink()
        raise
