"""What a rule is: a function that looks at one declared object, and the page that explains it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import attrs
from attrs import field, frozen

from xinfer.plugin.plugin import MANIFEST, Form, NotRead, Plugin
from xinfer.rules.finding import Finding, Severity, Stage
from xinfer.rules.topics import topic_of
from xinfer.schema import span_of
from xinfer.spec.declaration import Declaration
from xinfer.spec.span import Span

type Check[D] = Callable[[D, Any], Iterator[Problem]]


class Link(str):
    """A file of an example that is a symbolic link to this path."""

    __slots__ = ()


type Example = str | Mapping[str, str | Link | int | tuple[str, ...] | None]
"""Lines laid over a small valid plugin, as ``tests/rules/plugins.py`` does it.

A text is laid over the file that the rule's object comes from. A mapping names other files: a
number stands for a file of so many bytes, several texts for as many entries of a package, and
``None`` removes the file. ``before:`` in front of a name stands for the file of the version that
users have, ``published:`` for a list of what the marketplace has. In a bad example «» stand around
what the finding points at.
"""


_PAGES = "https://xinfer.github.io/xinfer/rules/"


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
    fix: str | Fix = field(default="", kw_only=True)


@frozen
class Fix:
    """How to fix a mistake, in Python for the author of a spec and in YAML for others."""

    spec: str
    yaml: str

    def of(self, form: Form) -> str:
        """Return it for the author of one form."""
        return self.yaml if form is Form.YAML else self.spec


def fix_in_files(text: str) -> Fix:
    """Make a fix that names a file of the plugin: ``{}`` stands for the folder where it is."""
    return Fix(spec=text.format("plugin/"), yaml=text.format(""))


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
    on: tuple[type[Any], ...]
    check: Check[Any]
    summary: str
    why: str
    source: str
    bad: tuple[Example, ...]
    good: tuple[Example, ...]
    fixes: Fix

    @property
    def url(self) -> str:
        """Its address in the documentation."""
        return f"{_PAGES}{self.page}"

    @property
    def page(self) -> str:
        """Where it is below the pages of all rules: the topic's page, and the place in it."""
        return f"{topic_of(self.code).name}/#{self.code}-{self.name}".lower()

    def fix(self, form: Form) -> str:
        """Return how to fix the mistake in the form that the author edits."""
        return self.fixes.of(form)

    def findings(
        self, declared: Declaration | Plugin, path: str, plugin: Plugin | None, form: Form
    ) -> Iterator[Finding]:
        """Yield what is wrong with an object.

        What follows from a value that cannot be read is left out: the value has a finding.

        :param path: where in the project the object is, e.g. ``provider.help``; empty for the
            plugin as a whole.
        """
        for problem in self.check(_guarded(declared) if plugin else declared, plugin):
            owner = problem.of or declared
            if isinstance(owner, Plugin) or not _is_doubtful(owner, problem.at):
                yield self._finding(problem, declared, path, plugin, form)

    def _finding(
        self,
        problem: Problem,
        declared: Declaration | Plugin,
        path: str,
        plugin: Plugin | None,
        form: Form,
    ) -> Finding:
        span = problem.span
        if span is None and isinstance(declared, Declaration):
            span = span_of(declared, problem.at, of=problem.of)
        elif span is None and problem.of is not None:
            span = span_of(problem.of, problem.at)
        if span is None:
            span = _of_the_whole(plugin, form)
        fix = problem.fix or self.fixes
        return Finding(
            code=self.code,
            severity=self.severity,
            where=self.where,
            message=problem.message,
            fix=fix.of(form) if isinstance(fix, Fix) else fix,
            path=".".join(filter(None, (path, problem.at))),
            span=span,
            related=problem.related,
        )


def _of_the_whole(plugin: Plugin | None, form: Form) -> Span | None:
    """Return the place of what is about the plugin as a whole: its manifest."""
    if form is Form.YAML:
        return Span(MANIFEST, 1, 1)
    return plugin.manifest.span if plugin and plugin.manifest else None


def _guarded(declared: Declaration | Plugin) -> Any:
    """Let a rule meet :class:`NotRead` where it looks at a field whose value does not fit."""
    if isinstance(declared, Declaration) and (unread := _unread(declared)):
        return _Guard(declared, unread)
    return declared


class _Guard:
    """A declared object some of whose values cannot be read; of its class, for isinstance."""

    def __init__(self, declared: Declaration, unread: frozenset[str]) -> None:
        self._declared, self._unread = declared, unread

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self._declared)

    def __getattr__(self, name: str) -> Any:
        if name in self._unread:
            raise NotRead(name)
        return getattr(self._declared, name)


def is_absent(declared: Declaration, name: str) -> bool:
    """Return whether a field has no value, and none that could not be read either."""
    return getattr(declared, name) is None and declared.extra_keys.get(name) is None


def _unread(declared: Declaration) -> frozenset[str]:
    """Name the fields whose values do not fit, which reading keeps in ``extra_keys``."""
    kind: Any = type(declared)
    return frozenset(k for k, value in declared.extra_keys.items() if value is not None) & _fields(
        kind
    )


def _is_doubtful(declared: Declaration, at: str) -> bool:
    """Return whether what a rule finds missing at a field may be there, and could not be read."""
    value: Any = declared
    for name in at.replace("[", ".").replace("]", "").split("."):
        if isinstance(value, Declaration):
            unread = _unread(value)
            there = value.explicit | value.extra_keys.keys()
            if unread and (name in unread or name not in there):
                return True
            value = getattr(value, name, None)
        elif isinstance(value, tuple) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            return False
    return False


@cache
def _fields(kind: Any) -> frozenset[str]:
    return frozenset(field.name for field in attrs.fields(kind))


def rule[D](
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

    The function takes a declared object and the :class:`Plugin` that it belongs to, and yields
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
