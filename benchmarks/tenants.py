"""Rows about many at once: how late the last ones are, and what a bad server costs the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import pairwise
from statistics import quantiles

from attrs import define, field

from benchmarks.bench import Bench
from benchmarks.figure import Figure, Goal
from benchmarks.process import Contestant
from xinfer.daemon.session import CallError, PluginError

_TOKENS = 30
_HEARTBEAT = 0.5
"""Seconds between two heartbeats, shorter than Dify's, so that a gap shows."""
ATTACKS = ("flood", "trickle", "bomb")


@define
class Delays:
    """Seconds of many calls: to the first token, between two tokens, and to the end."""

    first: list[float] = field(factory=list)
    between: list[float] = field(factory=list)
    call: list[float] = field(factory=list)

    def add(self, contestant: Contestant, tokens: int) -> None:
        """Make one call, and note when its pieces came."""
        began = last = time.perf_counter()
        seen = False
        for piece in contestant.chat("steady", tokens):
            now = time.perf_counter()
            if not piece["delta"]["message"]["content"]:
                continue
            (self.between if seen else self.first).append(now - (last if seen else began))
            seen, last = True, now
        self.call.append(time.perf_counter() - began)


def percentile(values: list[float], share: int) -> float:
    """Return the value that ``share`` per cent of the values do not exceed."""
    if len(values) < 2:
        return values[0]
    return quantiles(values, n=100, method="inclusive")[share - 1]


def percentiles(bench: Bench) -> Iterator[Figure]:
    """How late first tokens, tokens and answers are with 1, 20 and 200 streams at once."""
    for streams in (1, 20, 200) if not bench.quick else (1, 4):
        delays = {name: _delays(bench, name, streams) for name in ("ours", "floor", "sdk", "peer")}
        for part, what in (
            ("first", "first token"),
            ("between", "between two tokens"),
            ("call", "whole answer"),
        ):
            values = {
                f"{name} p{share}": 1000 * percentile(getattr(delay, part), share)
                for name, delay in delays.items()
                for share in (50, 95, 99)
            }
            ratio = values["ours p99"] / values["sdk p99"]
            yield Figure(
                name=f"percentiles/{streams}-{part}",
                what=f"p99 of {what}, {streams} streams of 30 tokens a second",
                figures=(ratio,),
                of="× the SDK's class",
                values=values,
                unit="ms",
                goal=Goal(limit=1.0),
            )


def _delays(bench: Bench, name: str, streams: int) -> Delays:
    delays = Delays()
    calls = bench.scaled(max(3 * streams, 15), 4)
    with bench.fresh(name) as contestant, ThreadPoolExecutor(streams) as pool:
        list(contestant.chat("fast", 5))
        list(pool.map(lambda _: delays.add(contestant, _TOKENS), range(calls)))
    return delays


def fairness(bench: Bench) -> Iterator[Figure]:
    """Twenty tenants stream, while a twenty-first has a server that floods, trickles or bombs."""
    calm, _ = _tenants(bench, None)
    for attack in ATTACKS:
        delays, gap = _tenants(bench, attack)
        values = {
            f"{state} p{share}": 1000 * percentile(measured.first, share)
            for state, measured in (("without", calm), ("with", delays))
            for share in (50, 99)
        }
        ratio = values["with p99"] / values["without p99"]
        yield Figure(
            name=f"fairness/{attack}",
            what=f"p99 of the first token of 20 tenants beside one whose server sends a {attack}",
            figures=(ratio,),
            of="× without it",
            values=values,
            unit="ms",
            goal=Goal(limit=2.0),
            note=f"median {values['with p50'] - values['without p50']:+.1f} ms",
        )
        yield Figure(
            name=f"fairness/{attack}-heartbeat",
            what=f"Longest time without a heartbeat during a {attack}",
            figures=(gap,),
            of="s",
            values={"expected": _HEARTBEAT, "longest": gap},
            unit="s",
            goal=Goal(limit=2.0),
        )


def _tenants(bench: Bench, attack: str | None) -> tuple[Delays, float]:
    """Let tenants stream; return their delays and the longest time without a heartbeat."""
    delays = Delays()
    tenants, calls = bench.scaled(20, 4), bench.scaled(200, 8)
    with bench.fresh("ours", HEARTBEAT_INTERVAL=str(_HEARTBEAT)) as contestant:
        list(contestant.chat("fast", 5))
        with (
            _attacked(contestant, attack),
            _heartbeats(contestant) as beats,
            ThreadPoolExecutor(tenants) as pool,
        ):
            list(pool.map(lambda _: delays.add(contestant, _TOKENS), range(calls)))
    gaps = [later - earlier for earlier, later in pairwise(beats)]
    return delays, max(gaps, default=0.0)


@contextmanager
def _attacked(contestant: Contestant, attack: str | None) -> Iterator[None]:
    """Call the bad server again and again meanwhile; its errors are what is expected."""
    ended = threading.Event()

    def call() -> None:
        credentials = {"server_url": contestant.server_url, "model_uid": attack}
        while not ended.is_set():
            with suppress(CallError, PluginError):
                pieces = contestant.call(
                    "invoke_llm",
                    str(attack),
                    "llm",
                    {**credentials, "invoke_timeout": "5"},
                    prompt_messages=[
                        {"role": "user", "content": "Hi", "name": "", "tool_calls": []}
                    ],
                    model_parameters={},
                    stop=None,
                    tools=None,
                    stream=True,
                )
                for _ in pieces:
                    if ended.is_set():
                        break

    if attack is None:
        yield
        return
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(10)


@contextmanager
def _heartbeats(contestant: Contestant) -> Iterator[list[float]]:
    """Note when heartbeats come."""
    ended = threading.Event()
    beats = [time.perf_counter()]

    def watch() -> None:
        counted = contestant.plugin.heartbeats
        while not ended.wait(0.01):
            if contestant.plugin.heartbeats != counted:
                counted = contestant.plugin.heartbeats
                beats.append(time.perf_counter())

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield beats
    finally:
        beats.append(time.perf_counter())
        ended.set()
        thread.join(5)
