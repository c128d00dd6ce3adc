"""The benchmark's pieces work; what they measure is no concern of a test."""

import json

import pytest
from attrs import evolve

from benchmarks import report
from benchmarks.bench import Bench
from benchmarks.figure import Figure, Goal, in_turns

FIGURE = Figure(
    name="row",
    what="What it is",
    figures=(1.3, 1.5, 1.7),
    of="× floor",
    values={"ours": 3.0, "floor": 2.0},
    unit="µs",
    goal=Goal(limit=1.3),
)


@pytest.fixture(scope="module")
def bench():
    with Bench(quick=True) as running:
        yield running


@pytest.mark.parametrize("name", ["ours", "floor", "peer"])
def test_every_contestant_gives_the_same_answers(bench, name):
    contestant = bench.contestant(name)
    for uid in ("slow", "fast"):
        pieces = [piece["delta"] for piece in contestant.chat(uid, 12)]
        text = "".join(piece["message"]["content"] for piece in pieces)
        assert text == "Hello there, how are you today? Fine 好的Hello there"
        assert pieces[-1]["usage"]["completion_tokens"] == 12
    vectors = contestant.embed(["one", "two"])["embeddings"]
    assert [len(vector) for vector in vectors] == [768, 768]
    assert [doc["text"] for doc in contestant.rerank(["a", "b"])["docs"]] == ["a", "b"]


def test_the_server_counts_connections_and_requests(bench):
    ours = bench.contestant("ours")
    ours.rerank(["a"])
    bench.server.tally()
    ours.rerank(["a"])
    ours.rerank(["a"])
    tally = bench.server.tally()
    assert (tally.connections, tally.requests) == (0, 2)


def test_a_process_spends_cpu_and_has_memory(bench):
    ours = bench.contestant("ours")
    before = ours.cpu()
    list(ours.chat("fast", 100))
    assert 0 < ours.cpu() - before < 10
    assert 20 < ours.memory() < 500


def test_a_ratio_is_taken_within_a_round():
    times = {"ours": iter([2.0, 40.0, 6.0]), "floor": iter([1.0, 10.0, 2.0])}
    measures = {name: lambda name=name: next(times[name]) for name in times}
    ratios = in_turns(measures, 3).ratios("ours", "floor")
    figure = evolve(FIGURE, figures=ratios)
    assert (figure.figure, figure.spread) == (3.0, (2.5, 3.5))


def test_a_goal_may_be_a_least_or_a_most():
    assert Goal(limit=2).met(2)
    assert not Goal(limit=2).met(2.1)
    assert Goal(limit=2, at_least=True).met(2)
    assert not Goal(limit=2, at_least=True).met(1.9)


def test_a_run_is_written_as_json_as_a_page_and_as_a_plot(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"Before\n\n{report.BEGIN}\nold\n{report.END}\n\nAfter\n")
    for _ in range(2):
        report.into_page(page, report.as_markdown([FIGURE]))
    text = page.read_text()
    assert text.startswith("Before\n")
    assert text.endswith("After\n")
    assert "old" not in text
    assert text.count("| row | What it is | 1.5 × floor | ≤ 1.3 | **no** |") == 1
    run = json.loads(report.as_json([FIGURE]))
    assert run["figures"][0]["met"] is False
    for name in ("one.svg", "two.svg"):
        report.plot([FIGURE], tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
