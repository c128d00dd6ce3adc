"""What one process carries: open streams of thirty tokens a second, more and more of them.

The plugin's output is read in blocks and only searched for the ids of sessions, so that reading it
costs a fraction of writing it; what the server and the reader themselves spend is shown, for where
they take a whole core it is they who bend and not the plugin.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from attrs import define, field, frozen

from benchmarks.bench import Bench
from benchmarks.figure import Figure, Goal
from benchmarks.process import MESSAGE, cpu_seconds, memory_mb
from benchmarks.server import STEADY
from benchmarks.tenants import percentile
from xinfer.daemon.session import request_line

STREAMS = (50, 200, 500, 1_000, 2_000, 5_000)
CONTESTANTS = ("ours", "floor", "sdk")
SECONDS = 10
"""How long each stream writes."""
_LONGEST = 240
"""Seconds after which a run that does not end is given up."""
_SESSION = re.compile(rb'"session_id": ?"(s\d+)"')
_END = re.compile(rb'"session_id": ?"(s\d+)"[^\n]*"type": ?"(?:end|error)"')
_FAILED = re.compile(rb'"type": ?"error"')
_BLOCK = 1 << 20
_SAMPLE = 50
"""Streams whose gaps between two pieces are noted."""


@define
class _Reading:
    """What arrived of the streams, and when."""

    pieces: int = 0
    ended: set[bytes] = field(factory=set)
    failed: int = 0
    sampled: frozenset[bytes] = frozenset()
    last: dict[bytes, float] = field(factory=dict)
    gaps: list[float] = field(factory=list)

    def take(self, lines: bytes, now: float) -> None:
        """Count whole lines that arrived together."""
        arrived = Counter(_SESSION.findall(lines))
        self.pieces += arrived.total()
        self.ended.update(_END.findall(lines))
        self.failed += len(_FAILED.findall(lines))
        for session in self.sampled & arrived.keys():
            if session in self.last:
                self.gaps.append(now - self.last[session])
            self.last[session] = now


@frozen(kw_only=True)
class Load:
    """What a plugin did with a number of streams.

    :param took: seconds from the first request to the last end.
    :param cpu: seconds that the plugin spent.
    :param server_cpu: seconds that the server spent.
    :param reader_cpu: seconds that reading spent.
    :param memory: MB at most, beyond those before the first stream.
    :param idle: MB before the first stream.
    """

    took: float
    cpu: float
    server_cpu: float
    reader_cpu: float
    memory: float
    idle: float
    reading: _Reading


def capacity(bench: Bench) -> Iterator[Figure]:
    """Measure CPU, memory and delays of one process with more and more streams."""
    counts = (20, 40) if bench.quick else STREAMS
    for streams in counts:
        for name in CONTESTANTS:
            yield _figure(name, streams, _load(bench, name, streams), bench.scaled(SECONDS, 2))


def _figure(name: str, streams: int, load: Load, seconds: int) -> Figure:
    tokens = streams * _tokens(seconds)
    share = load.cpu / load.took
    gaps = load.reading.gaps or [0.0]
    late = load.took - seconds
    return Figure(
        name=f"capacity/{streams}/{name}",
        what=f"CPU of {streams:,} streams of 30 tokens a second, {name}",
        figures=(share,),
        of="cores",
        values={
            "tokens a second": tokens / load.took,
            "µs a token": 1e6 * load.cpu / tokens,
            "tokens a piece": tokens / max(load.reading.pieces, 1),
            "MB": load.idle + load.memory,
            "KB a stream": 1000 * load.memory / streams,
            "p50 ms": 1000 * percentile(gaps, 50),
            "p99 ms": 1000 * percentile(gaps, 99),
            "server's cores": load.server_cpu / load.took,
            "reader's cores": load.reader_cpu / load.took,
        },
        unit="",
        goal=Goal(limit=1.0),
        note=f"ended {late:+.1f} s after the server's pace; {load.reading.failed} failed",
    )


def _tokens(seconds: int) -> int:
    return int(seconds / STEADY)


def _load(bench: Bench, name: str, streams: int) -> Load:
    """Open the streams over a second, and read them to their ends."""
    credentials = bench.contestant("ours").credentials("steady", "llm")
    sessions = [b"s%d" % number for number in range(streams)]
    every = max(streams // _SAMPLE, 1)
    reading = _Reading(sampled=frozenset(sessions[::every]))
    with _started(bench.plugins[name], streams) as process:
        _warm(process, credentials)
        idle = highest = memory_mb(process.pid)
        before = cpu_seconds(process.pid), cpu_seconds(bench.server.pid), time.process_time()
        began = time.perf_counter()
        request = _request("{}", credentials, _tokens(bench.scaled(SECONDS, 2)))
        unsent = iter(sessions)
        due = began
        rest = b""
        output = _pipe(process.stdout)
        os.set_blocking(output, False)
        while len(reading.ended) < streams:
            now = time.perf_counter()
            if now - began > _LONGEST:
                raise RuntimeError(
                    f"{streams - len(reading.ended)} of {streams} streams did not end"
                )
            for _ in range(min(int((now - due) * streams) + 1, streams)):
                if (session := next(unsent, None)) is None:
                    break
                due += 1 / streams
                os.write(_pipe(process.stdin), request.replace(b"{}", session, 1))
            if now - began > 2 and int(now) != int(now - 0.02):
                highest = max(highest, memory_mb(process.pid))
            try:
                block = os.read(output, _BLOCK)
            except BlockingIOError:
                time.sleep(0.002)
                continue
            lines, _, rest = (rest + block).rpartition(b"\n")
            reading.take(lines, time.perf_counter())
        took = time.perf_counter() - began
        after = cpu_seconds(process.pid), cpu_seconds(bench.server.pid), time.process_time()
    plugin, server, reader = (late - early for early, late in zip(before, after, strict=True))
    return Load(
        took=took,
        cpu=plugin,
        server_cpu=server,
        reader_cpu=reader,
        memory=highest - idle,
        idle=idle,
        reading=reading,
    )


def _request(session: str, credentials: dict[str, object], tokens: int) -> bytes:
    return request_line(
        session,
        "invoke_llm",
        {
            "provider": "xinference",
            "model": "steady",
            "model_type": "llm",
            "credentials": credentials,
            "prompt_messages": [MESSAGE],
            "model_parameters": {"max_tokens": tokens, "temperature": 0.5},
            "stop": None,
            "tools": None,
            "stream": True,
        },
    )


@contextmanager
def _started(folder: Path, streams: int) -> Iterator[subprocess.Popen[bytes]]:
    """Start a plugin whose output nobody reads yet."""
    process = subprocess.Popen(
        [sys.executable, "-m", "main"],
        cwd=folder,
        env={**os.environ, "INSTALL_METHOD": "local", "MAX_WORKER": str(streams + 50)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        _pipe_file(process.stdin).close()
        _pipe_file(process.stdout).close()


def _warm(process: subprocess.Popen[bytes], credentials: dict[str, object]) -> None:
    """Make one short call, so that everything is imported."""
    os.write(_pipe(process.stdin), _request("s-warm", credentials, 3))
    arrived = b""
    while b'"end"' not in arrived:
        block = os.read(_pipe(process.stdout), _BLOCK)
        if not block:
            raise RuntimeError("the plugin ended")
        arrived += block


def _pipe(stream: IO[bytes] | None) -> int:
    return _pipe_file(stream).fileno()


def _pipe_file(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream
