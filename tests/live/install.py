"""Xinference into an environment of its own: Python 3.11, pinned packages, torch for CPUs."""

import hashlib
import os
import shutil
import subprocess
import sys

from live.place import HERE, home, last_words, log, python

TORCH = "torch==2.13.0"
REQUIREMENTS = HERE / "requirements.txt"
_LONGEST = 2400
"""Seconds for one step of the installation."""


def install():
    """Install what is not there yet, about 3 GB; an installation of other versions is replaced.

    :raises RuntimeError: a step failed; the text ends with what it said.
    """
    record = home() / "venv/installed"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes() + TORCH.encode()).hexdigest()
    if record.exists() and record.read_text() == wanted:
        return
    log("install").parent.mkdir(parents=True, exist_ok=True)
    log("install").unlink(missing_ok=True)
    if not _uv("venv", "--no-project", "--clear", "-p", "3.11", str(home() / "venv")):
        raise RuntimeError(f"Python 3.11 cannot be had.\n{last_words('install')}")
    # On Linux the usual index has torch for GPUs only, four times the size. Where the index with
    # the build for CPUs is out of reach, the machine may hold one in a folder of wheels.
    if not _pip("--torch-backend", "cpu", TORCH) and not _pip(TORCH):
        raise RuntimeError(f"{TORCH} cannot be installed.\n{last_words('install')}")
    # The list is complete: see requirements.in for what is left out of it on purpose.
    if not _pip("--no-deps", "-r", str(REQUIREMENTS)):
        raise RuntimeError(f"Xinference cannot be installed.\n{last_words('install')}")
    _link_ffmpeg()
    record.write_text(wanted)


def _link_ffmpeg():
    """Put the ffmpeg that came in a wheel where the server finds it: beside its Python."""
    code = "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())"
    found = subprocess.run([python(), "-c", code], capture_output=True, text=True, check=True)
    (python().parent / "ffmpeg").symlink_to(found.stdout.strip())


def _pip(*arguments):
    return _uv("pip", "install", "--python", str(python()), *arguments)


def _uv(*arguments):
    """Run uv as this machine has it set up; return whether it succeeded."""
    uv = os.environ.get("UV") or shutil.which("uv") or "uv"
    environment = dict(os.environ)
    # uv knows nothing of pip's settings.
    for name in ("FIND_LINKS", "INDEX_URL", "EXTRA_INDEX_URL"):
        if (set_for_pip := environment.get(f"PIP_{name}")) and f"UV_{name}" not in environment:
            environment[f"UV_{name}"] = set_for_pip.replace(" ", "," if "LINKS" in name else " ")
    environment.pop("VIRTUAL_ENV", None)
    with log("install").open("a") as said:
        return not subprocess.run(
            [uv, *arguments],
            cwd=home(),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            timeout=_LONGEST,
            check=False,
        ).returncode


if __name__ == "__main__":
    home().mkdir(parents=True, exist_ok=True)
    install()
    sys.stdout.write(f"{python()}\n")
