"""Findings that the author leaves out: comments, entries of ``ignore``, and rules of both.

``# xinfer: ignore[XI644] reason`` is about its own line, or about the next one if it stands alone.
At the top of a file it is also about the file as a whole. In a folder or a package the top of the
manifest is about files that hold no comments, such as a README.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cached_property
from itertools import count, takewhile
from pathlib import Path

import attrs
from attrs import field, frozen

from xinfer.plugin.comments import Comment, comments_of
from xinfer.plugin.plugin import MANIFEST, Form, Plugin
from xinfer.plugin.texts import is_own
from xinfer.rules.finding import Finding, Severity, Stage, Suppression
from xinfer.rules.rule import Fix, Problem, Rule, rule
from xinfer.rules.selection import nearest
from xinfer.schema import span_of, steps_of
from xinfer.spec import Ignore
from xinfer.spec.declaration import Declaration, set_span
from xinfer.spec.project import model_file
from xinfer.spec.span import Span

_MARK = b"xinfer:"
_COMMENT = re.compile(
    r"(?:^|(?<=\s))#+\s*xinfer:\s*ignore(?![\w-])(?:\s*\[(?P<codes>[^\]]*)\])?(?P<reason>.*)"
)
_ANOTHER_TOOL = re.compile(r"\s#.*")
_AROUND_REASON = " \t:-–—"
_CODE = re.compile(r"[^\s,]+")

type _Place = tuple[str, int]
"""A file, as its author has it, and a line."""


@frozen(kw_only=True, eq=False)
class Directive(Declaration):
    """A comment or an entry of ``ignore``.

    :param codes: of rules, with the place of each.
    :param unknown: what is wrong with those that are of no rule.
    :param places: the lines that a comment is about.
    :param files: the pattern of an entry.
    :ivar settled: the codes that suppress something, or whose rules did not run.
    """

    codes: Mapping[str, Span | None]
    unknown: tuple[Problem, ...]
    reason: str
    places: frozenset[_Place] = frozenset()
    files: str | None = None
    settled: set[str] = field(factory=set, init=False)


def directives(plugin: Plugin, rules: Mapping[str, Rule]) -> tuple[Directive, ...]:
    """Read the comments in all files that the author edits, and the entries of the project."""
    ignore = plugin.declared.ignore if plugin.declared else ()
    entries = (_of_entry(entry, rules) for entry in ignore)
    return (*entries, *(d for file in _files(plugin) for d in _of_file(*file, plugin, rules)))


def suppress(
    findings: Iterable[Finding], written: Iterable[Directive], plugin: Plugin
) -> Iterator[Finding]:
    """Mark the findings that a directive is about, and settle its codes."""
    lookup = _Directives(tuple(written), plugin)
    for finding in findings:
        about = list(lookup.about(finding))
        for directive in about:
            directive.settled.add(finding.code)
        reason = Suppression(about[0].reason, about[0].span) if about else None
        yield attrs.evolve(finding, suppression=reason)


@frozen
class _Directives:
    """All directives of a plugin, by what they are about."""

    written: tuple[Directive, ...]
    plugin: Plugin

    def about(self, finding: Finding) -> Iterator[Directive]:
        """Yield the directives that suppress a finding."""
        if finding.span is not None:
            for span in (finding.span, *finding.span.callers):
                yield from self._comments.get((span.file, span.line, finding.code), ())
            at_top = self._comments.get((*self._top, finding.code), ())
            if at_top and self._holds_no_comments(finding.span.file):
                yield from at_top
        for entry in self._entries:
            if finding.code in entry.codes and entry.files is not None:
                pattern = entry.files.removeprefix("./")
                if any(fnmatchcase(name, pattern) for name in self._names(finding)):
                    yield entry

    @cached_property
    def _comments(self) -> Mapping[tuple[str, int, str], list[Directive]]:
        by_place: dict[tuple[str, int, str], list[Directive]] = {}
        for directive in self.written:
            for place in directive.places:
                for code in directive.codes:
                    by_place.setdefault((*place, code), []).append(directive)
        return by_place

    @cached_property
    def _entries(self) -> tuple[Directive, ...]:
        return tuple(directive for directive in self.written if directive.files is not None)

    @cached_property
    def _top(self) -> _Place:
        return self.plugin.place(Span(MANIFEST, 1)).file, 1

    @cached_property
    def _packed(self) -> Mapping[str, str]:
        """The path in the plugin of each file, by where the author has it."""
        return {self.plugin.place(Span(path, 1)).file: path for path in self.plugin.files}

    def _holds_no_comments(self, file: str) -> bool:
        path = self._packed.get(file)
        return path is None or comments_of(path, self.plugin.files[path]) is None

    def _names(self, finding: Finding) -> Iterator[str]:
        """Name the file of a finding: from the folder of the spec, and as the plugin has it."""
        if finding.span is not None:
            folder = self.plugin.files.where.absolute().parent
            yield Path(os.path.relpath(finding.span.file, folder)).as_posix()
            yield self._packed.get(finding.span.file, finding.span.file)
        if path := _emitted(finding.path, self.plugin):
            yield path


def _emitted(path: str, plugin: Plugin) -> str | None:
    """Return the file that a build makes of a declared value."""
    match steps_of(path):
        case ("manifest", *_):
            return MANIFEST
        case ("provider", *_):
            return plugin.provider_file
        case ("models", int() as index, *_) if index < len(plugin.models):
            return model_file(plugin.models[index])
        case _:
            return None


def _files(plugin: Plugin) -> Iterator[tuple[str, bytes]]:
    """Yield the files that the author edits and that speak of xinfer."""
    modules = {str(module) for module in plugin.modules}
    for module in plugin.modules:
        yield str(module), module.read_bytes()
    for path in plugin.files:
        source = plugin.files.source(path)
        edited = plugin.form is Form.YAML or (source is not None and str(source) not in modules)
        if edited and is_own(path):
            yield path, plugin.files[path]


def _of_file(
    file: str, content: bytes, plugin: Plugin, rules: Mapping[str, Rule]
) -> Iterator[Directive]:
    if _MARK not in content:
        return
    comments = comments_of(file, content) or ()
    alone = {comment.line for comment in comments if comment.alone}
    top = len(list(takewhile(alone.__contains__, count(1))))
    place = plugin.place(Span(file, 1)).file
    for comment in comments:
        if match := _COMMENT.search(comment.text):
            lines = {comment.line}
            if comment.alone:
                lines.add(next(line for line in count(comment.line) if line not in alone))
            if comment.line <= top:
                lines.add(1)
            places = frozenset((place, line) for line in lines)
            yield _of_comment(comment, match, file, places, rules)


def _of_comment(
    comment: Comment,
    match: re.Match[str],
    file: str,
    places: frozenset[_Place],
    rules: Mapping[str, Rule],
) -> Directive:
    def span(start: int, end: int) -> Span:
        column = comment.column
        return Span(file, comment.line, column + start, comment.line, column + end)

    begin = match.start("codes")
    words = _CODE.finditer(match["codes"] or "")
    codes = {word[0]: span(begin + word.start(), begin + word.end()) for word in words}
    reason = _ANOTHER_TOOL.sub("", match["reason"]).strip(_AROUND_REASON)
    end = match.start("reason") + len(match["reason"].rstrip())
    return _directive(codes, reason, rules, span(match.start(), end), places=places)


def _of_entry(entry: Ignore, rules: Mapping[str, Rule]) -> Directive:
    codes = {entry.code: span_of(entry, "code")}
    return _directive(codes, entry.reason.strip(), rules, entry.span, files=entry.files)


def _directive(
    codes: Mapping[str, Span | None],
    reason: str,
    rules: Mapping[str, Rule],
    span: Span | None,
    *,
    places: frozenset[_Place] = frozenset(),
    files: str | None = None,
) -> Directive:
    directive = Directive(
        codes={code.upper(): codes[code] for code in codes if code.upper() in rules},
        unknown=tuple(
            Problem(f"{code} is not the code of a rule{_hint(code, rules)}", span=codes[code])
            for code in codes
            if code.upper() not in rules
        ),
        reason=reason,
        places=places,
        files=files,
    )
    set_span(directive, span)
    return directive


def _hint(code: str, rules: Mapping[str, Rule]) -> str:
    """Guess which code was meant; a rule's name may stand there in its place."""
    by_name = next((rule.code for rule in rules.values() if rule.name == code.lower()), None)
    near = by_name or nearest(code, rules)
    return f"; did you mean {near}?" if near else ""


