"""Tests that install from a package registry, and are left out where none answers."""

import os
import shutil
import subprocess

import pytest

UV = shutil.which("uv")


def _answers():
    quick = {"UV_HTTP_TIMEOUT": "5", "UV_HTTP_RETRIES": "0", "VIRTUAL_ENV": ""}
    done = subprocess.run(
        [UV, "pip", "compile", "-q", "--no-deps", "--refresh", "-"],
        input=b"attrs",
        env={**os.environ, **quick},
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


needs_registry = pytest.mark.only_if(
    UV is not None and _answers(), "no package registry answers, or uv is missing"
)
