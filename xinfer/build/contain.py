"""What a spec may change in this process while it runs, and what is put back afterwards.

A ``provider_spec.py`` is code, and is trusted as such: this keeps a careless one from disturbing
what follows, and does not hold back a malicious one.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import Any


@contextmanager
def contained() -> Iterator[list[threading.Thread]]:
    """Run a spec in this block.

    What it prints goes to standard error, for standard output is the command's. It reads an empty
    standard input. The current folder, ``sys.path`` and ``sys.argv`` are put back. Threads that it
    starts end with this process.

    :return: the threads that it starts and that would keep the process alive.
    """
    folder, path, arguments = Path.cwd(), sys.path[:], sys.argv[:]
    threads: list[threading.Thread] = []
    with ExitStack() as stack:
        stack.enter_context(_output_to_stderr())
        stack.enter_context(_without_input())
        stack.enter_context(_threads_end_with_the_process(threads))
        try:
            yield threads
        finally:
            os.chdir(folder)
            sys.path[:], sys.argv[:] = path, arguments


@contextmanager
def _output_to_stderr() -> Iterator[None]:
    """Send to standard error what Python and what commands started by it write."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    saved = _duplicate(1, 2)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        if saved is not None:
            os.dup2(saved, 1)
            os.close(saved)


def _duplicate(descriptor: int, of: int) -> int | None:
    """Redirect a descriptor to another; return a copy of the former, ``None`` if it was closed."""
    try:
        saved = os.dup(descriptor)
        os.dup2(of, descriptor)
    except OSError:
        return None
    return saved


@contextmanager
def _without_input() -> Iterator[None]:
    before = sys.stdin
    with Path(os.devnull).open() as nothing:
        sys.stdin = nothing
        try:
            yield
        finally:
            sys.stdin = before


@contextmanager
def _threads_end_with_the_process(started: list[threading.Thread]) -> Iterator[None]:
    kind: Any = threading.Thread
    start: Callable[[threading.Thread], None] = kind.start

    def start_daemon(thread: threading.Thread) -> None:
        if not thread.daemon:
            thread.daemon = True
            started.append(thread)
        start(thread)

    kind.start = start_daemon
    try:
        yield
    finally:
        kind.start = start
