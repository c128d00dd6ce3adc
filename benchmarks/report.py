"""The figures of a run as a table, as JSON, as a plot and as a page of the manual."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

import attrs
from rich.console import Console
from rich.table import Table

from benchmarks.figure import Figure

BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
"""Between these lines of the manual's page stands the table of the last run."""

_PACKAGES = ("dify_plugin", "gevent", "pydantic", "requests", "openai", "xinference-client")


def machine() -> dict[str, str]:
    """Describe what the run ran on."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: version(name) for name in _PACKAGES},
    }


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    if described.is_file():
        for line in described.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def show(figures: Sequence[Figure], console: Console) -> None:
    """Print the table."""
    table = Table(title="xinfer beside the SDK alone (floor) and the usual clients (peer)")
    for heading in ("row", "what", "figure", "goal", "met", "medians", "note"):
        table.add_column(heading, justify="right" if heading in ("figure", "goal") else "left")
    for figure in figures:
        met = "[green]yes[/]" if figure.met else "[red]no[/]"
        table.add_row(
            figure.name,
            figure.what,
            f"{_number(figure.figure)} {figure.of}",
            str(figure.goal),
            met,
            medians(figure),
            figure.note,
        )
    console.print(table)
    console.print(", ".join(f"{name} {value}" for name, value in machine().items()), style="dim")


def medians(figure: Figure) -> str:
    """Write what each contestant needed."""
    values = (f"{name} {_number(value)}" for name, value in figure.values.items())
    return f"{', '.join(values)} {figure.unit}".strip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def as_json(figures: Sequence[Figure]) -> str:
    """Write everything that was measured."""
    rows = [
        attrs.asdict(figure)
        | {"figure": figure.figure, "spread": figure.spread}
        | {"goal": str(figure.goal), "met": figure.met}
        for figure in figures
    ]
    run = {"machine": machine(), "figures": rows}
    return json.dumps(run, indent=2, ensure_ascii=False) + "\n"


def as_trend(figures: Sequence[Figure]) -> str:
    """Write a line for the trend: the commit and the figure of each row."""
    git = ["git", "describe", "--always", "--dirty"]
    commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()
    rows = {figure.name: float(f"{figure.figure:.4g}") for figure in figures}
    return json.dumps({"commit": commit, "date": f"{date.today()}", **rows}) + "\n"


def as_markdown(figures: Sequence[Figure]) -> str:
    """Write the table and the machine for the manual."""
    lines = [
        "| row | what | figure | goal | met | medians | note |",
        "|---|---|---|---|---|---|---|",
    ]
    for figure in figures:
        measured = f"{_number(figure.figure)} {figure.of}"
        met = "yes" if figure.met else "**no**"
        cells = (figure.name, figure.what, measured, figure.goal, met, medians(figure), figure.note)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    versions = ", ".join(f"{name} {value}" for name, value in machine().items())
    return "\n".join([*lines, "", f"Measured on: {versions}.", ""])


def as_capacity(figures: Sequence[Figure]) -> str:
    """Write what each plugin did with each number of streams."""
    columns = list(figures[0].values)
    lines = [
        f"| streams | plugin | cores | {' | '.join(columns)} | |",
        f"|---|---|---|{'---|' * len(columns)}---|",
    ]
    for figure in figures:
        _, streams, plugin = figure.name.split("/")
        values = (_number(value) for value in figure.values.values())
        cells = (f"{int(streams):,}", plugin, _number(figure.figure), *values, figure.note)
        lines.append(f"| {' | '.join(cells)} |")
    versions = ", ".join(f"{name} {value}" for name, value in machine().items())
    return "\n".join([*lines, "", f"Measured on: {versions}.", ""])


def into_page(page: Path, table: str) -> None:
    """Put the table of a run in the place of the last one."""
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{table}\n{END}{after}")


def plot(figures: Sequence[Figure], path: Path) -> None:
    """Draw how far each figure is from its goal, as SVG: left of the line is better."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "xinfer"  # the same figures give the same file
    from matplotlib import pyplot

    bars = list(reversed(figures))
    shares = [_share(figure, figure.figure) for figure in bars]
    colours = ["#2a9d8f" if figure.met else "#e76f51" for figure in bars]
    drawing, axes = pyplot.subplots(figsize=(8, 0.34 * len(bars) + 1.2))
    axes.barh([figure.name for figure in bars], shares, color=colours, height=0.6)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log")
    axes.set_xlabel("share of the goal (1: just met; less is better)")
    drawing.tight_layout()
    drawing.savefig(path, metadata={"Date": None})
    pyplot.close(drawing)


def _share(figure: Figure, value: float) -> float:
    """Write a figure as a share of its goal, such that less is better; never zero."""
    share = figure.goal.limit / value if figure.goal.at_least else value / figure.goal.limit
    return max(share, 0.01)
