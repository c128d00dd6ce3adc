"""``python -m xinfer.testing.server``: the fake server as a process; its URL is the first line."""

from __future__ import annotations

import argparse
import signal
import threading

from xinfer.testing.server import FakeServer


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m xinfer.testing.server", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 (the default) for a free one")
    parser.add_argument("--key", help="an API key that every request needs")
    parser.add_argument("--version", default="4.1.0", help="of Xinference, from 0.16.3 on")
    options = parser.parse_args()
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with FakeServer(port=options.port, key=options.key, version=options.version) as server:
        print(server.url, flush=True)
        stopped.wait()


if __name__ == "__main__":
    main()
