"""``xinfer serve``: the fake server, for clients of any kind."""

from __future__ import annotations

import re
import signal
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from xinfer.cli.options import UnusableInput, examples

if TYPE_CHECKING:
    from xinfer.testing.server import FakeServer, Served

_FAULTS = (
    *("loading", "too-many", "bad-gateway", "unavailable", "crashed", "login-page", "other-json"),
    *("empty", "empty-error", "closed", "reset", "cut", "stall"),
)
_DIALECTS = (
    *("xinference", "openai", "vllm", "sglang", "llama.cpp", "ollama", "lm-studio", "localai"),
    *("litellm", "gpustack", "tgi", "tei", "tei-embedding", "infinity", "lmdeploy", "speaches"),
)
_LATEST = "4.1.0"
_OLDEST = "0.16.3"
_TYPES = {
    "llm": ("LLM", ("chat", "tools")),
    "text-embedding": ("embedding", ("embed",)),
    "rerank": ("rerank", ("rerank",)),
    "speech2text": ("audio", ("audio2text",)),
    "tts": ("audio", ("text2audio",)),
    "moderation": ("moderation", ()),
}
"""What Xinference calls the models of each type, and what it says of them."""


@click.command(
    epilog=examples(
        "xinfer serve",
        "xinfer serve --port 9997 --key sk-test --fault cut",
        "xinfer serve --model guard:moderation --version 1.9.1",
        "xinfer serve --dialect vllm",
    )
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0, the default, for any.")
@click.option("--key", help="An API key that every request needs.")
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="NAME[:TYPE]",
    help="A model to serve beside the usual ones.",
)
@click.option(
    "--dialect",
    type=click.Choice(_DIALECTS),
    default="xinference",
    show_default=True,
    help="The server to answer as; all but xinference serve one model, m.",
)
@click.option("--version", help=f"Of Xinference, from {_OLDEST}; by default {_LATEST}.")
@click.option(
    "--fault",
    "faults",
    type=click.Choice(_FAULTS),
    multiple=True,
    help="What goes wrong with the next requests, one each, in this order.",
)
def serve(
    port: int,
    key: str | None,
    models: tuple[str, ...],
    dialect: str,
    version: str | None,
    faults: tuple[str, ...],
) -> None:
    """Run a fake model server on this machine until Ctrl-C; its URL is the first line.

    It lists, chats, embeds, ranks, transcribes, speaks and moderates. An answer follows from the
    question.
    """
    from xinfer.testing.server import faults as fault
    from xinfer.testing.server.faults import Fault

    by_name: dict[str, Fault] = {
        "loading": fault.LOADING,
        "too-many": fault.TOO_MANY,
        "bad-gateway": fault.BAD_GATEWAY,
        "unavailable": fault.UNAVAILABLE,
        "crashed": fault.CRASHED,
        "login-page": fault.LOGIN_PAGE,
        "other-json": fault.OTHER_JSON,
        "empty": fault.EMPTY,
        "empty-error": fault.EMPTY_ERROR,
        "closed": fault.Closed(),
        "reset": fault.Closed(reset=True),
        "cut": fault.Cut(after=2),
        "stall": fault.Stall(after=0),
    }
    if dialect == "xinference":
        served = _served(models)
        fake, names = _xinference(served, port, key, version), [model.uid for model in served]
    else:
        fake, names = _other(dialect, port, key, models, version), ["m"]
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with ExitStack() as stack:
        try:
            server = stack.enter_context(fake)
        except OSError as error:
            raise UnusableInput(f"Port {port} cannot be used: {error.strerror}.") from error
        for name in faults:
            server.next_answer(by_name[name], on="/")
        click.echo(getattr(server, "base_url", server.url))
        click.secho(f"Models: {', '.join(names)}", err=True, dim=True)
        stopped.wait()


def _served(models: tuple[str, ...]) -> list[Served]:
    from xinfer.testing.server import MODELS, Served

    served = [*MODELS]
    for text in models:
        name, _, kind = text.partition(":")
        if not name:
            raise UnusableInput(f"--model {text}: name the model, e.g. acme:rerank.")
        if (kind or "llm") not in _TYPES:
            raise UnusableInput(f"{text}: the type must be one of {', '.join(_TYPES)}.")
        model_type, abilities = _TYPES[kind or "llm"]
        served.append(Served(uid=name, model_type=model_type, abilities=abilities))
    return served


def _xinference(
    served: list[Served], port: int, key: str | None, version: str | None
) -> FakeServer:
    from xinfer.testing.server import FakeServer

    version = version or _LATEST
    if not re.fullmatch(r"\d+(\.\d+){1,3}", version):
        raise UnusableInput(f"--version {version} is not a version: write it as {_LATEST}.")
    return FakeServer(served, port=port, key=key, version=version)


def _other(
    dialect: str, port: int, key: str | None, models: tuple[str, ...], version: str | None
) -> FakeServer:
    from xinfer.testing.server.dialects import DialectServer

    for option, value in (("--model", models), ("--version", version)):
        if value:
            raise UnusableInput(f"{option} is for xinference; leave it out with {dialect}.")
    return DialectServer(dialect, key=key, port=port)
