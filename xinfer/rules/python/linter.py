"""What ruff finds in a plugin's Python: syntax errors and undefined names, in one call for all.

Nothing of the user's changes the result: neither settings nor ``noqa`` comments nor the names of
files, which ruff sees as numbers.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any

from attrs import frozen
from ruff import find_ruff_bin

SYNTAX, UNDEFINED = "invalid-syntax", "F821"
_COMMAND = f"""
    check --isolated --ignore-noqa --no-cache --no-respect-gitignore --exit-zero --quiet
    --select {UNDEFINED} --target-version py312 --output-format json-lines .
"""
_MOST_DIAGNOSTICS = 2_000
_SECONDS = 20


@frozen
class Diagnostic:
    """One thing that ruff or Python finds; columns count characters, from 1."""

    code: str
    message: str
    line: int
    column: int
    end_line: int | None = None
    end_column: int | None = None


def lint(texts: Mapping[str, str], safe: Sequence[str]) -> Mapping[str, Sequence[Diagnostic]]:
    """Run ruff once over all files, and group what it finds by path, in the order of the source.

    :param safe: the files that Python itself can read. What Python cannot read may be nested so
        deeply that ruff crashes; then only these are looked at.
    """
    try:
        return _run(texts)
    except _Crashed:
        pass
    try:
        return _run({path: texts[path] for path in safe})
    except _Crashed:
        return {}


class _Crashed(Exception):
    """Ruff ended without a verdict."""


def _run(texts: Mapping[str, str]) -> Mapping[str, Sequence[Diagnostic]]:
    paths = list(texts)
    by_path: dict[str, list[Diagnostic]] = {}
    with tempfile.TemporaryDirectory(prefix="xinfer-") as folder:
        for number, path in enumerate(paths):
            # What is not UTF-8 is reported as such; ruff must only not stumble over it.
            Path(folder, f"{number}.py").write_bytes(texts[path].encode(errors="replace"))
        with Path(folder, "output").open("w+b") as output:
            _call_ruff(folder, output)
            output.seek(0)
            for line in islice(output, _MOST_DIAGNOSTICS):
                entry = json.loads(line)
                path = paths[int(Path(entry["filename"]).stem)]
                by_path.setdefault(path, []).append(_diagnostic(entry))
    for diagnostics in by_path.values():
        diagnostics.sort(key=lambda each: (each.line, each.column))
    return by_path


def _call_ruff(folder: str, output: IO[bytes]) -> None:
    environment = {key: value for key, value in os.environ.items() if key[:5] != "RUFF_"}
    try:
        subprocess.run(  # noqa: S603
            [find_ruff_bin(), *_COMMAND.split()],
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=True,
        )
    except subprocess.SubprocessError as error:
        raise _Crashed from error


def _diagnostic(entry: Mapping[str, Any]) -> Diagnostic:
    start, end = entry["location"], entry["end_location"]
    return Diagnostic(
        code=entry["code"],
        message=entry["message"],
        line=start["row"],
        column=start["column"],
        end_line=end["row"],
        end_column=end["column"],
    )
