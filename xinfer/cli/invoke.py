"""``xinfer invoke``: the emitted plugin, started as Dify starts it, asked one thing."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import IO, Any

import click

from xinfer.build import BuildError, Prepared, prepare, write_tree
from xinfer.cli.options import UnusableInput, require, spec_option
from xinfer.daemon.invocation import CALLS, Invocation
from xinfer.daemon.process import CallError, PluginError, PluginProcess
from xinfer.rules.models import TEMPLATES
from xinfer.spec import FormType, ModelType, ParameterRule, ParameterType, Project, fields

_STAND_IN_UID = {
    ModelType.LLM: "chat",
    ModelType.TEXT_EMBEDDING: "embed",
    ModelType.RERANK: "rerank",
    ModelType.SPEECH2TEXT: "whisper",
    ModelType.TTS: "kokoro",
}
"""Which model of the stand-in server answers when no server is given."""


_CREDENTIAL = "credential_"
"""Begins the name of the value of an option that the credentials class brought."""


class _Invoke(click.Command):
    """Offers an option for each credentials field of the spec, so it must read that first."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        early = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
        early.add_argument("--spec", type=Path, default=Path("provider_spec.py"))
        try:
            ctx.obj = prepare(early.parse_known_args(args)[0].spec)
        except BuildError as error:
            if not set(args) & set(ctx.help_option_names):
                raise UnusableInput(str(error)) from error
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        own = super().get_params(ctx)
        taken = {name for parameter in own for name in parameter.opts}
        credentials = _credential_options(ctx.obj.project) if ctx.obj else ()
        return [*own, *(option for option in credentials if not taken.intersection(option.opts))]


def _credential_options(project: Project) -> Iterator[click.Option]:
    for field in fields(project.credentials) if project.credentials else ():
        if field.asked_by_dify:
            continue
        variable = field.form.variable
        yield click.Option(
            [f"--{variable.replace('_', '-')}", f"{_CREDENTIAL}{variable}"],
            help=f"{field.form.label}.",
            envvar=f"XINFER_{variable.upper()}",
            show_envvar=field.form.type is FormType.SECRET_INPUT,
        )


@click.command(cls=_Invoke)
@click.argument("model_type", type=click.Choice([kind.value for kind in CALLS]))
@click.argument("inputs", nargs=-1, required=True)
@spec_option
@click.option("--model", help="A predefined model; the first declared one where there are any.")
@click.option(
    "-p",
    "--param",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of a language model, e.g. temperature=0.2.",
)
@click.option("--no-stream", is_flag=True, help="Ask for the whole answer at once.")
@click.option(
    "-o",
    "--output",
    type=click.File("wb"),
    default="-",
    help="Where speech is written; '-' is standard output.",
)
@click.pass_context
def invoke(
    ctx: click.Context,
    /,
    *,
    model_type: str,
    inputs: tuple[str, ...],
    spec: Path,  # noqa: ARG001 (read before the options were known)
    model: str | None,
    parameters: tuple[str, ...],
    no_stream: bool,
    output: IO[bytes],
    **credentials: str | None,
) -> None:
    """Start the plugin as Dify does, validate the credentials, and call a model.

    INPUTS are texts; for speech2text the path of a recording, for rerank a query and documents.
    Without credentials a stand-in server answers as a real Xinference does.
    """
    require(
        "dify_plugin",
        extra="runtime",
        because="xinfer invoke starts the plugin, which needs Dify's SDK",
    )
    prepared: Prepared = ctx.obj
    kind = ModelType(model_type)
    entered = {
        name.removeprefix(_CREDENTIAL): value
        for name, value in credentials.items()
        if value is not None
    }
    predefined = [m.model for m in prepared.project.models if m.model_type == kind]
    if kind not in prepared.project.model_types:
        known = ", ".join(prepared.project.model_types)
        raise UnusableInput(f"{prepared.name} declares no {kind} models, only {known}.")
    wrong = _WRONG_INPUTS.get(kind)
    if wrong and (said := wrong(inputs)):
        raise UnusableInput(said)
    if kind is ModelType.TTS and output.isatty():
        raise UnusableInput("Speech is no text for a terminal: name a file with -o speech.mp3.")
    name = model or next(iter(predefined), None)
    set_ = dict(_parameters(parameters, _rules(prepared.project, kind, name)))
    with _answering(prepared.project, kind, entered) as usable, _written(prepared) as folder:
        asked = Invocation(
            provider=prepared.project.provider.provider,
            model_type=kind,
            model=name or usable.get("model_uid", "model"),
            credentials=usable,
            inputs=inputs,
            parameters=set_,
            stream=not no_stream,
        )
        try:
            with PluginProcess.start(folder) as plugin:
                answer = asked.run(plugin, customizable=not predefined)
                _SHOW[kind](answer, output)
        except (CallError, PluginError) as error:
            raise click.ClickException(str(error)) from error


@contextmanager
def _answering(
    project: Project, kind: ModelType, entered: Mapping[str, str]
) -> Iterator[Mapping[str, str]]:
    """Yield the credentials to use: those given, or those of a stand-in that runs meanwhile."""
    if entered or not project.customizable_models:
        yield entered
        return
    from xinfer.testing.server import FakeServer

    with FakeServer() as server:
        click.secho(
            f"A stand-in for Xinference answers at {server.url}; "
            "give --server-url and --model-uid for a real one.",
            err=True,
            dim=True,
        )
        yield {"server_url": server.url, "model_uid": _STAND_IN_UID[kind]}


