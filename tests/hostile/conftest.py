"""The hostile server, as a process of its own."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest


@pytest.fixture(scope="session")
def attacker():
    """Start it; ``attacker("flood")`` is a server to enter, and tells what it came to."""
    script = Path(__file__).with_name("attacker.py")
    process = subprocess.Popen(
        [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    port = process.stdout.readline().strip()

    def server(attack):
        def told():
            answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/told/{attack}", timeout=10)
            return SimpleNamespace(**json.load(answer))

        return SimpleNamespace(url=f"http://127.0.0.1:{port}/{attack}", told=told)

    yield server
    process.stdin.close()
    process.wait(10)
    process.stdout.close()
