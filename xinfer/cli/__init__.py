"""The command line: each command in a module of its own, imported when it is called."""

from __future__ import annotations

import importlib
from keyword import iskeyword

import click

_COMMANDS = {
    "build": "Write the plugin that a provider_spec.py declares.",
    "check": "Find the mistakes in a spec, a plugin's folder or a package.",
    "diff": "Say what changed between two versions, and what it breaks.",
    "explain": "Say what a rule finds, and how to mend it.",
    "import": "Write the provider_spec.py that builds an existing plugin.",
    "invoke": "Start the plugin as Dify does and call one of its models.",
    "schema": "Print the JSON Schema of a manifest, a provider or a model, for editors.",
}
"""Name and help of each; its module in ``xinfer.cli`` and its function there have that name."""


class _Lazy(click.Group):
    """Imports a command when it is called, so that ``--help`` and completion are instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002
        if name not in _COMMANDS:
            return None
        module = f"{name}_" if iskeyword(name) else name
        command = getattr(importlib.import_module(f"xinfer.cli.{module}"), module)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="xinfer")
def main() -> None:
    """Declare a Dify model provider once, in Python; get its YAML, form, checks and runtime."""
