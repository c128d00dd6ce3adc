"""Findings on their way out: for people, for programs, for a pull request."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from linecache import getline
from pathlib import Path
from unicodedata import combining, east_asian_width

import click

from xinfer.cli.options import FINDING_FORMATS, counted, visible
from xinfer.rules import RULES, Finding, Severity
from xinfer.spec.span import Span

_COLOURS = {Severity.REFUSED: "red", Severity.BROKEN: "yellow", Severity.ADVICE: "cyan"}


def show(findings: Sequence[Finding], output: str = "text") -> None:
    """Print findings to standard output in one of :data:`FORMATS`."""
    for line in FORMATS[output](findings):
        click.echo(line)


def _text(findings: Sequence[Finding]) -> Iterable[str]:
    """Group findings by file; below each the line it is about, and how to fix it."""
    for file, group in groupby(findings, key=_file):
        yield click.style(visible(_shown(file)), bold=True)
        for finding in group:
            yield from _lines(finding)
    yield summary(findings)


def _lines(finding: Finding) -> Iterable[str]:
    colour = _COLOURS[finding.severity]
    kind = click.style(f"{finding.severity} {finding.code}", fg=colour, bold=True)
    yield f"  {kind} {visible(finding.message)}"
    if finding.path:
        yield click.style(f"    {visible(finding.path)}", dim=True)
    if finding.span:
        yield from _excerpt(finding.span, colour, finding.line)
        for caller in finding.span.callers:
            yield click.style(
                f"    called from {visible(_shown(caller.file))}:{caller.line}", dim=True
            )
            yield from _excerpt(caller, colour)
    if finding.fix:
        yield click.style(f"    {visible(finding.fix)}", fg="green")


def _excerpt(span: Span, colour: str, line: str = "") -> Iterable[str]:
    """Show the first line of a span, its characters underlined.

    :param line: its text, if it is not in a file of its own.
    """
    source = line or getline(span.file, span.line).rstrip()
    if not source:
        return
    margin = len(source) - len(source.lstrip())
    yield click.style(f"    {span.line:>5} | {visible(source[margin:], keep='\t')}", dim=True)
    if span.column:
        start = span.column - 1
        end = span.end_column - 1 if span.end_column and span.end_line == span.line else None
        before = "".join(map(_blank, source[margin:start]))
        carets = "^" * max(len("".join(map(_blank, source[start:end]))), 1)
        yield click.style(f"          | {before}{carets}", fg=colour)


def _blank(character: str) -> str:
    """Return what is as wide as a character, and shows nothing."""
    if character == "\t" or combining(character):
        return character if character == "\t" else ""
    return "  " if east_asian_width(character) in "WF" else " "


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
        "end_line": place.end_line if place else None,
        "end_column": place.end_column if place else None,
        "called_from": [f"{_shown(c.file)}:{c.line}" for c in place.callers] if place else [],
    }


def _github(findings: Sequence[Finding]) -> Iterable[str]:
    """Write the commands that GitHub turns into notes on the lines of a pull request."""
    for finding in findings:
        level = "warning" if finding.severity is Severity.ADVICE else "error"
        where = {"title": f"{finding.code} {finding.path}"}
        if finding.span:
            where |= {"file": _shown(finding.span.file), "line": str(finding.span.line)}
            where |= _github_columns(finding.span)
        said = " ".join(filter(None, (finding.message, finding.fix)))
        properties = ",".join(f"{key}={_escaped(value, ',:')}" for key, value in where.items())
        yield f"::{level} {properties}::{_escaped(said)}"


def _github_columns(span: Span) -> dict[str, str]:
    """Write the columns; GitHub takes them for notes on one line only."""
    if span.column is None:
        return {}
    last = {"endColumn": str(span.end_column)} if span.end_line == span.line else {}
    return {"col": str(span.column), **last}


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
        "runs": [
            {"tool": {"driver": driver}, "results": results, "columnKind": "unicodeCodePoints"}
        ],
    }
    yield json.dumps(log, indent=2, ensure_ascii=False)


def _result(finding: Finding, index: int) -> dict[str, object]:
    result: dict[str, object] = {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": "note" if finding.severity is Severity.ADVICE else "error",
        "message": {"text": f"{finding.message}. {finding.fix}"},
    }
    if span := finding.span:
        result["locations"] = [_location(span)]
        if span.callers:
            result["relatedLocations"] = [
                _location(caller) | {"message": {"text": "called from here"}}
                for caller in span.callers
            ]
    return result


def _location(span: Span) -> dict[str, object]:
    region = {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }
    located = {
        "artifactLocation": {"uri": Path(_shown(span.file)).as_posix()},
        "region": {key: value for key, value in region.items() if value is not None},
    }
    return {"physicalLocation": located}


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
