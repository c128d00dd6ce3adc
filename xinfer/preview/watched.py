"""When to load a plugin again: at each save of a file that concerns it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

from watchfiles import awatch

_IGNORED = {".git", ".venv", "__pycache__", "dist", "node_modules", ".pytest_cache", ".ruff_cache"}
_LOOK_AGAIN = 1_000
"""Milliseconds without an event after which the folder is checked: it may have been replaced."""


async def saves(folder: Path, stop: threading.Event | None = None) -> AsyncIterator[None]:
    """Yield at each save below a folder, until stopped.

    A build exchanges the whole folder, and the system goes on watching the old one. So the new one
    is watched as soon as it is there, and what was saved meanwhile counts as one save.
    """
    replaced = False
    while stop is None or not stop.is_set():
        watched = _identity(folder)
        with suppress(FileNotFoundError):
            async for changes in awatch(
                folder,
                debounce=50,
                step=20,
                stop_event=stop,
                rust_timeout=_LOOK_AGAIN,
                yield_on_timeout=True,
            ):
                if replaced or any(concerns(folder, Path(name)) for _, name in changes):
                    replaced = False
                    yield
                if _identity(folder) != watched:
                    break
        replaced = True
        await asyncio.sleep(_LOOK_AGAIN / 10_000)


def concerns(folder: Path, changed: Path) -> bool:
    """Return whether a change below a plugin's folder can change the plugin."""
    return not _IGNORED & set(changed.relative_to(folder.resolve()).parts)


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
