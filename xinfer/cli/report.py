"""Findings on their way out: for people, for programs, for a pull request."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from linecache import getline
from pathlib import Path

import click

from xinfer.cli.options import FINDING_FORMATS, counted
from xinfer.rules import RULES, Finding, Severity

_COLOURS = {Severity.REFUSED: "red", Severity.BROKEN: "yellow", Severity.ADVICE: "cyan"}


def show(findings: Sequence[Finding], output: str = "text") -> None:
    """Print findings to standard output in one of :data:`FORMATS`."""
    for line in FORMATS[output](findings):
        click.echo(line)


def _text(findings: Sequence[Finding]) -> Iterable[str]:
    """Group findings by file; below each the line it is about, and how to mend it."""
    for file, group in groupby(findings, key=_file):
        yield click.style(_shown(file), bold=True)
        for finding in group:
            yield from _lines(finding)
    yield summary(findings)


def _lines(finding: Finding) -> Iterable[str]:
    place = finding.span
    kind = click.style(
        f"{finding.severity} {finding.code}", fg=_COLOURS[finding.severity], bold=True
    )
    yield f"  {kind} {finding.message}"
    if finding.path:
        yield click.style(f"    {finding.path}", dim=True)
    if place and (source := getline(place.file, place.line).rstrip()):
        stripped = source.lstrip()
        yield click.style(f"    {place.line:>5} | {stripped}", dim=True)
        if place.column:
            indent = place.column - 1 - (len(source) - len(stripped))
            yield click.style(f"          | {' ' * max(indent, 0)}^", fg=_COLOURS[finding.severity])
    if finding.fix:
        yield click.style(f"    {finding.fix}", fg="green")


def summary(findings: Sequence[Finding]) -> str:
    """Count findings by kind."""
    if not findings:
        return "No findings."
    counts = {kind: sum(finding.severity is kind for finding in findings) for kind in Severity}
    listed = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    return f"{counted(len(findings), 'finding')}: {listed}."


def _json(findings: Sequence[Finding]) -> Iterable[str]:
    yield json.dumps([_data(finding) for finding in findings], indent=2, ensure_ascii=False)


def _data(finding: Finding) -> dict[str, object]:
    place = finding.span
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "where": finding.where.value,
        "message": finding.message,
        "fix": finding.fix,
        "path": finding.path,
        "file": _shown(place.file) if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
    }


def _github(findings: Sequence[Finding]) -> Iterable[str]:
    """Write the commands that GitHub turns into notes on the lines of a pull request."""
    for finding in findings:
        level = "warning" if finding.severity is Severity.ADVICE else "error"
        where = {"title": f"{finding.code} {finding.path}"}
        if finding.span:
            where |= {"file": _shown(finding.span.file), "line": str(finding.span.line)}
            where |= {"col": str(finding.span.column)} if finding.span.column else {}
        said = " ".join(filter(None, (finding.message, finding.fix)))
        properties = ",".join(f"{key}={_escaped(value, ',:')}" for key, value in where.items())
        yield f"::{level} {properties}::{_escaped(said)}"


def _sarif(findings: Sequence[Finding]) -> Iterable[str]:
    """Write what code scanning reads: version 2.1.0 of the format."""
    codes = sorted({finding.code for finding in findings})
    driver = {
        "name": "xinfer",
        "informationUri": "https://github.com/xinfer/xinfer",
        "rules": [
            {
                "id": code,
                "name": RULES[code].name,
                "shortDescription": {"text": RULES[code].summary},
                "help": {"text": RULES[code].fixes.spec},
            }
            for code in codes
        ],
    }
    results = [_result(finding, codes.index(finding.code)) for finding in findings]
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }
    yield json.dumps(log, indent=2, ensure_ascii=False)


def _result(finding: Finding, index: int) -> dict[str, object]:
    result: dict[str, object] = {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": "note" if finding.severity is Severity.ADVICE else "error",
        "message": {"text": f"{finding.message}. {finding.fix}"},
    }
    place = finding.span
    if place:
        region = {
            "startLine": place.line,
            **({"startColumn": place.column} if place.column else {}),
        }
        artifact = {"uri": Path(_shown(place.file)).as_posix()}
        located = {"artifactLocation": artifact, "region": region}
        result["locations"] = [{"physicalLocation": located}]
    return result


def _escaped(text: str, also: str = "") -> str:
    return "".join(f"%{ord(c):02X}" if c in "%\r\n" + also else c for c in text)


def _file(finding: Finding) -> str:
    return finding.span.file if finding.span else ""


def _shown(file: str) -> str:
    here = Path.cwd()
    path = Path(file)
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else file


FORMATS: Mapping[str, Callable[[Sequence[Finding]], Iterable[str]]] = dict(
    zip(FINDING_FORMATS, (_text, _json, _github, _sarif), strict=True)
)
"""How findings can be written."""