@rule(
    "XI901",
    Severity.ADVICE,
    Stage.CHECK,
    source="xinfer.rules.suppression",
    bad=(
        {"manifest.yaml": "version: 0.1.0  # xinfer: ignore[«XI101»] a version of our own\n"},
        {"models/llm/llm.py": "LIMIT = 1  # xinfer: ignore[«XI644»] a class of our own\n"},
        {"provider_spec.py": 'ignore = (Ignore("*.md", «"XI512"», reason="written later"),)\n'},
    ),
    good=({"manifest.yaml": "version: v1  # xinfer: ignore[XI101] a version of our own\n"},),
    fix="Remove the code, or all of it if no other code is left.",
)
def unused_suppression(directive: Directive, _: Plugin) -> Iterator[Problem]:
    """A comment or an entry of `ignore` suppresses nothing.

    The mistake is corrected, or it is elsewhere. What stays would hide the next one.
    """
    for code, span in directive.codes.items():
        if code not in directive.settled:
            about = f" in {directive.files}" if directive.files is not None else " here"
            yield Problem(f"there is no finding of {code}{about}", span=span)


@rule(
    "XI902",
    Severity.ADVICE,
    Stage.CHECK,
    source="xinfer.rules.suppression",
    bad=(
        {"manifest.yaml": "version: 0.1.0  «# xinfer: ignore»\n"},
        {"manifest.yaml": "version: v1  «# xinfer: ignore[XI101]»\n"},
        {
            "provider_spec.py": 'ignore = («Ignore("README.md", "XI512", reason="")»,)\n',
            "plugin/README.md": "# Acme\n",
        },
    ),
    good=({"manifest.yaml": "version: v1  # xinfer: ignore[XI101] a version of our own\n"},),
    fix=Fix(
        spec="Write # xinfer: ignore[CODE] reason, or Ignore(files, code, reason=…).",
        yaml="Write # xinfer: ignore[CODE] reason.",
    ),
)
def incomplete_suppression(directive: Directive, _: Plugin) -> Iterator[Problem]:
    """A suppression names no code, or gives no reason.

    Without a code it suppresses nothing: it would hide findings that nobody has seen. Without a
    reason the next reader cannot tell whether it still holds.
    """
    if not directive.codes and not directive.unknown:
        yield Problem("the suppression names no code")
    elif not directive.reason:
        yield Problem("the suppression gives no reason")


@rule(
    "XI903",
    Severity.ADVICE,
    Stage.CHECK,
    source="xinfer.rules.suppression",
    bad=(
        {"manifest.yaml": "version: 0.1.0  # xinfer: ignore[«XI1O1»] a version of our own\n"},
        {"manifest.yaml": "version: 0.1.0  # xinfer: ignore[«icon-missing»] drawn later\n"},
        {"provider_spec.py": 'ignore = (Ignore("*.md", «"XI999"», reason="written later"),)\n'},
    ),
    good=({"manifest.yaml": "version: v1  # xinfer: ignore[XI101] a version of our own\n"},),
    fix="Correct the code; xinfer explain lists all.",
)
def unknown_suppression(directive: Directive, _: Plugin) -> Iterator[Problem]:
    """A suppression names a code that no rule has, and suppresses nothing by it."""
    yield from directive.unknown


RULES = (
    unused_suppression,
    incomplete_suppression,
    unknown_suppression,
)
