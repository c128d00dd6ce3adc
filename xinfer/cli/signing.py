"""What ``keygen``, ``sign`` and ``verify`` share: the extra they need, keys and packages."""

from __future__ import annotations

import os
import sys
import warnings
from getpass import GetPassWarning
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xinfer.cli.options import UnusableInput, require

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    from xinfer.plugin.files import PluginFiles

PASSPHRASE = "XINFER_PASSPHRASE"  # noqa: S105
"""The environment variable that holds the passphrase of a private key."""


def require_signing() -> None:
    """Check that cryptography is installed."""
    require("cryptography", extra="signing", because="Signatures are made with cryptography")


def ask_passphrase(*, confirm: bool = False) -> bytes:
    """Take the passphrase from the environment, or ask for it.

    :param confirm: ask twice, for a passphrase that is new.
    :raises UnusableInput: there is nobody to ask.
    """
    if passphrase := os.environ.get(PASSPHRASE):
        return passphrase.encode()
    try:
        # Whoever pipes the passphrase in knows that no terminal hides it.
        warnings.simplefilter("ignore", GetPassWarning)
        return str(
            click.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm, err=True)
        ).encode()
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise UnusableInput(
            f"The key needs a passphrase, and there is no terminal to ask for it: set {PASSPHRASE}."
        ) from None


def read_bytes(path: Path, what: str) -> bytes:
    """Read a file.

    :raises UnusableInput: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnusableInput(f"{path}, {what}, cannot be read: {error.strerror}.") from error


def read_public_key(path: Path) -> RSAPublicKey:
    """Read a public key.

    :raises UnusableInput: the file is not a public key.
    """
    from xinfer.plugin.signature import KeyFileError, read_public

    try:
        return read_public(read_bytes(path, "the public key"))
    except KeyFileError as error:
        raise UnusableInput(f"{path} is not a public key: {error}.") from error


def open_package(path: Path) -> PluginFiles:
    """Open a package.

    :raises UnusableInput: the file is not a package.
    """
    from xinfer.plugin.archive import package_files
    from xinfer.plugin.limits import UnreadablePlugin

    if not path.is_file():
        raise UnusableInput(f"There is no package {path}: name a .difypkg.")
    try:
        return package_files(path)
    except UnreadablePlugin as error:
        raise UnusableInput(str(error)) from error
