"""The command line: each command in a module of its own, imported when it is called.

A module of a command imports click and ``cli.options`` at its top, and whatever else inside its
functions: ``--help`` and completion stay instant.
"""

from __future__ import annotations

import errno
import importlib
from keyword import iskeyword
from typing import Any

import click

from xinfer.cli.terminal import escaped_output

_COMMANDS = {
    "Write": {
        "init": "Write a new provider: spec, plugin, tests, and what surrounds them.",
        "import": "Write the provider_spec.py that builds an existing plugin.",
        "build": "Write the plugin that a provider_spec.py declares.",
        "pack": "Pack a folder, a spec or a package as Dify's packager does.",
        "keygen": "Make a pair of keys to sign packages with.",
        "sign": "Sign a package for a Dify that asks for signatures.",
        "docs": "Write a Markdown page of a provider from its spec.",
        "schema": "Print a schema: of a YAML file for editors, or of a model at run time.",
    },
    "Check": {
        "check": "Find the mistakes in a spec, a plugin's folder or a package.",
        "verify": "Check the signature of a package.",
        "explain": "Describe a rule and how to fix what it finds.",
        "diff": "List what changed between two versions, and what it breaks.",
    },
    "Run": {
        "invoke": "Start the plugin as Dify does and call one of its models.",
        "chat": "Have a conversation with a language model.",
        "validate": "Try credentials as Dify does before it saves them.",
        "tokens": "Count the tokens of a text as the plugin does before a call.",
        "voices": "List the voices of a text-to-speech model.",
        "serve": "Run the fake server, for clients of any kind.",
        "publish": "Put a package where the marketplace expects it, with the text to go with it.",
        "rehearse": "Install a package as Dify does, start it, and remove it again.",
        "doctor": "Find out whether a model server works for Dify, and what to enter there.",
        "debug": "Run the plugin in a running Dify, again at each save.",
        "preview": "Show what Dify will show of a plugin, in a page that follows each save.",
    },
}
"""Name and help of each command, by section.

The module in ``xinfer.cli`` and the function in it have the command's name, with ``_`` for ``-``
and after a keyword.
"""

_OF_THE_SYSTEM = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EMFILE, errno.ENFILE}
)
"""Errors of the system: a full disk, a missing permission, too many open files."""


def _nearest(name: str, names: list[str]) -> str | None:
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, names, n=1)), None)


class _Commands(click.Group):
    """Imports a command when it is called."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command line with control characters escaped in all that it prints."""
        with escaped_output():
            return super().main(*args, **kwargs)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return [name for commands in _COMMANDS.values() for name in commands]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self.list_commands(ctx):
            return None
        module = f"{name}_" if iskeyword(name) else name.replace("-", "_")
        command = getattr(importlib.import_module(f"xinfer.cli.{module}"), module)
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        names = self.list_commands(ctx)
        if name not in names and (near := _nearest(name, names)):
            ctx.fail(f"There is no command {name}: did you mean {near}?")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command, and report errors of the system, such as a full disk, in a sentence."""
        try:
            return super().invoke(ctx)
        except OSError as error:
            no_temporary_folder = error.errno == errno.ENOENT and error.filename is None
            if error.errno not in _OF_THE_SYSTEM and not no_temporary_folder:
                raise
            from xinfer.cli.options import UnusableInput

            place = error.filename or "A file"
            raise UnusableInput(f"{place} cannot be used: {error.strerror}.") from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, self.list_commands(ctx)))
        for section, commands in _COMMANDS.items():
            with formatter.section(section):
                formatter.write_dl([(name.ljust(width), help_) for name, help_ in commands.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="dify-xinfer", prog_name="xinfer")
def main() -> None:
    """Declare a Dify model provider once, in Python; get its YAML, form, checks and runtime."""
