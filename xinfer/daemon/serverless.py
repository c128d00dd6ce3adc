"""A plugin started as the marketplace's install test starts it: an HTTP server of its own.

What asks the server must be in the network namespace that the plugin is in, so this module is also
a script, which that namespace runs; as a script it needs the standard library alone.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

LIMIT = 20.0
"""Seconds in which the marketplace's install test must reach the plugin."""

_SET_FLAGS = 0x8914  # SIOCSIFFLAGS
_UP = 0x1  # IFF_UP
_LAST_LINES = 8
_PAUSE = 0.1


def start(
    python: str,
    entrypoint: str,
    folder: Path,
    *,
    prefix: Sequence[str] = (),
    environment: Mapping[str, str],
) -> str:
    """Start the plugin in a folder, wait for its server, end it; return why it does not answer.

    :param python: of the plugin's environment.
    :param prefix: the command of a namespace without a network; empty outside of one.
    :param environment: variables to add to those of this process.
    """
    isolated = "isolated" if prefix else ""
    command = [*prefix, sys.executable, "-I", __file__, python, entrypoint, isolated]
    done = subprocess.run(  # noqa: S603 (this module, which starts the plugin that is rehearsed)
        command,
        cwd=folder,
        env={**os.environ, **environment, "PYTHONPATH": ""},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return done.stderr.strip()
    reason: str = json.loads(done.stdout)
    return reason


def _main(python: str, entrypoint: str, isolated: str) -> None:
    if isolated:
        _raise_loopback()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    mode: dict[str, Any] = {
        "INSTALL_METHOD": "serverless",
        "SERVERLESS_HOST": "127.0.0.1",
        "SERVERLESS_PORT": str(port),
        "SERVERLESS_WORKERS": "1",
    }
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603
            [python, "-m", entrypoint],
            env={**os.environ, **mode},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            reason = _reason_of_silence(process, port)
        finally:
            # The workers of its server, too.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if reason:
            log.seek(0)
            lines = log.read().decode(errors="replace").strip().splitlines()
            reason = "\n".join([reason, *lines[-_LAST_LINES:]])
    sys.stdout.write(json.dumps(reason))


def _reason_of_silence(process: subprocess.Popen[bytes], port: int) -> str:
    """Wait for the server of a plugin; return why it does not answer, or nothing."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        if process.poll() is not None:
            return f"The plugin ended with exit code {process.returncode}."
        if _is_healthy(port):
            return ""
        time.sleep(_PAUSE)
    return (
        f"It does not answer within {LIMIT:.0f} s, the marketplace's limit: import less at the "
        "start."
    )


def _is_healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _raise_loopback() -> None:
    """Switch on the loopback interface, which a new network namespace has switched off."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh", b"lo", _UP))


if __name__ == "__main__":
    _main(*sys.argv[1:])
