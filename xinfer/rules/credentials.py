"""Rules of the credentials class of a spec: what reads its fields, and what its types promise."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import suppress
from linecache import getlines

import attrs

from xinfer.plugin.plugin import Plugin
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.rule import Problem, rule
from xinfer.spec import Project, base_url
from xinfer.spec.credentials import fields
from xinfer.spec.span import Span
from xinfer.spec.targets import Target

_CLASS = (
    "class AcmeCredentials(Credentials):\n"
    '    api_key: Secret = secret_input(label=I18n("Key", zh_Hans="Key"), sets=api_key)\n'
)


def _class(*lines: str) -> dict[str, str]:
    return {"provider_spec.py": _CLASS + "".join(f"    {line}\n" for line in lines)}


_LABEL = 'label=I18n("L", zh_Hans="L")'


@rule(
    "XI325",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="xinfer runtime/openai/connection.py: the base URL of a request",
    bad=({"provider_spec.py": "runtime = «OpenAICompatible()»\n"},),
    good=(
        {"provider_spec.py": 'runtime = OpenAICompatible(base_url="https://acme.example/v1")\n'},
        {
            "provider_spec.py": f"{_CLASS}    url: str = text_input({_LABEL}, sets=base_url)\n\n"
            "runtime = OpenAICompatible()\n"
        },
    ),
    fix="Declare a credentials field with sets=base_url, or give the runtime a base_url.",
)
def base_url_missing(project: Project, _: Plugin) -> Iterator[Problem]:
    """Neither the runtime nor a credentials field says where the server is.

    Every call of a model fails.
    """
    if project.runtime is None or project.runtime.base_url:
        return
    if base_url not in _targets(project):
        yield Problem("nothing sets the base URL of the server", at="runtime", of=project.runtime)


@rule(
    "XI332",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="xinfer.spec.Credentials.from_form",
    bad=(_class(f"token: Secret = «secret_input({_LABEL}, default=None)»"),),
    good=(_class(f"token: Secret | None = secret_input({_LABEL}, default=None)"),),
    fix="Annotate it with | None.",
)
def none_not_annotated(project: Project, _: Plugin) -> Iterator[Problem]:
    """A field has the default None, and its annotation does not admit it.

    Code that trusts the annotation fails when users leave the field empty.
    """
    for field in fields(project.credentials):
        if field.default is None and not field.optional:
            message = f"{field.name} is None by default, and its annotation does not say so"
            yield Problem(message, at="credentials", of=field.form)


@rule(
    "XI333",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="graphon model_runtime/schema_validators/common_validator.py: the default returns",
    bad=(_class(f"limit: int | None = «text_input({_LABEL}, default=60)»"),),
    good=(
        _class(f"limit: int = text_input({_LABEL}, default=60)"),
        _class(f"limit: int | None = text_input({_LABEL}, default=None)"),
    ),
    fix="Remove | None, or write default=None and use the value in the code.",
)
def default_never_emptied(project: Project, _: Plugin) -> Iterator[Problem]:
    """A field may be None and has another default, so None never arrives.

    Dify's server puts the default back when users empty the field.
    """
    for field in fields(project.credentials):
        if field.optional and field.default not in (None, attrs.NOTHING):
            message = f"{field.name} is never None: its default returns when it is emptied"
            yield Problem(message, at="credentials", of=field.form)


@rule(
    "XI334",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="Python: the second assignment of a class body replaces the first",
    bad=(
        _class(
            f'region: str = text_input({_LABEL}, default="a")',
            f'«region»: str = text_input({_LABEL}, default="b")',
        ),
    ),
    good=(_class(f'region: str = text_input({_LABEL}, default="a")'),),
    fix="Rename one of them, or remove it.",
)
def field_declared_twice(project: Project, _: Plugin) -> Iterator[Problem]:
    """A credentials class declares a field twice; Python keeps the second alone."""
    if project.credentials is None:
        return
    for declared in project.credentials.__mro__:
        spans = [
            f.form.span
            for f in fields(project.credentials)
            if f.name in vars(declared).get("__annotations__", {})
        ]
        file = next((span.file for span in spans if span), None)
        if file is None:
            continue
        for first, second in _declared_twice(file, declared.__name__):
            message = f"{second.id} is declared a second time"
            yield Problem(message, span=_name(file, second), related=(_name(file, first),))


def _declared_twice(file: str, class_name: str) -> Iterator[tuple[ast.Name, ast.Name]]:
    """Yield the targets of a class's fields that occur twice, first and second."""
    with suppress(SyntaxError, ValueError):
        for node in ast.walk(ast.parse("".join(getlines(file)))):
            if isinstance(node, ast.ClassDef) and node.name == class_name:
                first: dict[str, ast.Name] = {}
                for statement in node.body:
                    target = statement.target if isinstance(statement, ast.AnnAssign) else None
                    if isinstance(target, ast.Name):
                        if target.id in first:
                            yield first[target.id], target
                        first.setdefault(target.id, target)


def _name(file: str, node: ast.Name) -> Span:
    # An identifier's indentation is blanks: its offset in bytes is the one in characters.
    column = node.col_offset + 1
    return Span(file, node.lineno, column, node.lineno, column + len(node.id))


def _targets(project: Project) -> set[Target]:
    return {
        sets if isinstance(sets, Target) else sets.target
        for field in fields(project.credentials)
        for sets in field.sets
    }


RULES = (
    base_url_missing,
    none_not_annotated,
    default_never_emptied,
    field_declared_twice,
)
