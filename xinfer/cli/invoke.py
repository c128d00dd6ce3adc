"""``xinfer invoke``: the plugin, started as Dify starts it, asked one question."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

import click

from xinfer.cli.options import UnusableInput, examples, parameters_option, think_option
from xinfer.cli.plugin_command import MODEL_TYPES, PluginCommand, PluginOptions, plugin_options

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command(
    cls=PluginCommand,
    epilog=examples(
        "xinfer invoke llm 'Hello'",
        "xinfer invoke llm --image cat.png 'What is this?' -p temperature=0",
        "xinfer invoke rerank 'a cat' 'a dog' 'a kitten'",
        "xinfer invoke tts 'Good morning.' -o morning.mp3",
    ),
)
@click.argument("model_type", type=click.Choice(MODEL_TYPES))
@click.argument("inputs", nargs=-1, required=True)
@plugin_options
@parameters_option
@click.option("--system", help="The system message of a language model.")
@click.option("--history", type=_FILE, help="JSON: earlier messages, each with role and content.")
@click.option("--image", "images", type=_FILE, multiple=True, help="An image for the model.")
@click.option("--file", "files", type=_FILE, multiple=True, help="Audio, a video or a document.")
@click.option("--tool", "tools", type=_FILE, multiple=True, help="JSON: a function to offer.")
@click.option("--json-schema", type=_FILE, help="JSON Schema that the answer must follow.")
@think_option
@click.option("--stop", multiple=True, help="A text at which the answer ends.")
@click.option("--voice", default="", help="The voice of a text-to-speech model.")
@click.option("--no-stream", is_flag=True, help="Ask for the whole answer at once.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for scripts.")
@click.option("--raw", is_flag=True, help="Print each message as the plugin sends it.")
@click.option(
    "-o",
    "--output",
    type=click.File("wb"),
    default="-",
    help="Where speech is written; '-' is standard output.",
)
def invoke(
    *,
    options: PluginOptions,
    model_type: str,
    inputs: tuple[str, ...],
    written: tuple[str, ...],
    system: str | None,
    history: Path | None,
    images: tuple[Path, ...],
    files: tuple[Path, ...],
    tools: tuple[Path, ...],
    json_schema: Path | None,
    think: bool | None,
    stop: tuple[str, ...],
    voice: str,
    no_stream: bool,
    as_json: bool,
    raw: bool,
    output: IO[bytes],
) -> None:
    """Start the plugin as Dify does, validate the credentials, and call a model.

    INPUTS are texts; for speech2text the path of a recording, for rerank a query and documents.
    Credentials come from options, XINFER_… variables and a .env file; without any, a fake server
    on this machine answers.
    """
    from xinfer.cli import answers
    from xinfer.cli.parameters import parameters, read_json, rules_of
    from xinfer.cli.running import running
    from xinfer.daemon.invocation import message

    check = _CHECKS.get(model_type)
    if check and (problem := check(inputs)):
        raise UnusableInput(problem)
    if model_type == "tts" and (output.isatty() or (as_json and output.name == "<stdout>")):
        raise UnusableInput("Speech is binary: name a file with -o speech.mp3.")
    if model_type != "llm" and (tools or images or files or history or system):
        raise UnusableInput(f"Messages, files and tools are for llm models, not for {model_type}.")
    before = [message("system", system)] if system else []
    if history:
        listed, _ = read_json(history.read_text("utf-8"), "--history", list)
        before += [message(row["role"], row["content"]) for row in listed]
    offered = [read_json(tool.read_text("utf-8"), f"--tool {tool}", dict)[0] for tool in tools]
    rules = rules_of(options.project, model_type, options.model)
    with running(
        options,
        model_type,
        inputs=inputs,
        parameters=dict(parameters(written, rules, json_schema=json_schema, think=think)),
        stream=not no_stream,
        history=tuple(before),
        files=(*images, *files),
        tools=tuple(offered),
        stop=stop,
        voice=voice,
    ) as run:
        answer = run.call.run(run.plugin)
        if raw:
            answers.raw(answer)
        elif as_json:
            answers.as_json(model_type, answer, output)
        else:
            answers.show(model_type, answer, output)


def _rerank(inputs: tuple[str, ...]) -> str | None:
    if len(inputs) < 2:
        return "rerank needs a query and at least one document: give both, each in quotes."
    return None


def _recording(inputs: tuple[str, ...]) -> str | None:
    if len(inputs) != 1:
        return f"speech2text takes the path of one recording, not {len(inputs)}."
    if not Path(inputs[0]).is_file():
        return f"There is no file {inputs[0]}: name a recording, e.g. hello.mp3."
    return None


_CHECKS: Mapping[str, Callable[[tuple[str, ...]], str | None]] = {
    "rerank": _rerank,
    "speech2text": _recording,
}
"""Find what is wrong with the inputs of a type, before anything is started."""
