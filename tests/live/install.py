"""Xinference into an environment of its own: Python 3.11, torch for CPUs, pinned packages.

``XINFER_LIVE_VERSION=3.5.0 python -m live.install`` installs another version, in ``tests``; its
packages are chosen anew, from the same list.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time

from live.place import HERE, PINNED, Unavailable, alone, home, log, pinned, python, version

TORCH, TORCHVISION = "torch==2.13.0", "torchvision==0.28.0"
"""Xinference 2 imports the second when it starts."""
WANTED = HERE / "requirements.in"
_LEFT_OUT = ("torch", "torchvision", "timm")
_OUT_OF_REACH = re.compile(
    r"failed to (fetch|download)|error sending request|network was disabled|timed out",
    re.IGNORECASE,
)
"""How uv says that a registry does not answer, rather than that it lacks what we ask for."""


def install(within=3600):
    """Install what is not there yet, about 2 GB; an installation of other versions is replaced.

    :param within: seconds for all of it.
    :raises Unavailable: Python 3.11 cannot be had, no registry answers, or it takes longer.
    :raises RuntimeError: a step failed for another reason; the text ends with what it said.
    """
    end = time.monotonic() + within
    record = home() / "venv/installed"
    listed = PINNED if version() == pinned() else WANTED
    torch = (TORCH, TORCHVISION) if int(version().split(".")[0]) < 3 else (TORCH,)
    wanted = hashlib.sha256(listed.read_bytes() + "".join(torch).encode()).hexdigest()
    if record.exists() and record.read_text() == wanted:
        return
    sys.stderr.write(f"Installing Xinference {version()} into {home()}, about 2 GB.\n")
    log("install").unlink(missing_ok=True)
    requirements = PINNED if version() == pinned() else _chosen(end)
    _uv(
        *("venv", "--no-project", "--clear", "-p", "3.11", str(home() / "venv")),
        end=end,
        lacks="Python 3.11",
    )
    # On Linux the usual index has torch for GPUs only, four times the size. Where the index with
    # the build for CPUs is out of reach, the machine may hold one in a folder of wheels; with
    # torchvision, which fits the build of its own index alone, both are from the usual one.
    try:
        _pip("--torch-backend", "cpu", *torch, end=end)
    except RuntimeError:
        _pip(
            *(torch if len(torch) == 1 else (each.replace("==", "===") for each in torch)), end=end
        )
    # The list is complete: see requirements.in for what is left out of it on purpose.
    _pip("--no-deps", "-r", str(requirements), end=end)
    _link_ffmpeg()
    record.write_text(wanted)


def _chosen(end):
    """Choose the packages of another version; return the list of them."""
    asked, chosen = home() / "requirements.in", home() / "requirements.txt"
    text = WANTED.read_text("utf-8")
    asked.write_text(text.replace(f"xinference=={pinned()}", f"xinference=={version()}"), "utf-8")
    left_out = [argument for name in _LEFT_OUT for argument in ("--no-emit-package", name)]
    _uv("pip", "compile", "-p", "3.11", *left_out, str(asked), "-o", str(chosen), end=end)
    return chosen


def _link_ffmpeg():
    """Put the ffmpeg that came in a wheel where the server finds it: beside its Python."""
    code = "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())"
    answer = subprocess.run([python(), "-c", code], capture_output=True, text=True, check=True)
    (python().parent / "ffmpeg").symlink_to(answer.stdout.strip())


def _pip(*arguments, end):
    _uv("pip", "install", "--python", str(python()), *arguments, end=end)


def _uv(*arguments, end, lacks=None):
    """Run uv as this machine has it set up.

    :param end: when it must be done, on the monotonic clock.
    :param lacks: what the machine has not got when this fails, whatever uv says.
    """
    uv = os.environ.get("UV") or shutil.which("uv") or "uv"
    environment = dict(os.environ)
    # uv knows nothing of pip's settings.
    for name in ("FIND_LINKS", "INDEX_URL", "EXTRA_INDEX_URL"):
        if (set_for_pip := environment.get(f"PIP_{name}")) and f"UV_{name}" not in environment:
            environment[f"UV_{name}"] = set_for_pip.replace(" ", "," if "LINKS" in name else " ")
    environment.pop("VIRTUAL_ENV", None)
    try:
        ran = subprocess.run(
            [uv, *arguments],
            cwd=home(),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=max(end - time.monotonic(), 0),
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"uv {arguments[0]} did not end in time") from None
    with log("install").open("a") as file:
        file.write(ran.stdout)
    if not ran.returncode:
        return
    if lacks:
        raise Unavailable(f"{lacks} cannot be had")
    if _OUT_OF_REACH.search(ran.stdout):
        raise Unavailable("the package registry is out of reach")
    last_lines = "\n".join(ran.stdout.splitlines()[-15:])
    raise RuntimeError(f"uv {' '.join(arguments)} failed:\n{last_lines}")


if __name__ == "__main__":
    with alone():
        install()
    sys.stdout.write(f"{python()}\n")
