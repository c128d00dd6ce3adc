"""What the soak measures of a plugin's process: its heartbeat and what it holds."""

import threading
import time
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen


class Heart:
    """Looks at a plugin's heartbeats; :meth:`gap` is the longest one since it was last asked."""

    def __init__(self, plugin):
        self._plugin = plugin
        self._stop = threading.Event()
        self._longest = 0.0
        self._last = time.monotonic()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    @contextmanager
    def watched(self):
        self._thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            self._thread.join()

    def gap(self):
        longest, self._longest = max(self._longest, time.monotonic() - self._last), 0.0
        return longest

    def _watch(self):
        seen = self._plugin.heartbeats
        while not self._stop.wait(0.02):
            if self._plugin.heartbeats != seen:
                now, seen = time.monotonic(), self._plugin.heartbeats
                self._longest, self._last = max(self._longest, now - self._last), now


@frozen(kw_only=True)
class Weight:
    """What a process holds: memory in MB, open files, and sockets among them."""

    pss: float
    rss: float
    files: int
    sockets: int

    @classmethod
    def of(cls, pid):
        kilobytes = {}
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
            name, value, *_ = line.split()
            kilobytes[name] = int(value)
        opened = [link.readlink().name for link in Path(f"/proc/{pid}/fd").iterdir()]
        return cls(
            pss=kilobytes["Pss:"] / 1024,
            rss=kilobytes["Rss:"] / 1024,
            files=len(opened),
            sockets=sum(name.startswith("socket:") for name in opened),
        )
