"""``xinfer voices``: the voices that Dify offers."""

from __future__ import annotations

from pathlib import Path

import click

from xinfer.cli.options import examples
from xinfer.cli.plugin_command import PluginCommand, plugin_options


@click.command(cls=PluginCommand, epilog=examples("xinfer voices", "xinfer voices --of zh-Hans"))
@plugin_options
@click.option("--of", "language", help="Only the voices of this language, e.g. en-US.")
@click.pass_context
def voices(
    ctx: click.Context,
    /,
    *,
    spec: Path,
    model: str | None,
    fake: bool,
    verbose: bool,
    language: str | None,
    **credentials: str | None,
) -> None:
    """List the voices of a text-to-speech model: the value that Dify sends, and the name."""
    from xinfer.cli.running import running

    with (
        running(
            ctx.obj,
            "tts",
            spec=spec,
            model=model,
            fake=fake,
            verbose=verbose,
            credentials=credentials,
            command="voices",
            inputs=(),
        ) as run,
        run.errors_explained(),
    ):
        for voice in run.call.voices(run.plugin, language):
            click.echo(f"{voice['value']}\t{voice['name']}")
