"""Run the benchmark: ``uv run --group bench python -m benchmarks [rows…]``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import click
from rich.console import Console

from benchmarks import calls, processes, report, streams
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
}
RESULTS = Path(__file__).parent / "results"


@click.command
@click.argument("names", nargs=-1, type=click.Choice(list(ROWS)))
@click.option("--quick", is_flag=True, help="Fewer rounds, smaller sizes: to see that it works.")
def main(names: tuple[str, ...], *, quick: bool) -> None:
    """Measure the rows that are named, or all of them.

    A run of all rows, that is not quick, is kept in benchmarks/results/ and docs/benchmarks.md.
    """
    console = Console()
    figures: list[Figure] = []
    with Bench(quick=quick) as bench:
        for name in names or ROWS:
            with console.status(name):
                figures += ROWS[name](bench)
    report.show(figures, console)


if __name__ == "__main__":
    main()
