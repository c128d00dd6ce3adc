"""What several commands share: the option that names a spec, and the way out for bad input."""

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
