"""``xinfer sign``: sign a package, as Dify's own command does."""

from __future__ import annotations

from pathlib import Path
from time import time as now

import click

from xinfer.cli.options import UnusableInput, examples
from xinfer.cli.signing import ask_passphrase, open_package, read_bytes, require_signing


@click.command(
    epilog=examples("xinfer sign dist/acme-0.1.0.difypkg --key acme.private.pem"),
)
@click.argument("package", type=click.Path(path_type=Path))
@click.option("--key", type=click.Path(path_type=Path), required=True, help="The private key.")
@click.option(
    "--category",
    type=click.Choice(["langgenius", "partner", "community"]),
    default="community",
    show_default=True,
    help="What Dify takes the author for. Dify's own command takes langgenius by default.",
)
@click.option(
    "--out", "-o", type=click.Path(path_type=Path), help="NAME.signed.difypkg if not set."
)
@click.option(
    "--time",
    type=click.IntRange(0, 2**63 - 1),
    help="The time of signing in seconds since 1970; now if not set.",
)
@click.option("--force", is_flag=True, help="Sign a signed package again, without its signature.")
def sign(
    package: Path, key: Path, category: str, out: Path | None, time: int | None, *, force: bool
) -> None:
    """Sign a PACKAGE, for a Dify that asks for signatures and has the public key.

    The signature becomes part of the package, which gets another checksum and identifier.
    """
    require_signing()
    import attrs

    from xinfer.plugin.limits import UnreadablePlugin
    from xinfer.plugin.signature import (
        VERIFICATION,
        KeyFileError,
        is_signed,
        read_private,
    )
    from xinfer.plugin.signature import sign as signed
    from xinfer.plugin.writer import write_file

    files = open_package(package)
    if is_signed(files) and not force:
        raise UnusableInput(
            f"{package} is signed already: sign the unsigned package, or use --force."
        )
    unsigned = tuple(file for file in files.files if file.path != VERIFICATION)
    files = attrs.evolve(files, files=unsigned, comment=b"")
    target = out or package.with_suffix(".signed.difypkg")
    try:
        private = read_private(read_bytes(key, "the private key"), ask_passphrase)
        content = signed(
            files, private, category=category, time=int(now()) if time is None else time
        )
        write_file(target, content)
    except KeyFileError as error:
        raise UnusableInput(f"{key} cannot be used: {error}.") from error
    except UnreadablePlugin as error:
        raise UnusableInput(str(error)) from error
    except OSError as error:
        raise UnusableInput(f"{target} cannot be written: {error.strerror}.") from error
    click.echo(f"Wrote {target}, signed as {category}.")
