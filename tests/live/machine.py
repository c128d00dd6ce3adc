"""Whether this machine can hold a real Xinference: ``python -m live.machine`` says why not.

It prints nothing and exits with 0 where it can, and is what ``.ci/run`` asks.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from live.place import home

_MEMORY, _DISK = 12, 8
"""GiB, free."""


def reasons():
    """Yield what is missing."""
    if sys.platform != "linux":
        yield f"it is made for Linux, not {sys.platform}"
        return
    memory = _free_memory()
    if memory < _MEMORY:
        yield f"{memory:.1f} GiB of memory are free, of {_MEMORY} needed"
    home().mkdir(parents=True, exist_ok=True)
    disk = shutil.disk_usage(home()).free / 2**30
    if disk < _DISK and not (home() / "venv/installed").exists():
        yield f"{disk:.1f} GiB of disk are free in {home()}, of {_DISK} needed"
    if not _has_python():
        yield "Python 3.11, which Xinference needs, cannot be had"


def _free_memory():
    said = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    return int(said["MemAvailable"].split()[0]) / 2**20


def _has_python():
    uv = shutil.which("uv")
    return (
        bool(uv)
        and not subprocess.run(
            [uv, "python", "find", "3.11"], capture_output=True, check=False
        ).returncode
    )


if __name__ == "__main__":
    missing = "; ".join(reasons())
    sys.stdout.write(missing and f"{missing}\n")
    sys.exit(1 if missing else 0)
