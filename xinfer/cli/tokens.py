"""``xinfer tokens``: the number of tokens that the plugin counts before a call."""

from __future__ import annotations

from pathlib import Path

import click

from xinfer.cli.options import examples
from xinfer.cli.plugin_command import PluginCommand, plugin_options


@click.command(cls=PluginCommand, epilog=examples("xinfer tokens llm 'How long is this?'"))
@click.argument("model_type", type=click.Choice(["llm", "text-embedding"]))
@click.argument("texts", nargs=-1, required=True)
@plugin_options
@click.pass_context
def tokens(
    ctx: click.Context,
    /,
    *,
    model_type: str,
    texts: tuple[str, ...],
    spec: Path,
    model: str | None,
    fake: bool,
    verbose: bool,
    **credentials: str | None,
) -> None:
    """Count the tokens of texts as the plugin does for Dify before a call."""
    from xinfer.cli.running import running

    with (
        running(
            ctx.obj,
            model_type,
            spec=spec,
            model=model,
            fake=fake,
            verbose=verbose,
            credentials=credentials,
            command="tokens",
            inputs=texts,
        ) as run,
        run.errors_explained(),
    ):
        click.echo(run.call.tokens(run.plugin))
