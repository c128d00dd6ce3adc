"""Rows beside an earlier commit: whether what was measured then still holds.

They need a checkout of that commit with its plugin built, which ``XINFER_BENCH_BEFORE`` names.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import batched

from benchmarks.bench import Bench
from benchmarks.contestants import BEFORE, before
from benchmarks.figure import Figure, Goal, in_turns
from benchmarks.process import Contestant
from benchmarks.processes import started

_BOTH = ("ours", "before")
_TEXT = "The quick brown fox jumps over the lazy dog."


def beside_earlier(bench: Bench) -> Iterator[Figure]:
    """Compare the plugin with that of an earlier commit, in turns."""
    if before() is None:
        print(f"Left out, the rows beside an earlier commit: {BEFORE} names no checkout.")
        return
    for name, (what, unit, factor, measure) in _MEASURES.items():
        contestants = {each: bench.contestant(each) for each in _BOTH}
        for contestant in contestants.values():
            measure(bench, contestant)
        rounds = in_turns(
            {each: partial(measure, bench, contestants[each]) for each in _BOTH},
            bench.scaled(9, 3),
        )
        yield Figure(
            name=f"earlier/{name}",
            what=what,
            figures=rounds.ratios("ours", "before"),
            of="× the earlier commit",
            values=rounds.values(factor),
            unit=unit,
            goal=Goal(limit=0.5 if name == "digits" else 1.05),
        )
    yield from _fresh(bench)


def _cpu_a_token(uid: str, full: int) -> Callable[[Bench, Contestant], float]:
    def measure(bench: Bench, contestant: Contestant) -> float:
        tokens = bench.scaled(full, 100)
        began = contestant.cpu()
        list(contestant.chat(uid, tokens))
        return (contestant.cpu() - began) / tokens

    return measure


def _first_token(bench: Bench, contestant: Contestant) -> float:
    times = []
    for _ in range(bench.scaled(15, 3)):
        began = time.perf_counter()
        answer = contestant.chat("fast", 5)
        next(answer)
        times.append(time.perf_counter() - began)
        list(answer)
    return sorted(times)[len(times) // 2]


def _cpu_of_vectors(uid: str) -> Callable[[Bench, Contestant], float]:
    def measure(bench: Bench, contestant: Contestant) -> float:
        texts = [_TEXT] * bench.scaled(1000, 128)
        began = contestant.cpu()
        for batch in batched(texts, 64):
            contestant.embed(list(batch), uid)
        return contestant.cpu() - began

    return measure


def _rerank(bench: Bench, contestant: Contestant) -> float:
    began = contestant.cpu()
    for _ in range(bench.scaled(200, 10)):
        contestant.rerank([_TEXT] * 10)
    return contestant.cpu() - began


_MEASURES: Mapping[str, tuple[str, str, float, Callable[[Bench, Contestant], float]]] = {
    "stream-slow": ("CPU a token, slow server", "µs", 1e6, _cpu_a_token("slow", 1000)),
    "stream-fast": ("CPU a token, fast server", "µs", 1e6, _cpu_a_token("fast", 2000)),
    "first-token": ("Time to the first token", "ms", 1e3, _first_token),
    "embedding": ("CPU of 1,000 texts in Base64", "ms", 1e3, _cpu_of_vectors("embed")),
    "digits": ("CPU of 1,000 texts × 1,024 in digits", "ms", 1e3, _cpu_of_vectors("digits")),
    "rerank": ("CPU of 200 rerank calls", "ms", 1e3, _rerank),
}


def _fresh(bench: Bench) -> Iterator[Figure]:
    """Compare start and memory, which need processes of their own."""
    rounds, used = started(bench, _BOTH)
    yield Figure(
        name="earlier/start",
        what="Process start to first heartbeat",
        figures=rounds.ratios("ours", "before"),
        of="× the earlier commit",
        values=rounds.values(1000),
        unit="ms",
        goal=Goal(limit=1.05),
    )
    yield Figure(
        name="earlier/memory",
        what="Memory after start",
        figures=used.ratios("ours", "before"),
        of="× the earlier commit",
        values=used.values(),
        unit="MB",
        goal=Goal(limit=1.05),
    )
