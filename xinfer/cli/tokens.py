"""``xinfer tokens``: the number of tokens that the plugin counts before a call."""

from __future__ import annotations

import click

from xinfer.cli.options import examples
from xinfer.cli.plugin_command import PluginCommand, PluginOptions, plugin_options


@click.command(cls=PluginCommand, epilog=examples("xinfer tokens llm 'How long is this?'"))
@click.argument("model_type", type=click.Choice(["llm", "text-embedding"]))
@click.argument("texts", nargs=-1, required=True)
@plugin_options
def tokens(
    *,
    options: PluginOptions,
    model_type: str,
    texts: tuple[str, ...],
) -> None:
    """Count the tokens of texts as the plugin does for Dify before a call."""
    from xinfer.cli.running import running

    with running(options, model_type, inputs=texts) as run:
        click.echo(run.call.tokens(run.plugin))
