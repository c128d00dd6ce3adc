"""``xinfer chat``: a conversation with a language model through its plugin."""

from __future__ import annotations

import sys

import click

from xinfer.cli.options import examples, parameters_option, think_option
from xinfer.cli.plugin_command import PluginCommand, PluginOptions, plugin_options


@click.command(
    cls=PluginCommand,
    epilog=examples("xinfer chat", "xinfer chat --system 'Answer in rhymes.' -p temperature=0.9"),
)
@plugin_options
@click.option("--system", help="The system message.")
@parameters_option
@think_option
def chat(
    *,
    options: PluginOptions,
    system: str | None,
    written: tuple[str, ...],
    think: bool | None,
) -> None:
    """Have a conversation with a language model.

    Each line of standard input is a message. An empty line or the end of the input ends it.
    """
    from attrs import evolve

    from xinfer.cli.answers import show_text
    from xinfer.cli.parameters import parameters, rules_of
    from xinfer.cli.running import running
    from xinfer.daemon.invocation import message

    rules = rules_of(options.project, "llm", options.model)
    with running(
        options,
        "llm",
        inputs=(),
        parameters=dict(parameters(written, rules, think=think)),
        history=(message("system", system),) if system else (),
    ) as run:
        call = run.call.validated(run.plugin)
        while text := _line():
            invocation = evolve(call, inputs=(text,))
            answer = show_text(invocation.call(run.plugin), sys.stdout.buffer)
            history = (
                *call.history,
                message("user", text),
                message("assistant", answer["text"], tool_calls=answer["tool_calls"]),
            )
            call = evolve(call, history=history)


def _line() -> str:
    """Read a message; empty at the end of the input."""
    if sys.stdin.isatty():
        click.secho("> ", nl=False, err=True, bold=True)
    return sys.stdin.readline().strip()
