"""Suppressions of today's findings, written as comments, so that a check reports new ones."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from os.path import relpath
from pathlib import Path

from xinfer.importer.python import comment_line
from xinfer.plugin.comments import comments_of
from xinfer.plugin.plugin import MANIFEST, Form, Plugin
from xinfer.plugin.writer import write_file
from xinfer.rules import NOT_FOR_A_BASELINE, Finding
from xinfer.spec import Ignore
from xinfer.spec.span import Span

_HEADER = re.compile(r"#!|#.*coding[:=]")
"""Comments of Python that must stay at the top."""

_LINE = re.compile(r"[^\n]*\n|[^\n]+")

type _Place = tuple[str, int]
"""A file, as the author has it, and a line."""


def write_baseline(plugin: Plugin, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Write a comment above each line with findings; return the findings that cannot have one.

    Each comment names the codes, and gives the messages as the reason. A secret is left: nobody
    has decided yet that it may be published.
    """
    left: list[Finding] = []
    by_place: dict[_Place, list[Finding]] = {}
    for finding in findings:
        place = _place(plugin, finding)
        if place is None or finding.code in NOT_FOR_A_BASELINE:
            left.append(finding)
        else:
            by_place.setdefault(place, []).append(finding)
    by_file: dict[str, dict[int, list[Finding]]] = {}
    for (file, line), of_line in by_place.items():
        by_file.setdefault(file, {})[line] = of_line
    for file, by_line in by_file.items():
        left += _write(Path(file), by_line)
    return tuple(left)


def entries(findings: Iterable[Finding], folder: Path) -> tuple[Ignore, ...]:
    """Make entries for a project's ``ignore`` of findings that cannot have a comment.

    :param folder: where the spec is.
    """
    reasons: dict[tuple[str, str], list[str]] = {}
    for finding in findings:
        if finding.span is not None and finding.code not in NOT_FOR_A_BASELINE:
            file = Path(relpath(finding.span.file, folder)).as_posix()
            reasons.setdefault((file, finding.code), []).append(finding.message)
    return tuple(Ignore(*what, reason="; ".join(why)) for what, why in reasons.items())


def _place(plugin: Plugin, finding: Finding) -> _Place | None:
    """Return the line that a comment must stand above."""
    if finding.span is None or not _is_edited(plugin, finding.span.file):
        return None
    if comments_of(finding.span.file, _content(finding.span.file)) is not None:
        return finding.span.file, finding.span.line
    manifest = plugin.place(Span(MANIFEST, 1)).file
    if plugin.form is Form.SPEC or comments_of(manifest, _content(manifest)) is None:
        return None
    return manifest, 1


def _is_edited(plugin: Plugin, file: str) -> bool:
    """Return whether the author edits a file; a library that the spec uses is not edited."""
    sources = {plugin.files.source(path) for path in plugin.files}
    return Path(file) in sources.union(plugin.modules)


def _content(file: str) -> bytes:
    path = Path(file)
    return path.read_bytes() if path.is_file() else b""


def _write(file: Path, by_line: Mapping[int, Sequence[Finding]]) -> list[Finding]:
    """Write the comments into one file; return what no comment can stand above."""
    raw = file.read_bytes()
    mark = BOM_UTF8 if raw.startswith(BOM_UTF8) else b""
    try:
        lines = _LINE.findall(raw.removeprefix(mark).decode())
    except UnicodeDecodeError:
        return [finding for of_line in by_line.values() for finding in of_line]
    header = len(list(takewhile(_HEADER.match, lines[:2]))) if file.suffix == ".py" else 0
    pending: dict[int, list[Finding]] = {}
    for line, of_line in by_line.items():
        pending.setdefault(max(line, header + 1), []).extend(of_line)
    left: list[Finding] = []
    while pending:
        text, at = _with_comments(lines, pending)
        content = mark + text.encode()
        alone = {c.line for c in comments_of(file.name, content) or () if c.alone}
        wrong = next((n for n in pending if at[n] not in alone or _continues(lines, n)), None)
        if wrong is None:
            write_file(file, content)
            break
        left += pending.pop(wrong)  # it begins inside a text or a statement
    return left


def _continues(lines: Sequence[str], number: int) -> bool:
    """Return whether a line goes on with the one before it, past a backslash."""
    return number > 1 and lines[number - 2].rstrip().endswith("\\")


def _with_comments(
    lines: Sequence[str], pending: Mapping[int, Sequence[Finding]]
) -> tuple[str, dict[int, int]]:
    """Insert the comments; return also the number of each comment's line."""
    written: list[str] = []
    at: dict[int, int] = {}
    for number, line in enumerate((*lines, ""), 1):
        if number in pending:
            indent = line[: len(line) - len(line.lstrip(" \t"))]
            end = "\r\n" if line.endswith("\r\n") else "\n"
            written.append(f"{indent}{_comment(pending[number])}{end}")
            at[number] = len(written)
        written.append(line)
    return "".join(written), {line: at.get(line, 0) for line in pending}


def _comment(findings: Sequence[Finding]) -> str:
    codes = ", ".join(dict.fromkeys(finding.code for finding in findings))
    reason = "; ".join(dict.fromkeys(finding.message for finding in findings))
    return comment_line(f"xinfer: ignore[{codes}] {reason}")
