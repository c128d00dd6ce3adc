"""Rows about single functions: reading credentials, estimating tokens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from importlib import import_module

from benchmarks.bench import Bench
from benchmarks.figure import Figure, Goal, in_turns
from provider_spec import XinferenceCredentials

_SHORT = {"server_url": "http://10.0.0.5:9997", "model_uid": "chat"}
_LONG = {
    **_SHORT,
    "api_key": "sk-0123456789",
    "invoke_timeout": "60",
    "max_retries": "3",
    "verify_tls": "true",
    "context_size": "8192",
}
_ENGLISH = "The quick brown fox jumps over the lazy dog; then it rests, 3 times a day. "
_CHINESE = "敏捷的棕色狐狸跳过了懒狗，然后它休息，每天三次。"
_CODE = "def total(rows: list[Row]) -> float:\n    return sum(row.price * 1.19 for row in rows)\n"


def from_form(bench: Bench) -> Iterator[Figure]:
    """Read valid credentials: those that must be there, and with most of the others."""
    times = bench.scaled(50_000, 2_000)
    rounds = in_turns(
        {
            "two fields": _rate(lambda: XinferenceCredentials.from_form(_SHORT), times),
            "seven fields": _rate(lambda: XinferenceCredentials.from_form(_LONG), times),
        },
        bench.scaled(7, 2),
    )
    yield Figure(
        name="from-form",
        what="from_form on valid credentials",
        figures=rounds.taken["two fields"],
        of="a second",
        values=rounds.values(),
        unit="a second",
        goal=Goal(limit=100_000, at_least=True),
    )


def tokens(bench: Bench) -> Iterator[Figure]:
    """Estimate the tokens of texts; the slowest kind of text is what counts."""
    module = import_module("xinfer.runtime.openai.tokens")
    name = "estimate" if hasattr(module, "estimate") else "count"
    estimate = getattr(module, name)
    size = bench.scaled(2_000_000, 100_000)
    kinds = {"English": _ENGLISH, "Chinese": _CHINESE, "code": _CODE}
    texts = {kind: text * (size // len(text.encode())) for kind, text in kinds.items()}
    rounds = in_turns(
        {kind: _megabytes(estimate, text) for kind, text in texts.items()}, bench.scaled(5, 2)
    )
    yield Figure(
        name="tokens",
        what="Token estimate, the slowest kind of text",
        figures=rounds.each(min, *texts),
        of="MB/s",
        values=rounds.values(),
        unit="MB/s",
        goal=Goal(limit=20, at_least=True),
        note=f"tokens.{name}, without tiktoken",
    )


def _rate(call: Callable[[], object], times: int) -> Callable[[], float]:
    def rate() -> float:
        began = time.perf_counter()
        for _ in range(times):
            call()
        return times / (time.perf_counter() - began)

    return rate


def _megabytes(estimate: Callable[[str], int], text: str) -> Callable[[], float]:
    size = len(text.encode()) / 1e6

    def rate() -> float:
        began = time.perf_counter()
        estimate(text)
        return size / (time.perf_counter() - began)

    return rate
