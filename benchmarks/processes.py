"""Rows about the plugin's process: how soon it is ready, and the memory it takes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import partial
from statistics import median

from benchmarks.bench import Bench
from benchmarks.figure import Figure, Goal, Rounds, in_turns
from benchmarks.process import Contestant


def start(bench: Bench) -> Iterator[Figure]:
    """Start each plugin to its first heartbeat, byte-compiled, and look at its memory then."""
    rounds, used = started(bench, ("ours", "floor", "peer"))
    yield Figure(
        name="start/time",
        what="Process start to first heartbeat",
        figures=rounds.ratios("ours", "floor"),
        of="× floor",
        values=rounds.values(1000),
        unit="ms",
        goal=Goal(limit=1.08),
        note=f"peer: {median(rounds.ratios('peer', 'floor')):.2f} × floor",
    )
    yield Figure(
        name="start/memory",
        what="Memory after start",
        figures=used.ratios("ours", "floor"),
        of="× floor",
        values=used.values(),
        unit="MB",
        goal=Goal(limit=1.08),
        note=f"peer: {used['peer'] - used['floor']:+.0f} MB",
    )


def started(bench: Bench, names: Sequence[str]) -> tuple[Rounds, Rounds]:
    """Start plugins in turns; return the seconds to the first heartbeat, and the MB held then."""
    memory: dict[str, list[float]] = {name: [] for name in names}

    def ready(name: str) -> float:
        began = time.perf_counter()
        with bench.fresh(name) as contestant:
            seconds = time.perf_counter() - began
            memory[name].append(contestant.memory())
        return seconds

    measures = {name: partial(ready, name) for name in names}
    for measure in measures.values():
        measure()  # reads the files into the system's cache, and byte-compiles what is installed
    seconds = in_turns(measures, bench.scaled(11, 3))
    return seconds, Rounds(memory)


def memory(bench: Bench) -> Iterator[Figure]:
    """Look at the memory after many requests: beside the floor, and beside itself before them."""
    total = bench.scaled(10_000, 500)
    early: dict[str, float] = {}
    late: dict[str, float] = {}
    for name in ("ours", "floor"):
        with bench.fresh(name) as contestant:
            _ask(contestant, total // 10)
            early[name] = contestant.memory()
            _ask(contestant, total - total // 10)
            late[name] = contestant.memory()
    ratio = late["ours"] / late["floor"]
    yield Figure(
        name="memory/floor",
        what=f"Memory after {total:,} requests",
        figures=(ratio,),
        of="× floor",
        values=late,
        unit="MB",
        goal=Goal(limit=1.08),
        note="one in three a streamed answer, the others rerank and embedding",
    )
    growth = late["ours"] / early["ours"]
    yield Figure(
        name="memory/flat",
        what=f"Memory after {total:,} requests beside that after {total // 10:,}",
        figures=(growth,),
        of="× before",
        values={"before": early["ours"], "after": late["ours"]},
        unit="MB",
        goal=Goal(limit=1.02),
        note=f"floor: {late['floor'] / early['floor']:.3f} × before",
    )


def _ask(contestant: Contestant, times: int) -> None:
    for number in range(times):
        if number % 3 == 0:
            list(contestant.chat("fast", 10))
        elif number % 3 == 1:
            contestant.rerank(["one", "two", "three"])
        else:
            contestant.embed(["one", "two"])


def recordings(bench: Bench) -> Iterator[Figure]:
    """Look at the highest memory while a recording of 24 MB is written down."""
    recording = bytes(bench.scaled(24, 2) * 1024 * 1024)
    peaks: dict[str, float] = {}
    for name in ("ours", "floor"):
        with bench.fresh(name) as contestant:
            contestant.transcribe(bytes(1024))
            contestant.transcribe(recording)
            peaks[name] = contestant.peak()
    ratio = peaks["ours"] / peaks["floor"]
    yield Figure(
        name="recordings",
        what="Highest memory during a recording of 24 MB",
        figures=(ratio,),
        of="× floor",
        values=peaks,
        unit="MB",
        goal=Goal(limit=1.2),
        note="the SDK itself holds a recording as text and as bytes",
    )
