"""The figures of a run as a table, as JSON, as a plot and as a page of the manual."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import attrs
from rich.console import Console
from rich.table import Table

from benchmarks.figure import Figure

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


def as_json(figures: Sequence[Figure], *, quick: bool) -> str:
    """Write everything that was measured."""
    rows = [
        {**attrs.asdict(figure), "goal": str(figure.goal), "met": figure.met} for figure in figures
    ]
    run = {"machine": machine(), "quick": quick, "figures": rows}
    return json.dumps(run, indent=2, ensure_ascii=False) + "\n"
