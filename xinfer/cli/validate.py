"""``xinfer validate``: validate credentials as Dify does before it saves them."""

from __future__ import annotations

from pathlib import Path

import click

from xinfer.cli.options import examples
from xinfer.cli.plugin_command import MODEL_TYPES, PluginCommand, plugin_options


@click.command(
    cls=PluginCommand,
    epilog=examples("xinfer validate llm", "XINFER_API_KEY=sk-… xinfer validate llm"),
)
@click.argument("model_type", type=click.Choice(MODEL_TYPES))
@plugin_options
@click.pass_context
def validate(
    ctx: click.Context,
    /,
    *,
    model_type: str,
    spec: Path,
    model: str | None,
    fake: bool,
    verbose: bool,
    **credentials: str | None,
) -> None:
    """Try credentials as Dify does before it saves them.

    Those of a predefined model are the provider's, those of a customizable one the model's own.
    """
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
            command="validate",
            inputs=(),
        ) as run,
        run.errors_explained(),
    ):
        run.call.validated(run.plugin)
    whose = f"model {run.call.model}" if run.call.customizable else "provider"
    click.echo(f"The credentials of the {whose} are valid.")
