"""Rows about calls that answer at once: vectors, and the connections that calls need."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import median

from benchmarks.bench import Bench
from benchmarks.figure import Figure, Goal, Rounds, in_turns
from benchmarks.process import Contestant

_TEXT = "The quick brown fox jumps over the lazy dog."


def embedding(bench: Bench) -> Iterator[Figure]:
    """Turn 1,000 texts into vectors as Dify does: one call after the other, each of as many texts
    as the model's schema says under ``max_chunks``."""  # noqa: D205, D209 (one sentence)
    texts = [_TEXT] * bench.scaled(1000, 100)
    sizes = {name: bench.contestant(name).max_chunks() for name in ("ours", "floor", "peer")}
    if sizes["floor"] != sizes["ours"]:
        raise RuntimeError(f"floor answers {sizes['floor']} texts at once, ours {sizes['ours']}")
    wall: dict[str, list[float]] = {name: [] for name in sizes}

    def spent_by(name: str) -> Callable[[], float]:
        contestant = bench.contestant(name)

        def spent() -> float:
            began, before = time.perf_counter(), contestant.cpu()
            for start in range(0, len(texts), sizes[name]):
                contestant.embed(texts[start : start + sizes[name]])
            wall[name].append(time.perf_counter() - began)
            return contestant.cpu() - before

        return spent

    for name in sizes:
        bench.contestant(name).embed(texts[: sizes[name]])
    cpu = in_turns({name: spent_by(name) for name in sizes}, bench.scaled(5, 2))
    walls = Rounds(wall)
    what = f"Embedding {len(texts):,} texts as Dify calls"
    calls = f"{sizes['ours']} texts a call, the peer {sizes['peer']}"
    yield Figure(
        name="embedding/wall",
        what=f"{what}, wall",
        figures=walls.ratios("peer", "ours"),
        of="× faster than peer",
        values=walls.values(1000),
        unit="ms",
        goal=Goal(limit=8, at_least=True),
        note=calls,
    )
    yield Figure(
        name="embedding/cpu",
        what=f"{what}, CPU",
        figures=cpu.ratios("ours", "floor"),
        of="× floor",
        values=cpu.values(1000),
        unit="ms",
        goal=Goal(limit=1.2),
        note=f"peer: {median(cpu.ratios('peer', 'floor')):.1f} × floor",
    )


def connections(bench: Bench) -> Iterator[Figure]:
    """Count the connections that a fresh process opens for calls from one and from many workers."""
    calls, workers = bench.scaled(20, 5), 8
    values: dict[str, float] = {}
    needed: dict[str, float] = {}
    for name in ("ours", "peer"):
        with bench.fresh(name) as contestant:
            bench.server.tally()
            for _ in range(calls):
                _rank_and_validate(contestant)
            alone = bench.server.tally()
        with bench.fresh(name) as contestant, ThreadPoolExecutor(workers) as pool:
            contestant.credentials("rerank", "rerank")
            bench.server.tally()
            list(pool.map(lambda _: _rank_and_validate(contestant), range(calls * workers)))
            together = bench.server.tally()
        values[f"{name}, one worker"] = alone.connections
        values[f"{name}, {workers} workers"] = together.connections
        needed[name] = max(alone.connections, together.connections / workers)
    yield Figure(
        name="connections",
        what="New connections for rerank and validation calls, per worker",
        figures=(needed["ours"],),
        of="a worker",
        values=values,
        unit="",
        goal=Goal(limit=1),
        note=f"{calls} of each a worker; the floor needs no server",
    )


def _rank_and_validate(contestant: Contestant) -> None:
    contestant.rerank([_TEXT] * 3)
    contestant.validate("rerank", "rerank")
