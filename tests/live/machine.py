"""Whether this machine can run a real Xinference: ``python -m live.machine`` says why not.

It installs one, unless that is done already, and prints nothing where all is well; that is what
``.ci/run`` asks. A reason is something the machine lacks: any other failure is a failure.
"""

import shutil
import sys
from pathlib import Path

from live.install import install
from live.place import Unavailable, alone, home

_MEMORY, _DISK = 12, 8
"""GiB, free."""
_INSTALLS_WITHIN = 900
"""Seconds; where the registry is slower than that, the other tests do not wait for it."""


def reason():
    """Say what is missing, else return an empty text."""
    if sys.platform != "linux":
        return f"it is made for Linux, not {sys.platform}"
    memory = _free_memory()
    if memory < _MEMORY:
        return f"{memory:.1f} GiB of memory are free, of {_MEMORY} needed"
    home().mkdir(parents=True, exist_ok=True)
    disk = shutil.disk_usage(home()).free / 2**30
    if disk < _DISK and not (home() / "venv/installed").exists():
        return f"{disk:.1f} GiB of disk are free in {home()}, of {_DISK} needed"
    try:
        with alone():
            install(_INSTALLS_WITHIN)
    except Unavailable as error:
        return str(error)
    return ""


def _free_memory():
    memory = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    return int(memory["MemAvailable"].split()[0]) / 2**20


if __name__ == "__main__":
    sys.stdout.write(reason())
