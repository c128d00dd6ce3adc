"""A credential form as the class that makes it."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from xinfer.importer.comments import CommentFinder
from xinfer.importer.expressions import Expressions
from xinfer.importer.names import Names, attribute
from xinfer.spec import Credentials, FormField, FormType

_SPECIFIERS = {
    **{kind: kind.value.replace("-", "_") for kind in FormType},
    FormType.SWITCH: "native_switch",
}
_RESERVED = frozenset({*dir(Credentials), *_SPECIFIERS.values(), "str", "int", "float", "bool"})
"""What the body of the class uses, or has already."""


def credentials_class(
    name: str,
    about: str,
    form: Iterable[FormField],
    expressions: Expressions,
    comments: CommentFinder,
) -> ast.ClassDef:
    """Make the class whose form is ``form``, key for key.

    :param about: the docstring: our own words, never a plugin's.
    """
    expressions.names.add("Credentials")
    body: list[ast.stmt] = [ast.Expr(ast.Constant(about))]
    names = Names(_RESERVED)
    for field in form:
        name_of_field = names.free(attribute(field.variable))
        statement = ast.AnnAssign(
            ast.Name(name_of_field),
            _annotation(field, expressions),
            _call(field, name_of_field, expressions),
            simple=1,
        )
        if lines := tuple(comments.inside(field)):
            expressions.comments[statement] = lines
        body.append(statement)
    return ast.ClassDef(name, [ast.Name("Credentials")], [], body, [], type_params=[])


def _annotation(field: FormField, expressions: Expressions) -> ast.expr:
    kind = ast.Name("str")
    if field.type is FormType.SECRET_INPUT:
        expressions.names.add("Secret")
        kind = ast.Name("Secret")
    elif field.type is FormType.SWITCH and field.default in (None, "true", "false"):
        kind = ast.Name("bool")
    is_optional = field.default is None and field.required is not True
    return ast.BinOp(kind, ast.BitOr(), ast.Constant(None)) if is_optional else kind


def _call(field: FormField, name: str, expressions: Expressions) -> ast.Call:
    arguments: dict[str, object] = {"label": field.label}
    if name != field.variable:
        arguments["variable"] = field.variable
    if "options" in field.explicit:
        arguments["options"] = list(field.options)
    if field.default is not None:
        arguments["default"] = _default(field, expressions)
        if field.required:
            arguments["required"] = True
    elif field.required is not True:
        arguments["default"] = None
    if field.required is None:
        arguments["required"] = None
    if "show_on" in field.explicit:
        arguments["show_on"] = _show_on(field)
    for name_of_argument in ("placeholder", "max_length", "help", "url"):
        if name_of_argument in field.explicit:
            arguments[name_of_argument] = getattr(field, name_of_argument)
    if field.extra_keys:
        arguments["extra_keys"] = field.extra_keys
    # Comments about any part of a field stand above the field.
    plain = Expressions(names=expressions.names)
    return plain.call(_SPECIFIERS[field.type], **arguments)


def _default(field: FormField, expressions: Expressions) -> object:
    default = field.default or ""
    if field.type is FormType.SECRET_INPUT:
        return expressions.call("Secret", default)
    if field.type is FormType.SWITCH and default in ("true", "false"):
        return default == "true"
    return default


def _show_on(field: FormField) -> object:
    """Write the conditions as a mapping, unless two are about one variable."""
    conditions = {condition.variable: condition.value for condition in field.show_on}
    is_plain = not any(condition.extra_keys for condition in field.show_on)
    return conditions if is_plain and len(conditions) == len(field.show_on) else field.show_on
