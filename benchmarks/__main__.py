"""Run the benchmark: ``uv run --group bench python -m benchmarks [rows…]``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import click
from rich.console import Console

from benchmarks import calls, capacity, earlier, inner, processes, report, streams, tenants, tooling
from benchmarks.bench import Bench
from benchmarks.figure import Figure

ROWS: Mapping[str, Callable[[Bench], Iterator[Figure]]] = {
    "stream-slow": streams.slow_server,
    "stream-fast": streams.fast_server,
    "first-token": streams.first_token,
    "streams": streams.many_streams,
    "embedding": calls.embedding,
    "connections": calls.connections,
    "start": processes.start,
    "memory": processes.memory,
    "build": tooling.unchanged_build,
    "cli": tooling.command_line,
    "large": tooling.large_plugin,
    "percentiles": tenants.percentiles,
    "fairness": tenants.fairness,
    "recordings": processes.recordings,
    "help": tooling.help_of_commands,
    "preview": tooling.save_to_page,
    "earlier": earlier.beside_earlier,
    "from-form": inner.from_form,
    "tokens": inner.tokens,
}
ON_DEMAND: Mapping[str, Callable[[Bench], Iterator[Figure]]] = {"capacity": capacity.capacity}
"""Rows that take long, and are measured when they are named."""
RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
CAPACITY = PAGE.with_name("capacity.md")


@click.command
@click.argument("names", nargs=-1, type=click.Choice([*ROWS, *ON_DEMAND]))
@click.option("--quick", is_flag=True, help="Fewer rounds, smaller sizes: to see that it works.")
def main(names: tuple[str, ...], *, quick: bool) -> None:
    """Measure the rows that are named, or all of them.

    A run of all rows goes into benchmarks/results/ and docs/benchmarks.md, one of capacity into
    docs/capacity.md; a quick one is only shown.
    """
    console = Console()
    figures: list[Figure] = []
    with Bench(quick=quick) as bench:
        for name in names or ROWS:
            with console.status(name):
                figures += {**ROWS, **ON_DEMAND}[name](bench)
    report.show(figures, console)
    if quick:
        return
    if names == ("capacity",):
        report.into_page(CAPACITY, report.as_capacity(figures))
        console.print(f"Written to {CAPACITY}.")
    elif not names:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "results.json").write_text(report.as_json(figures))
        with (RESULTS / "trend.jsonl").open("a") as trend:
            trend.write(report.as_trend(figures))
        report.plot(figures, RESULTS / "results.svg")
        report.into_page(PAGE, report.as_markdown(figures))
        console.print(f"Written to {RESULTS} and {PAGE}.")


if __name__ == "__main__":
    main()
