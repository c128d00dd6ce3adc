"""``xinfer debug``: the plugin in a running Dify, by remote debugging, reloaded at each save."""

from __future__ import annotations

import asyncio
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xinfer.cli.options import UnusableInput, examples, require, spec_option

if TYPE_CHECKING:
    from xinfer.daemon.relay import Relay

_SETTLED = 1.5
"""Seconds without a refusal after the declaration; the daemon says nothing when it accepts."""
_END_TIMEOUT = 5.0


@click.command(
    epilog=examples(
        "xinfer debug --host dify.example.com --key 00000000-0000-4000-8000-000000000000",
        "xinfer debug   # with REMOTE_INSTALL_URL and REMOTE_INSTALL_KEY in .env",
    )
)
@spec_option
@click.option("--host", help="Where Dify runs; else from .env.")
@click.option("--port", type=int, help="Dify's debugging port; else from .env, else 5003.")
@click.option("--key", help="The debugging key, from Dify's plugin page; else from .env.")
@click.option("--once", is_flag=True, help="Do not watch the files: stop when the plugin does.")
def debug(spec: Path, host: str | None, port: int | None, key: str | None, *, once: bool) -> None:
    """Run the plugin in a Dify, and again at each save.

    Dify shows the plugin as a debugging plugin while this command runs; Ctrl-C ends it.
    """
    require("dify_plugin", extra="runtime", because="xinfer debug starts the plugin")
    from xinfer.daemon.relay import Relay, Unreachable

    host, port, key = _address(host, port, key)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with (
            Relay.start(host, port) as relay,
            tempfile.TemporaryDirectory(prefix="xinfer-") as place,
            _saves(spec.absolute().parent, watching=not once) as saves,
        ):
            _session(spec, Path(place) / "plugin", relay, key, saves, once=once)
    except Unreachable as error:
        raise UnusableInput(str(error)) from error
    except KeyboardInterrupt:
        click.echo("Stopped.", err=True)


def _address(host: str | None, port: int | None, key: str | None) -> tuple[str, int, str]:
    """Complete the options from ``.env``, in the names that Dify's plugin page shows."""
    from xinfer.cli.running import env_file

    written = {**dict(env_file(Path(".env"))), **os.environ}
    url_host, _, url_port = written.get("REMOTE_INSTALL_URL", "").rpartition(":")
    host = host or url_host or written.get("REMOTE_INSTALL_HOST")
    number = port or url_port or written.get("REMOTE_INSTALL_PORT") or 5003
    key = key or written.get("REMOTE_INSTALL_KEY")
    if not host or not key:
        missing = "--host" if not host else "--key"
        raise UnusableInput(
            f"{missing} is missing: Dify's plugin page shows it under the bug icon. Give it as an "
            "option, or write REMOTE_INSTALL_URL and REMOTE_INSTALL_KEY into .env."
        )
    if not str(number).isdecimal():
        raise UnusableInput(f"The port {number!r} is not a number: correct it in .env.")
    return host, int(number), key


def _session(
    spec: Path, folder: Path, relay: Relay, key: str, saves: queue.Queue[None], *, once: bool
) -> None:
    """Build, run and watch, until the user ends it."""
    while True:
        if _built(spec, folder):
            with _process(folder, relay, key) as process:
                ended = _follow(process, relay, saves)
        elif once:
            raise SystemExit(1)
        else:
            saves.get()
            ended = False
        if ended and once:
            raise SystemExit(1)
        if ended:
            click.echo("Waiting for a change …", err=True)
            saves.get()


def _built(spec: Path, folder: Path) -> bool:
    """Write the plugin; say what keeps it from being built, or from being debugged."""
    from xinfer.build.preparation import BuildError, prepare
    from xinfer.cli.report import show
    from xinfer.plugin.writer import write_tree
    from xinfer.rules import Report, Severity, Stage, check

    try:
        prepared = prepare(spec)
    except BuildError as error:
        click.echo(str(error), err=True)
        return False
    findings = tuple(
        finding
        for finding in check(prepared.plugin)
        if finding.severity is Severity.REFUSED or finding.where is Stage.REMOTE_DEBUGGING
    )
    if findings:
        show(Report(findings))
    write_tree(prepared.tree, folder)
    return not any(finding.severity is Severity.REFUSED for finding in findings)


@contextmanager
def _process(folder: Path, relay: Relay, key: str) -> Iterator[subprocess.Popen[str]]:
    """Start the plugin so that it connects to the relay, and kill it in the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "main"],
        cwd=folder,
        env={
            **os.environ,
            "INSTALL_METHOD": "remote",
            "REMOTE_INSTALL_URL": f"127.0.0.1:{relay.port}",
            "REMOTE_INSTALL_KEY": key,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    printing = threading.Thread(target=_print, args=(process.stdout,), daemon=True)
    printing.start()
    try:
        yield process
    finally:
        process.kill()
        process.wait(_END_TIMEOUT)
        printing.join(_END_TIMEOUT)
        with suppress(queue.Empty):  # events of the process that ended are not about the next one
            while True:
                relay.events.get_nowait()


def _print(lines: Iterable[str] | None) -> None:
    """Print what the plugin prints; the SDK writes its log as JSON, a line an entry."""
    for line in lines or ():
        try:
            entry = json.loads(line)["data"]
            text = f"{entry['level'].lower()}: {entry['message']}"
        except (ValueError, KeyError, TypeError, AttributeError):
            text = line.rstrip()
        click.secho(f"plugin: {text}", err=True, dim=True)


def _follow(process: subprocess.Popen[str], relay: Relay, saves: queue.Queue[None]) -> bool:
    """Report what happens until a save; return whether the plugin ended before one."""
    from xinfer.daemon.relay import explained

    declared: float | None = None
    while True:
        with suppress(queue.Empty):
            saves.get_nowait()
            click.echo("Changed; starting the plugin again.", err=True)
            return False
        with suppress(queue.Empty):
            event = relay.events.get(timeout=0.1)
            if event.kind == "declared":
                declared = time.monotonic()
            elif event.kind == "refused":
                click.secho(explained(event.text), fg="red", err=True)
                return True
            elif declared is not None:
                click.secho("Dify closed the connection; the plugin connects again.", err=True)
        if declared is not None and time.monotonic() - declared > _SETTLED:
            click.secho("Connected: Dify lists the plugin as a debugging plugin.", err=True)
            declared = None
        if process.poll() is not None:
            click.secho(f"The plugin ended with exit code {process.returncode}.", err=True)
            return True


@contextmanager
def _saves(folder: Path, *, watching: bool) -> Iterator[queue.Queue[None]]:
    """Hand out a queue that gets an entry at each save below the spec's folder."""
    saves: queue.Queue[None] = queue.Queue()
    stop = threading.Event()
    thread = None
    if watching:
        require("watchfiles", extra="preview", because="xinfer debug follows saves")
        from xinfer.preview import watched

        async def follow() -> None:
            async for save in watched.saves(folder, stop):
                saves.put(save)

        thread = threading.Thread(target=lambda: asyncio.run(follow()), daemon=True)
        thread.start()
    try:
        yield saves
    finally:
        stop.set()
        if thread:
            thread.join(_END_TIMEOUT)
