"""What a rule is: a function that looks at one declared object, and the page that explains it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from attrs import field, frozen

from xinfer.rules.finding import Finding, Form, Severity, Stage
from xinfer.schema import span_of
from xinfer.spec import Declaration, Project, Span

type Check[D: Declaration] = Callable[[D, Any], Iterator[Problem]]
type Example = str | Mapping[str, str | None]
"""Lines laid over a small valid plugin, as ``tests/rules/plugins.py`` does it.

A text is laid over the file that the rule's object comes from; a mapping names other files, and
removes those that it maps to ``None``. In a bad example «» stand around what the finding points
at.
"""


@frozen(kw_only=True)
class Subject:
    """The plugin that a rule's object belongs to.

    :param project: complete.
    :param files: what the plugin holds: sizes in bytes by path from its root; ``None`` if unknown.
    :param sources: the text of its code, documents and lists of dependencies, by path; ``None``
        if unknown.
    :param left_out: what is beside the plugin's files and not packed, by path, that of a folder
        with a slash behind; and what leaves it out, e.g. ``line 3 of .difyignore (*.log)``.
    :param form: what its author edits.
    """

    project: Project
    files: Mapping[str, int] | None = None
    sources: Mapping[str, str] | None = None
    left_out: Mapping[str, str] = {}
    form: Form = Form.SPEC

    def path(self, name: str) -> str:
        """Write a path of the plugin as the author has it, e.g. ``plugin/_assets/icon.svg``."""
        return f"{self.project.files}/{name}" if self.form is Form.SPEC else name

    def missing(self, name: str) -> str:
        """Say that a file is missing, and which one has a similar name."""
        folder = name.rpartition("/")[0]
        others = [path for path in self.files or () if path.rpartition("/")[0] == folder]
        near = get_close_matches(name, others, n=1)
        return f"there is no {self.path(name)}" + (
            f"; did you mean {self.path(near[0])}?" if near else ""
        )


@frozen
class Problem:
    """What the function of a rule yields.

    :param message: one line that names the thing and the cause.
    :param at: the field it is about, below the rule's object.
    :param of: the object whose span is shown, if not the rule's own.
    :param span: the span to show, if it is that of no object.
    :param related: other places that the message speaks of.
    :param fix: what to do, if that differs from the rule's ``fix``.
    """

    message: str
    at: str = field(default="", kw_only=True)
    of: Declaration | None = field(default=None, kw_only=True)
    span: Span | None = field(default=None, kw_only=True)
    related: tuple[Span, ...] = field(default=(), kw_only=True)
    fix: str = field(default="", kw_only=True)


@frozen
class Fix:
    """How to fix a mistake, in Python for the author of a spec and in YAML for others."""

    spec: str
    yaml: str


@frozen(kw_only=True)
class Rule:
    """A rule and its page.

    :param name: the function's, with hyphens.
    :param where: the stage at which the mistake shows.
    :param on: the classes of the objects that it looks at.
    :param summary: what is wrong, in one line.
    :param why: what comes of it.
    :param source: where Dify, its daemon or its SDK decides it.
    :param bad: plugins with exactly this finding; the first is shown on the page.
    :param good: the same, corrected.
    """

    code: str
    severity: Severity
    where: Stage
    name: str
    on: tuple[type[Declaration], ...]
    check: Check[Any]
    summary: str
    why: str
    source: str
    bad: tuple[Example, ...]
    good: tuple[Example, ...]
    fixes: Fix

    def fix(self, form: Form) -> str:
        """Say how to fix the mistake in the form that the author edits."""
        return self.fixes.yaml if form is Form.YAML else self.fixes.spec

    def findings(
        self, declared: Declaration, path: str, subject: Subject | None, form: Form
    ) -> Iterator[Finding]:
        """Yield what is wrong with an object.

        :param path: where in the project the object is, e.g. ``provider.help``.
        """
        for problem in self.check(declared, subject):
            at = f"{path}.{problem.at}" if problem.at else path
            yield self.finding(problem, declared, at, form)

    def finding(self, problem: Problem, declared: Declaration, path: str, form: Form) -> Finding:
        """Make a finding of a problem with an object."""
        return Finding(
            code=self.code,
            severity=self.severity,
            where=self.where,
            message=problem.message,
            fix=problem.fix or self.fix(form),
            path=path,
            span=problem.span or span_of(declared, problem.at, of=problem.of),
            related=problem.related,
        )


def rule[D: Declaration](
    code: str,
    severity: Severity,
    where: Stage,
    *,
    fix: str | Fix,
    source: str = "",
    bad: tuple[Example, ...] = (),
    good: tuple[Example, ...] = (),
) -> Callable[[Check[D]], Rule]:
    """Make a rule of a function.

    The function takes a declared object and the :class:`Subject` that it belongs to, and yields
    problems; the annotation of its first parameter says which objects. Its docstring says what is
    wrong in the first line, then what comes of it.
    """

    def wrap(check: Check[D]) -> Rule:
        annotation = next(iter(get_type_hints(check).values()))
        summary, _, why = inspect.cleandoc(check.__doc__ or "").partition("\n")
        return Rule(
            code=code,
            severity=severity,
            where=where,
            name=check.__name__.replace("_", "-"),
            on=get_args(annotation) if get_origin(annotation) is UnionType else (annotation,),
            check=check,
            summary=summary,
            why=" ".join(why.split()),
            source=source,
            bad=bad,
            good=good,
            fixes=fix if isinstance(fix, Fix) else Fix(spec=fix, yaml=fix),
        )

    return wrap
