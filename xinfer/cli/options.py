"""What several commands share: options, the error for unusable input, words for counts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xinfer.cli.terminal import visible

if TYPE_CHECKING:
    from xinfer.rules import Selection

spec_option = click.option(
    "--spec",
    type=click.Path(path_type=Path),
    default="provider_spec.py",
    show_default=True,
    help="The file that declares the plugin.",
)


allow_secret_option = click.option(
    "--allow-secret",
    multiple=True,
    metavar="PATH",
    help="Pack this file although it looks like a secret; can be repeated.",
)


select_option = click.option(
    "--select",
    multiple=True,
    metavar="CODES",
    help="Apply these rules only: codes or beginnings of codes, e.g. XI6,XI101.",
)
ignore_option = click.option(
    "--ignore",
    multiple=True,
    metavar="CODES",
    help="Leave these rules out: codes or beginnings of codes.",
)
parameters_option = click.option(
    "-p",
    "--param",
    "written",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of a language model, e.g. temperature=0.2.",
)
think_option = click.option(
    "--think/--no-think", default=None, help="Switch the model's thinking on or off."
)
show_suppressed_option = click.option(
    "--show-suppressed", is_flag=True, help="Show suppressed findings, too, with the reason."
)


def selection_of(select: tuple[str, ...], ignore: tuple[str, ...]) -> Selection:
    """Read the values of ``--select`` and ``--ignore``.

    :raises UnusableInput: no rule's code begins with a value.
    """
    from xinfer.rules import Selection

    return Selection(_codes("--select", select), _codes("--ignore", ignore))


def _codes(option: str, values: tuple[str, ...]) -> tuple[str, ...]:
    from xinfer.rules import RULES
    from xinfer.rules.selection import nearest

    codes = tuple(code.strip().upper() for value in values for code in value.split(","))
    for code in codes:
        if not code or not any(rule.startswith(code) for rule in RULES):
            near = nearest(code, RULES)
            hint = f"did you mean {near}?" if near else "xinfer explain lists all."
            raise UnusableInput(f"{option}: no rule's code begins with {code!r}; {hint}")
    return codes


def examples(*commands: str) -> str:
    """Write the examples below a command's help, a line each."""
    return "\n".join(["\b", "Examples:", *(f"  {command}" for command in commands)])


LANGUAGES = ("en_US", "zh_Hans")
"""The languages of documents and of new projects."""

FINDING_FORMATS = ("text", "json", "github", "sarif")
"""How findings can be written; here, so that ``check --help`` need not import the rules."""


class UnusableInput(click.ClickException):
    """The input cannot be used at all; exits with 2."""

    exit_code = 2

    def __init__(self, message: str) -> None:
        super().__init__(visible(message, keep="\n\t"))


def write_output(path: Path, text: str) -> None:
    """Write a file that a user asked for, and the folders above it, as ruff and uv do.

    :raises UnusableInput: it cannot be written.
    """
    from xinfer.plugin.writer import write_file

    try:
        write_file(path, text.encode())
    except OSError as error:
        raise UnusableInput(f"{path} cannot be written: {error.strerror}.") from error


def require(module: str, *, extra: str, because: str) -> None:
    """Check that an optional dependency is installed.

    :param because: what needs it, e.g. ``xinfer invoke starts the plugin, which needs …``.
    :raises UnusableInput: it is not; the message holds the command that installs the extra.
    """
    import shutil
    from importlib.util import find_spec

    if find_spec(module) is not None:
        return
    pip = ["uv", "pip", "install", "--python", sys.executable]
    if not shutil.which("uv"):
        pip = [sys.executable, "-m", "pip", "install"]
    command = f"{' '.join(pip)} 'dify-xinfer[{extra}]'"
    raise UnusableInput(f"{because}: install the extra with\n    {command}")


def existing(path: Path) -> Path:
    """Return a path if it exists.

    :raises UnusableInput: it does not exist.
    """
    if not path.exists():
        raise UnusableInput(
            f"There is no {path}: name a provider_spec.py, a plugin's folder or a .difypkg."
        )
    return path


def counted(number: int, noun: str) -> str:
    """Count things in words, e.g. ``1 model``, ``2 models``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def relative(file: str) -> str:
    """Name a file as seen from the current folder, if it is below it."""
    here = Path.cwd()
    path = Path(file)
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else file


def sentence(message: str) -> str:
    """End a message as a sentence."""
    return message if message.endswith((".", "?", "!")) else f"{message}."
