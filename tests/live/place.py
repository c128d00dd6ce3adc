"""Where a Xinference for the tests lives: one folder, kept from run to run.

``venv/`` its packages, ``models/`` the tiny models, ``run/`` the homes of the servers of this run,
``logs/`` what was said meanwhile.
"""

import fcntl
import os
import re
from contextlib import contextmanager
from pathlib import Path

VERSION = "XINFER_LIVE_VERSION"
HERE = Path(__file__).parent
PINNED = HERE / "requirements.txt"


class Unavailable(RuntimeError):
    """This machine lacks something: no fault of what is tested."""


def pinned() -> str:
    """Return the version of Xinference that ``requirements.txt`` pins."""
    return re.findall(r"^xinference==(.+)$", PINNED.read_text("utf-8"), re.MULTILINE)[0]


def version() -> str:
    """Return the version to test with: ``XINFER_LIVE_VERSION``, else the pinned one."""
    return os.environ.get(VERSION) or pinned()


def home() -> Path:
    """Return the folder: ``XINFER_LIVE_HOME``, else one in the user's cache.

    Another version than the pinned one has a folder of its own in it.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    chosen = os.environ.get("XINFER_LIVE_HOME") or Path(cache) / "xinfer-live"
    folder = Path(chosen).expanduser().absolute()
    return folder if version() == pinned() else folder / version()


def python() -> Path:
    """Return the interpreter of the server's own environment."""
    return home() / "venv/bin/python"


def log(name: str) -> Path:
    """Return the file that holds what a server, or the making of something, says."""
    return home() / "logs" / f"{name}.log"


def last_words(name: str, lines: int = 15) -> str:
    """Return the end of a log."""
    text = log(name).read_text("utf-8", errors="replace") if log(name).exists() else ""
    return "\n".join([f"The end of {log(name)}:", *text.splitlines()[-lines:]])


@contextmanager
def alone():
    """Keep the folder to this run.

    :raises Unavailable: another run is in it.
    """
    for part in ("logs", "models", "run"):
        (home() / part).mkdir(parents=True, exist_ok=True)
    with (home() / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unavailable(
                f"another live run works in {home()}: wait for its end, or set XINFER_LIVE_HOME"
            ) from None
        yield