@contextmanager
def _written(prepared: Prepared) -> Iterator[Path]:
    """Put the plugin into a folder of its own, so that what runs is what is declared now."""
    with tempfile.TemporaryDirectory(prefix="xinfer-") as folder:
        plugin = Path(folder) / prepared.name
        write_tree(prepared.tree, plugin)
        yield plugin


def _rerank_inputs(inputs: tuple[str, ...]) -> str | None:
    if len(inputs) < 2:
        return "rerank needs a query and at least one document: give both, each in quotes."
    return None


def _recording(inputs: tuple[str, ...]) -> str | None:
    if len(inputs) != 1:
        return f"speech2text takes the path of one recording, not {len(inputs)}."
    if not Path(inputs[0]).is_file():
        return f"There is no file {inputs[0]}: name a recording, e.g. hello.mp3."
    return None


_WRONG_INPUTS: Mapping[ModelType, Callable[[tuple[str, ...]], str | None]] = {
    ModelType.RERANK: _rerank_inputs,
    ModelType.SPEECH2TEXT: _recording,
}
"""Say what is wrong with the inputs of a type, before anything is started."""


def _rules(project: Project, kind: ModelType, model: str | None) -> Mapping[str, ParameterRule]:
    """Find the parameters that a model has, or may have."""
    predefined = [m.parameter_rules for m in project.models if m.model == model]
    declared = [m.parameter_rules for m in project.customizable_models if m.model_type == kind]
    return {rule.name: rule for rules in predefined or declared for rule in rules}


def _parameters(
    written: Iterable[str], rules: Mapping[str, ParameterRule]
) -> Iterator[tuple[str, Any]]:
    """Read each ``name=value``: a text where the parameter is one, else JSON."""
    for text in written:
        name, equals, value = text.partition("=")
        if not equals:
            raise UnusableInput(f"--param {text} needs the form NAME=VALUE, e.g. temperature=0.2.")
        if name not in rules:
            near = get_close_matches(name, rules, n=1)
            cure = f"did you mean {near[0]}?" if near else f"choose from {', '.join(rules)}."
            raise UnusableInput(
                f"The model has no parameter {name}: {cure}"
                if rules
                else f"The model has no parameters, so {name} cannot be set."
            )
        yield name, value if _is_text(rules[name]) else _plain(value)


def _is_text(rule: ParameterRule) -> bool:
    kind = rule.type or (TEMPLATES[rule.use_template][0] if rule.use_template else None)
    return kind in (ParameterType.STRING, ParameterType.TEXT)


def _plain(value: str) -> Any:
    """Read JSON; what is none is refused by the plugin, as Dify's users see it."""
    try:
        return json.loads(value)
    except ValueError:
        return value


def _show_llm(answer: Iterator[dict[str, Any]], output: IO[bytes]) -> None:
    began = time.perf_counter()
    first: float | None = None
    usage, reason = None, None
    for piece in answer:
        delta = piece["delta"]
        if text := _text_of(delta["message"]):
            first = first or time.perf_counter()
            output.write(text.encode(errors="replace"))
            output.flush()
        usage, reason = delta["usage"] or usage, delta["finish_reason"] or reason
    output.write(b"\n")
    parts = [f"{usage['prompt_tokens']} + {usage['completion_tokens']} tokens"] if usage else []
    parts += [f"finish reason: {reason}"] if reason else []
    parts += [f"first text after {first - began:.2f} s"] if first else []
    click.secho(", ".join(parts), err=True, dim=True)


def _text_of(message: Mapping[str, Any]) -> str:
    content = message["content"]
    calls = [json.dumps(call, ensure_ascii=False) for call in message["tool_calls"]]
    return "".join([content if isinstance(content, str) else "", *calls])


def _show_embeddings(answer: Iterator[dict[str, Any]], output: IO[bytes]) -> None:
    for part in answer:
        for vector in part["embeddings"]:
            start = ", ".join(f"{number:.4f}" for number in vector[:4])
            output.write(f"[{start}, …] {len(vector)} dimensions\n".encode())
        click.secho(f"{part['usage']['tokens']} tokens", err=True, dim=True)


def _show_ranking(answer: Iterator[dict[str, Any]], output: IO[bytes]) -> None:
    for part in answer:
        for document in part["docs"]:
            output.write(f"{document['score']:8.4f}  {document['text']}\n".encode())


def _show_transcript(answer: Iterator[dict[str, Any]], output: IO[bytes]) -> None:
    for part in answer:
        output.write(f"{part['result']}\n".encode())


def _show_speech(answer: Iterator[dict[str, Any]], output: IO[bytes]) -> None:
    size = sum(output.write(bytes.fromhex(part["result"])) for part in answer)
    click.secho(f"{size} bytes of audio", err=True, dim=True)


_SHOW: Mapping[ModelType, Callable[[Iterator[dict[str, Any]], IO[bytes]], None]] = {
    ModelType.LLM: _show_llm,
    ModelType.TEXT_EMBEDDING: _show_embeddings,
    ModelType.RERANK: _show_ranking,
    ModelType.SPEECH2TEXT: _show_transcript,
    ModelType.TTS: _show_speech,
}
