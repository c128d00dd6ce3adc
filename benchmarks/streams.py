"""Rows about streamed answers: what a token costs, how soon the first one comes, many at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import requests

from benchmarks.bench import Bench
from benchmarks.figure import Figure, Goal, in_turns

ALL = ("ours", "floor", "peer")


def slow_server(bench: Bench) -> Iterator[Figure]:
    """CPU a token when each one arrives alone, because the server is slower than the plugin."""
    yield _cpu_a_token(
        bench,
        "stream-slow",
        "CPU a token, slow server",
        "slow",
        bench.scaled(1000, 100),
        Goal(limit=1.3),
    )


def fast_server(bench: Bench) -> Iterator[Figure]:
    """CPU a token when the server is faster than the plugin, so that tokens arrive together."""
    yield _cpu_a_token(
        bench,
        "stream-fast",
        "CPU a token, fast server",
        "fast",
        bench.scaled(2000, 300),
        Goal(limit=0.35),
    )


def _cpu_a_token(bench: Bench, name: str, what: str, uid: str, tokens: int, goal: Goal) -> Figure:
    for contestant in ALL:
        _read(bench, contestant, uid, 20)
    measures = {contestant: _cpu_of(bench, contestant, uid, tokens) for contestant in ALL}
    rounds = in_turns(measures, bench.scaled(9, 3))
    peer = median(rounds.ratios("peer", "floor"))
    return Figure(
        name=name,
        what=what,
        figures=rounds.ratios("ours", "floor"),
        of="× floor",
        values=rounds.values(1e6),
        unit="µs",
        goal=goal,
        note=f"peer: {peer:.1f} × floor",
    )


def _cpu_of(bench: Bench, name: str, uid: str, tokens: int) -> Callable[[], float]:
    contestant = bench.contestant(name)

    def spent() -> float:
        before = contestant.cpu()
        _read(bench, name, uid, tokens)
        return (contestant.cpu() - before) / tokens

    return spent


def _read(bench: Bench, name: str, uid: str, tokens: int) -> None:
    """Read an answer to its end, and see that it is whole."""
    *_, last = bench.contestant(name).chat(uid, tokens)
    written = last["delta"]["usage"]["completion_tokens"]
    if written != tokens:
        raise RuntimeError(f"{name} ended with {written} of {tokens} tokens")


def first_token(bench: Bench) -> Iterator[Figure]:
    """How much later than need be the first token comes, from the second call on."""
    calls = bench.scaled(15, 5)
    session = requests.Session()
    measures: dict[str, Callable[[], float]] = {name: _first_of(bench, name, calls) for name in ALL}
    measures["wire"] = lambda: median(_first_byte(bench, session) for _ in range(calls))
    for measure in measures.values():
        measure()  # the first call may be slower
    rounds = in_turns(measures, bench.scaled(9, 3))
    added = rounds.each(lambda *ms: 1000 * (ms[0] - ms[1] - ms[2]), "ours", "floor", "wire")
    peers = rounds.each(lambda *ms: 1000 * (ms[0] - ms[1] - ms[2]), "peer", "floor", "wire")
    yield Figure(
        name="first-token",
        what="Delay to the first token over floor + wire",
        figures=added,
        of="ms",
        values=rounds.values(1000),
        unit="ms",
        goal=Goal(limit=2),
        note=f"peer: {median(peers):.1f} ms",
    )


def _first_of(bench: Bench, name: str, calls: int) -> Callable[[], float]:
    contestant = bench.contestant(name)

    def once() -> float:
        began = time.perf_counter()
        answer = contestant.chat("fast", 5)
        next(answer)
        took = time.perf_counter() - began
        list(answer)
        return took

    return lambda: median(once() for _ in range(calls))


def _first_byte(bench: Bench, session: requests.Session) -> float:
    """Read the same answer with ``requests`` and nothing else."""
    asked = {"model": "fast", "stream": True, "max_tokens": 5, "messages": []}
    began = time.perf_counter()
    with session.post(
        f"{bench.server.url}/v1/chat/completions", json=asked, stream=True, timeout=60
    ) as answer:
        pieces = answer.iter_content(None)
        next(pieces)
        took = time.perf_counter() - began
        list(pieces)
    return took


def many_streams(bench: Bench) -> Iterator[Figure]:
    """Twenty answers of 200 tokens at the same time."""
    streams, tokens = bench.scaled(20, 4), 200
    with ThreadPoolExecutor(streams) as pool:

        def together(name: str) -> Callable[[], float]:
            def took() -> float:
                began = time.perf_counter()
                list(pool.map(lambda _: _read(bench, name, "fast", tokens), range(streams)))
                return time.perf_counter() - began

            return took

        measures = {name: together(name) for name in ALL}
        for measure in measures.values():
            measure()
        rounds = in_turns(measures, bench.scaled(7, 2))
    yield Figure(
        name="streams",
        what=f"{streams} streams × {tokens} tokens at once, wall",
        figures=rounds.ratios("peer", "ours"),
        of="× faster than peer",
        values=rounds.values(1000),
        unit="ms",
        goal=Goal(limit=6, at_least=True),
    )
