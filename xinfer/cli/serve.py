"""``xinfer serve``: the fake server, for clients of any kind."""

from __future__ import annotations

import signal
import threading

import click

from xinfer.cli.options import UnusableInput, examples

_FAULTS = ("loading", "too-many", "bad-gateway", "crashed", "login-page", "empty", "cut", "stall")


@click.command(
    epilog=examples("xinfer serve", "xinfer serve --port 9997 --key sk-test --fault cut")
)
@click.option("--port", type=int, default=0, help="0, the default, for any free one.")
@click.option("--key", help="An API key that every request needs.")
@click.option("--model", "models", multiple=True, metavar="NAME[:TYPE]", help="A model to serve.")
@click.option(
    "--fault",
    "faults",
    type=click.Choice(_FAULTS),
    multiple=True,
    help="What goes wrong with the next requests, one each, in this order.",
)
def serve(port: int, key: str | None, models: tuple[str, ...], faults: tuple[str, ...]) -> None:
    """Run a fake model server on this machine until Ctrl-C; its URL is the first line.

    It lists, chats, embeds, ranks, transcribes and speaks; what it says follows from the question.
    """
    from xinfer.testing.server import MODELS, FakeServer, Served
    from xinfer.testing.server import faults as available
    from xinfer.testing.server.faults import Fault

    by_name: dict[str, Fault] = {
        "loading": available.LOADING,
        "too-many": available.TOO_MANY,
        "bad-gateway": available.BAD_GATEWAY,
        "crashed": available.CRASHED,
        "login-page": available.LOGIN_PAGE,
        "empty": available.EMPTY,
        "cut": available.Cut(after=2),
        "stall": available.Stall(after=0),
    }
    served = [*MODELS]
    for text in models:
        name, _, kind = text.partition(":")
        if (kind or "llm") not in _TYPES:
            raise UnusableInput(f"{text}: the type must be one of {', '.join(_TYPES)}.")
        model_type, abilities = _TYPES[kind or "llm"]
        served.append(Served(uid=name, model_type=model_type, abilities=abilities))
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with FakeServer(served, port=port, key=key) as server:
        for fault in faults:
            server.next_answer(by_name[fault])
        click.echo(server.url)
        click.secho(f"Models: {', '.join(model.uid for model in served)}", err=True, dim=True)
        stopped.wait()


_TYPES = {
    "llm": ("LLM", ("chat", "tools")),
    "text-embedding": ("embedding", ("embed",)),
    "rerank": ("rerank", ("rerank",)),
    "speech2text": ("audio", ("audio2text",)),
    "tts": ("audio", ("text2audio",)),
}
