"""The commands, as processes of their own."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def run(*command, cwd=ROOT):
    return subprocess.run(
        [sys.executable, *command], cwd=cwd, capture_output=True, text=True, timeout=180
    )


def xinfer(*arguments, cwd=ROOT):
    return run("-m", "xinfer", *map(str, arguments), cwd=cwd)
