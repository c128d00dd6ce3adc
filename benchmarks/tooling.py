"""Rows about what an author runs: the build, checks, the importer."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import click
import requests

from benchmarks.bench import Bench
from benchmarks.contestants import ROOT
from benchmarks.figure import Figure, Goal, in_turns
from benchmarks.large import write_project
from xinfer.build.preparation import prepare, write

_IMPORTS = "import attrs, ruamel.yaml, click"


def unchanged_build(bench: Bench) -> Iterator[Figure]:
    """Build what is built already: beyond the imports that it cannot do without."""
    out = bench.folder / "built"
    build = [str(ROOT / "build.py"), "--out", str(out)]
    _run(*build)
    before = _state(out)
    measures: dict[str, Callable[[], float]] = {
        "build": lambda: _run(*build),
        "imports": lambda: _run("-c", _IMPORTS),
        "python": lambda: _run("-c", "pass"),
    }
    for measure in measures.values():
        measure()
    rounds = in_turns(measures, bench.scaled(11, 3))
    if _state(out) != before:
        raise RuntimeError("a build of an unchanged tree wrote something")
    beyond = rounds.each(
        lambda build, imports, python: (build - imports) / (imports - python), *measures
    )
    yield Figure(
        name="build",
        what="build.py, unchanged: beyond its imports",
        figures=beyond,
        of="× the imports",
        values=rounds.values(1000),
        unit="ms",
        goal=Goal(limit=0.5),
        note="nothing was written; the imports are attrs, ruamel.yaml and click",
    )


def command_line(bench: Bench) -> Iterator[Figure]:
    """Start the command line."""
    measures: dict[str, Callable[[], float]] = {
        "xinfer --help": lambda: _run("-m", "xinfer", "--help"),
        "python": lambda: _run("-c", "pass"),
    }
    for measure in measures.values():
        measure()
    rounds = in_turns(measures, bench.scaled(11, 3))
    yield Figure(
        name="cli",
        what="Start of the command line",
        figures=rounds.taken["xinfer --help"],
        of="s",
        values=rounds.values(1000),
        unit="ms",
        goal=Goal(limit=0.25),
    )


def help_of_commands(bench: Bench) -> Iterator[Figure]:
    """Show the help of each command; the slowest one counts."""
    from xinfer.cli import main

    names = main.list_commands(click.Context(main))
    measures = {name: lambda name=name: _run("-m", "xinfer", name, "--help") for name in names}  # type: ignore[misc]
    for measure in measures.values():
        measure()
    rounds = in_turns(measures, bench.scaled(5, 2))
    slowest = max(names, key=lambda name: rounds[name])
    yield Figure(
        name="help",
        what="The slowest command's --help",
        figures=rounds.taken[slowest],
        of="s",
        values=rounds.values(1000),
        unit="ms",
        goal=Goal(limit=0.15),
        note=slowest,
    )


def save_to_page(bench: Bench) -> Iterator[Figure]:
    """Save a spec of 150 models and wait for the preview; the first load does not count."""
    spec = write_project(bench.folder / "preview", bench.scaled(150, 10))
    command = [sys.executable, "-u", "-m", "xinfer", "preview", str(spec), "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            words = process.stdout.readline().split()
            url = next(word for word in words if word.startswith("http://"))
            with requests.get(f"{url}events", stream=True, timeout=60) as events:
                lines = (line for line in events.iter_lines(1) if line.startswith(b"data:"))
                next(lines)
                _loaded(url)
                taken = [_save(spec, lines, url) for _ in range(bench.scaled(9, 2))]
        finally:
            process.kill()
    yield Figure(
        name="preview",
        what="xinfer preview: from a save to the page's view, 150 models",
        figures=[1000 * seconds for seconds in taken],
        of="ms",
        values={"fastest": 1000 * min(taken), "slowest": 1000 * max(taken)},
        unit="ms",
        goal=Goal(limit=300),
    )


def _loaded(url: str) -> None:
    for _ in range(200):
        if requests.get(f"{url}status", timeout=30).json()["about"]:
            return
        time.sleep(0.1)
    raise RuntimeError("the preview never loaded the plugin")


def _save(spec: Path, lines: Iterator[bytes], url: str) -> float:
    """Save, wait for the event and ask for the view, as the page does."""
    time.sleep(0.3)  # nobody saves twice at once
    began = time.perf_counter()
    spec.write_text(spec.read_text() + "\n")
    next(lines)
    requests.get(f"{url}status", timeout=30).raise_for_status()
    requests.post(f"{url}view", json={}, timeout=30).raise_for_status()
    return time.perf_counter() - began


def large_plugin(bench: Bench) -> Iterator[Figure]:
    """Check and import plugins with many models, beside parsing their YAML once."""
    many, most = bench.scaled(150, 20), bench.scaled(2000, 60)
    plugins = {count: _built(bench.folder / f"large-{count}", count) for count in (many, most)}
    tasks = ("parse", "check", "import")
    rounds = in_turns(
        {task: lambda task=task: _task(task, plugins[many]) for task in tasks},  # type: ignore[misc]
        bench.scaled(5, 2),
    )
    spec = median(_task("check-spec", bench.folder / f"large-{many}") for _ in range(3))
    notes = {
        "check": f"of the folder; of the spec itself it is {spec * 1000:.0f} ms",
        "import": "the spec is written, the code carried over",
    }
    for task in ("check", "import"):
        yield Figure(
            name=f"large/{task}",
            what=f"xinfer {task}, {many} models",
            figures=rounds.ratios(task, "parse"),
            of="× parsing once",
            values={name: rounds[name] * 1000 for name in (task, "parse")},
            unit="ms",
            goal=Goal(limit=1.5),
            note=notes[task],
        )
    for task in ("check", "import"):
        a_model = {many: rounds[task] / many, most: _task(task, plugins[most]) / most}
        figure = a_model[most] / a_model[many]
        yield Figure(
            name=f"large/{task}-linear",
            what=f"xinfer {task}: a model of {most:,} beside one of {many}",
            figures=(figure,),
            of="×",
            values={f"of {count}": seconds * 1000 for count, seconds in a_model.items()},
            unit="ms a model",
            goal=Goal(limit=1.15),
        )


def _built(folder: Path, models: int) -> Path:
    """Write the project and build it; return the plugin's folder."""
    spec = write_project(folder, models)
    return write(prepare(spec), folder / "dist").folder


def _task(name: str, folder: Path) -> float:
    """Run a task in a process of its own, so that nothing is remembered from the last time."""
    command = [sys.executable, "-m", "benchmarks.tooling_tasks", name, str(folder)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _run(*arguments: str) -> float:
    """Run Python to its end; return how long it took."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments],
        check=True,
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""},
    )
    return time.perf_counter() - began


def _state(folder: Path) -> dict[str, tuple[int, int]]:
    """Return whether a file was written: its inode and time."""
    return {
        str(path): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }
