"""``xinfer schema``: the JSON Schema of a YAML file, or a model's schema at run time."""

from __future__ import annotations

from pathlib import Path

import click

from xinfer.cli.options import UnusableInput, examples, write_output
from xinfer.cli.plugin_command import MODEL_TYPES, PluginCommand, PluginOptions, plugin_options
from xinfer.cli.terminal import json_text

_FILES = ("manifest", "provider", "model")


class _Schema(PluginCommand):
    """Reads the spec only where a model is asked for."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if set(args) & set(_FILES):
            return click.Command.parse_args(self, ctx, args)
        return super().parse_args(ctx, args)


@click.command(
    cls=_Schema, epilog=examples("xinfer schema model -o model.schema.json", "xinfer schema llm")
)
@click.argument("kind", type=click.Choice([*_FILES, *MODEL_TYPES]))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write; standard output if not given.",
)
@plugin_options
def schema(
    *,
    options: PluginOptions,
    kind: str,
    output: Path | None,
) -> None:
    """Print a schema.

    manifest, provider and model: the JSON Schema of a plugin's YAML. An editor with YAML's
    language server reads it from a file that the first line of a YAML names:
    # yaml-language-server: $schema=model.schema.json

    A type of models: what the started plugin tells Dify of a customizable model.
    """
    if kind in _FILES:
        from xinfer.yaml.json_schema import KINDS, json_schema

        described: object = json_schema(KINDS[kind])
    else:
        from xinfer.cli.running import running

        with running(options, kind, inputs=()) as run:
            if not run.call.customizable:
                raise UnusableInput(
                    f"{run.call.model} is predefined: its schema is the YAML that xinfer build "
                    "writes."
                )
            described = run.call.validated(run.plugin).schema(run.plugin)
    text = json_text(described, indent=2) + "\n"
    if output is None:
        click.echo(text, nl=False)
    else:
        write_output(output, text)
        click.echo(f"Wrote {output}.")
