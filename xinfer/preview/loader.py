"""Loading a plugin in a process of its own, forked from one that has everything imported.

``provider_spec.py`` is a program: it may run for ever, exit, print or change the working folder.
The process that loads it also answers what the page asks of it, so that nothing it made has to
travel; a save starts the next one, and the old one goes once the new one has loaded.
"""

from __future__ import annotations

import base64
import json
import multiprocessing
import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from attrs import frozen

LOAD_TIMEOUT = 20.0
"""Seconds; a spec that takes longer is taken for one that never ends."""
ANSWER_TIMEOUT = 10.0
_END_TIMEOUT = 5.0
"""Seconds that a trial has to stop its plugin."""
_WARM = ["xinfer.preview.snapshot", "xinfer.preview.view"]


class LoadError(Exception):
    """The plugin cannot be loaded; ``str`` says why, with file and line."""


def _context() -> multiprocessing.context.BaseContext:
    """Choose how processes are made: forked from a warm server, where the system can."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_WARM)
    return context


_CONTEXT = _context()


@frozen(eq=False)
class LoadedPlugin:
    """A process that holds a loaded plugin and answers about it."""

    process: BaseProcess
    connection: Connection
    about: dict[str, Any]

    @classmethod
    def load(cls, path: Path) -> LoadedPlugin:
        """Load a plugin.

        :raises LoadError: it does not load, or not in :data:`LOAD_TIMEOUT` seconds.
        """
        ours, theirs = _CONTEXT.Pipe()
        process = _CONTEXT.Process(  # type: ignore[attr-defined]
            target=_serve, args=(theirs, str(path)), daemon=True
        )
        process.start()
        theirs.close()
        loaded = cls(process, ours, {})
        try:
            answer = loaded._receive(LOAD_TIMEOUT)
        except LoadError:
            loaded.close()
            raise LoadError(
                f"{path.name} did not load within {LOAD_TIMEOUT:.0f} seconds, or ended its process."
            ) from None
        if "error" in answer:
            loaded.close()
            raise LoadError(answer["error"])
        loaded.about.update(answer["about"])
        return loaded

    def ask(self, question: dict[str, Any]) -> Any:
        """Ask for a view or an icon.

        :raises LoadError: no answer comes.
        """
        try:
            self.connection.send_bytes(json.dumps(question).encode())
        except OSError:
            raise LoadError("The process that held the plugin has ended.") from None
        answer = self._receive(ANSWER_TIMEOUT)
        if "error" in answer:
            raise LoadError(answer["error"])
        return answer["answer"]

    def _receive(self, timeout: float) -> dict[str, Any]:
        try:
            if self.connection.poll(timeout):
                answer: dict[str, Any] = json.loads(self.connection.recv_bytes())
                return answer
        except (EOFError, OSError):
            pass
        raise LoadError("The plugin's process gave no answer in time.")

    def close(self) -> None:
        """End the process."""
        self.connection.close()
        self.process.kill()
        self.process.join()


@contextmanager
def trial(**options: Any) -> Iterator[Iterator[dict[str, Any]]]:
    """Run a :class:`~xinfer.preview.trial.Trial` in a process of its own and hand out its events.

    Leaving early ends the process, and with it the plugin.
    """
    ours, theirs = _CONTEXT.Pipe()
    process = _CONTEXT.Process(  # type: ignore[attr-defined]
        target=_try, args=(theirs, options), daemon=False
    )
    process.start()
    theirs.close()
    try:
        yield _events(ours)
    finally:
        ours.close()
        process.join(_END_TIMEOUT)
        process.kill()
        process.join()


def _events(connection: Connection) -> Iterator[dict[str, Any]]:
    with suppress(EOFError, OSError):
        while True:
            yield json.loads(connection.recv_bytes())


def _try(connection: Connection, options: dict[str, Any]) -> None:
    """Send the events of a trial; a closed connection stops it, and the plugin that it runs."""
    from xinfer.preview.trial import Trial

    os.dup2(2, 1)
    with suppress(BrokenPipeError):
        try:
            for event in Trial(**options).run():
                connection.send_bytes(json.dumps(event).encode())
        except BaseException as error:
            connection.send_bytes(json.dumps({"error": str(error)}).encode())


def _serve(connection: Connection, path: str) -> None:
    """Load, then answer until nobody asks."""
    from xinfer.preview.snapshot import load
    from xinfer.preview.view import as_json, selection_from, view

    # What the spec prints must not reach the pipe of this protocol.
    os.dup2(2, 1)

    def send(**message: Any) -> None:
        connection.send_bytes(json.dumps(message).encode())

    try:
        snapshot = load(Path(path))
        send(about=snapshot.about())
    except BaseException as error:
        send(error=str(error) or traceback.format_exc())
        return
    while True:
        try:
            question = json.loads(connection.recv_bytes())
        except EOFError:
            return
        try:
            if "icon" in question:
                content = snapshot.icon(question["icon"])
                send(answer=None if content is None else base64.b64encode(content).decode())
            else:
                send(answer=as_json(view(snapshot.project, selection_from(question["view"]))))
        except Exception as error:
            send(error=f"{type(error).__name__}: {error}")
