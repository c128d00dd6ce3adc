"""``python -m llama_cpp.install``: an environment with llama.cpp's server; prints its Python.

Prints nothing where no registry answers. It is kept from run to run in the user's cache.
"""

import os
import subprocess
import sys
from pathlib import Path

PACKAGES = ("xllamacpp==2026.10.11549", "gguf")
_LONGEST = 300
"""Seconds."""


def install():
    """Return the interpreter, or ``None`` where the packages cannot be had."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    home = Path(cache) / "xinfer-llama-cpp"
    python, record = home / "bin/python", home / "installed"
    if record.exists() and record.read_text() == " ".join(PACKAGES):
        return python
    try:
        for command in (
            ("venv", "--no-project", "--clear", "-q", "-p", "3.12", str(home)),
            ("pip", "install", "-q", "--python", str(python), *PACKAGES),
        ):
            subprocess.run(["uv", *command], check=True, timeout=_LONGEST, stdout=sys.stderr)
    except (OSError, subprocess.SubprocessError):
        return None
    record.write_text(" ".join(PACKAGES))
    return python


if __name__ == "__main__":
    print(install() or "")
