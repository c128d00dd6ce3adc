"""``xinfer validate``: validate credentials as Dify does before it saves them."""

from __future__ import annotations

import click

from xinfer.cli.options import examples
from xinfer.cli.plugin_command import MODEL_TYPES, PluginCommand, PluginOptions, plugin_options


@click.command(
    cls=PluginCommand,
    epilog=examples("xinfer validate llm", "XINFER_API_KEY=sk-… xinfer validate llm"),
)
@click.argument("model_type", type=click.Choice(MODEL_TYPES))
@plugin_options
def validate(
    *,
    options: PluginOptions,
    model_type: str,
) -> None:
    """Try credentials as Dify does before it saves them.

    Those of a predefined model are the provider's, those of a customizable one the model's own.
    """
    from xinfer.cli.running import running

    with running(options, model_type, inputs=()) as run:
        run.call.validated(run.plugin)
    whose = f"model {run.call.model}" if run.call.customizable else "provider"
    click.echo(f"The credentials of the {whose} are valid.")
