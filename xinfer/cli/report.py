"""Print findings: for people, for programs, for a pull request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from linecache import getline
from unicodedata import combining, east_asian_width

import click

from xinfer.cli.options import FINDING_FORMATS, counted, relative, sentence
from xinfer.cli.sarif import sarif
from xinfer.cli.terminal import json_text, visible
from xinfer.rules import Finding, Report, Severity
from xinfer.spec.span import Span

_COLOURS = {Severity.REFUSED: "red", Severity.BROKEN: "yellow", Severity.ADVICE: "cyan"}


def show(report: Report, output: str = "text", *, show_suppressed: bool = False) -> None:
    """Print findings to standard output in one of :data:`FORMATS`.

    :param show_suppressed: whether to print those that are suppressed, too.
    """
    for line in FORMATS[output](report if show_suppressed else Report(report.findings)):
        click.echo(line)
    if output == "text":
        click.echo(summary(report))


def _text(report: Report) -> Iterable[str]:
    """Group findings by file; below each the line it is about, and how to fix it."""
    for file, group in groupby(report.everything, key=_file):
        yield click.style(visible(relative(file)), bold=True)
        for finding in group:
            yield from _lines(finding)


def _lines(finding: Finding) -> Iterable[str]:
    colour = "white" if finding.suppression else _COLOURS[finding.severity]
    title = f"{finding.severity} ({finding.where}) {finding.code}"
    yield f"  {click.style(title, fg=colour, bold=True)} {visible(finding.message)}"
    if finding.path:
        yield click.style(f"    {visible(finding.path)}", dim=True)
    if finding.span:
        yield from _excerpt(finding.span, colour, finding.line)
        for caller in finding.span.callers:
            yield click.style(
                f"    called from {visible(relative(caller.file))}:{caller.line}", dim=True
            )
            yield from _excerpt(caller, colour)
    if finding.suppression:
        yield click.style(f"    suppressed: {visible(finding.suppression.reason)}", fg="cyan")
    elif finding.fix:
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
    """Return blanks as wide as a character."""
    if character == "\t" or combining(character):
        return character if character == "\t" else ""
    return "  " if east_asian_width(character) in "WF" else " "


def summary(report: Report) -> str:
    """Count findings by severity, and those that are suppressed."""
    suppressed = f" {len(report.suppressed):,} suppressed." if report.suppressed else ""
    findings = report.findings
    if not findings:
        return f"No findings.{suppressed}"
    counts = {kind: sum(finding.severity is kind for finding in findings) for kind in Severity}
    listed = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    return f"{counted(len(findings), 'finding')}: {listed}.{suppressed}"


def _json(report: Report) -> Iterable[str]:
    data = [_data(finding) for finding in report.everything]
    yield json_text(data, indent=2)


def _data(finding: Finding) -> dict[str, object]:
    place = finding.span
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "where": finding.where.value,
        "message": finding.message,
        "fix": finding.fix,
        "path": finding.path,
        "file": relative(place.file) if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "end_line": place.end_line if place else None,
        "end_column": place.end_column if place else None,
        "called_from": [f"{relative(c.file)}:{c.line}" for c in place.callers] if place else [],
        "suppressed": finding.suppression.reason if finding.suppression else None,
    }


def _github(report: Report) -> Iterable[str]:
    """Write the commands that GitHub turns into notes on the lines of a pull request."""
    for finding in report.everything:
        level = "warning" if finding.severity is Severity.ADVICE else "error"
        text = f"{sentence(finding.message)} {finding.fix}".rstrip()
        if finding.suppression:
            level, text = "notice", f"{finding.message}; suppressed: {finding.suppression.reason}"
        where = {"title": f"{finding.severity} ({finding.where}) {finding.code}"}
        if finding.span:
            where |= {"file": relative(finding.span.file), "line": str(finding.span.line)}
            where |= _github_columns(finding.span)
        properties = ",".join(f"{key}={_escaped(value, ',:')}" for key, value in where.items())
        yield f"::{level} {properties}::{_escaped(text)}"


def _github_columns(span: Span) -> dict[str, str]:
    """Write the columns; GitHub takes them for notes on one line only."""
    if span.column is None:
        return {}
    last = {"endColumn": str(span.end_column)} if span.end_line == span.line else {}
    return {"col": str(span.column), **last}


def _escaped(text: str, also: str = "") -> str:
    return "".join(f"%{ord(c):02X}" if c in "%\r\n" + also else c for c in text)


def _file(finding: Finding) -> str:
    return finding.span.file if finding.span else ""


FORMATS: Mapping[str, Callable[[Report], Iterable[str]]] = dict(
    zip(FINDING_FORMATS, (_text, _json, _github, sarif), strict=True)
)
"""How findings can be written."""
