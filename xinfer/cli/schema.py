"""``xinfer schema``: what may stand in a plugin's YAML, for the editor that it is written in."""

from __future__ import annotations

import json
from pathlib import Path

import click

from xinfer.cli.options import examples

_KINDS = ("manifest", "provider", "model")


@click.command(epilog=examples("xinfer schema model -o model.schema.json"))
@click.argument("kind", type=click.Choice(_KINDS))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write; standard output if not given.",
)
def schema(kind: str, output: Path | None) -> None:
    """Print the JSON Schema of a manifest, a provider's or a model's file.

    An editor with YAML's language server reads it from a file that the first line of a YAML names:
    # yaml-language-server: $schema=model.schema.json
    """
    from xinfer.yaml.json_schema import KINDS, json_schema

    text = json.dumps(json_schema(KINDS[kind]), indent=2, ensure_ascii=False) + "\n"
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, "utf-8")
        click.echo(f"Wrote {output}.")
