"""What several commands share: an option, the way out for bad input, how things are counted."""

from __future__ import annotations

from pathlib import Path

import click

spec_option = click.option(
    "--spec",
    type=click.Path(path_type=Path),
    default="provider_spec.py",
    show_default=True,
    help="The file that declares the plugin.",
)


class UnusableInput(click.ClickException):
    """What was given cannot be worked with at all; exits with 2."""

    exit_code = 2


def existing(path: Path) -> Path:
    """Return a path that is there.

    :raises UnusableInput: nothing is.
    """
    if not path.exists():
        raise UnusableInput(
            f"There is no {path}: name a provider_spec.py, a plugin's folder or a .difypkg."
        )
    return path


def counted(number: int, noun: str) -> str:
    """Say how many there are, e.g. ``1 model``, ``2 models``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
