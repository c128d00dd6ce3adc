"""ruff, the linter and formatter, as the command that is installed beside this Python."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ruff.__main__ import find_ruff_bin  # type: ignore[import-untyped]


def run_ruff(*arguments: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Run ruff in a folder, without the settings that it finds there."""
    command = [find_ruff_bin(), *arguments, "--isolated", "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False)  # noqa: S603
