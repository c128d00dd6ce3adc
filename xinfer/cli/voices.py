"""``xinfer voices``: the voices that Dify offers."""

from __future__ import annotations

import click

from xinfer.cli.options import examples
from xinfer.cli.plugin_command import PluginCommand, PluginOptions, plugin_options


@click.command(cls=PluginCommand, epilog=examples("xinfer voices", "xinfer voices --of zh-Hans"))
@plugin_options
@click.option("--of", "language", help="Only the voices of this language, e.g. en-US.")
def voices(
    *,
    options: PluginOptions,
    language: str | None,
) -> None:
    """List the voices of a text-to-speech model: the value that Dify sends, and the name."""
    from xinfer.cli.running import running

    with running(options, "tts", inputs=()) as run:
        for voice in run.call.voices(run.plugin, language):
            click.echo(f"{voice['value']}\t{voice['name']}")
