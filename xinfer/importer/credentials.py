"""A credential form as the class that makes it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping

from xinfer.importer.comments import CommentFinder
from xinfer.importer.expressions import Expressions
from xinfer.importer.names import Names, attribute
from xinfer.importer.numbers import kind_of
from xinfer.spec import Credentials, FormField, FormType, ShowOn
from xinfer.spec.declaration import evolve
from xinfer.spec.targets import ByOption, Sets, Target
from xinfer.yaml import to_data

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
    numbers: Mapping[str, type],
    sets: Mapping[str, Sets],
) -> ast.ClassDef:
    """Make the class whose form is ``form``, key for key.

    :param about: the docstring: our own words, never a plugin's.
    :param numbers: the type of each variable that the plugin's own Python reads as a number.
    :param sets: what a field sets at run time, by variable.
    """
    expressions.names.add("Credentials")
    body: list[ast.stmt] = [ast.Expr(ast.Constant(about))]
    targets = {target_of(each).name for each in sets.values()}
    names = Names(_RESERVED)
    for ways in _same_but_when_shown(form):
        field = ways[0]
        target = sets.get(field.variable)
        wish = attribute(field.variable)
        # A field may have the name of its own target; below it, the name is the field's.
        is_other = target is None or wish != target_of(target).name
        wish = f"{wish}_" if wish in targets and is_other else wish
        name_of_field = names.free(wish, *_when_shown(field))
        statement = ast.AnnAssign(
            ast.Name(name_of_field),
            _annotation(field, numbers, expressions),
            _call(ways, name_of_field, numbers, target, expressions),
            simple=1,
        )
        if lines := tuple(line for each in ways for line in comments.inside(each)):
            expressions.comments[statement] = lines
        body.append(statement)
    return ast.ClassDef(name, [ast.Name("Credentials")], [], body, [], type_params=[])


def attributes_of(declared: ast.ClassDef) -> dict[str, str]:
    """Map the variables of a class made here to its attributes."""
    attributes: dict[str, str] = {}
    for statement in declared.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Call(keywords=keywords)):
                arguments = {
                    k.arg: k.value.value for k in keywords if isinstance(k.value, ast.Constant)
                }
                attributes.setdefault(str(arguments.get("variable", name)), name)
    return attributes


def _same_but_when_shown(form: Iterable[FormField]) -> Iterator[list[FormField]]:
    """Group fields that follow one another, and differ in one value of their conditions alone."""
    ways: list[FormField] = []
    for field in form:
        if ways and not _is_another_way(field, ways):
            yield ways
            ways = []
        ways.append(field)
    if ways:
        yield ways


def _is_another_way(field: FormField, ways: list[FormField]) -> bool:
    keys = {tuple(condition.variable for condition in way.show_on) for way in (*ways, field)}
    extra = any(condition.extra_keys for way in (*ways, field) for condition in way.show_on)
    if len(keys) > 1 or len(*keys) != len(set(*keys)) or extra:
        return False
    values = [tuple(condition.value for condition in way.show_on) for way in (*ways, field)]
    varied = [column for column in zip(*values, strict=True) if len(set(column)) > 1]
    return (
        len(varied) == 1 and len(set(varied[0])) == len(values) and _rest(field) == _rest(ways[0])
    )


def _rest(field: FormField) -> object:
    return to_data(evolve(field, show_on=(ShowOn("", ""),)))


def _when_shown(field: FormField) -> list[str]:
    """Name a field that shares its variable with others by the values of its conditions, too."""
    return [attribute(" ".join((field.variable, *(c.value for c in field.show_on))))]


def _annotation(
    field: FormField, numbers: Mapping[str, type], expressions: Expressions
) -> ast.expr:
    kind = ast.Name(kind_of(field, numbers).__name__)
    if field.type is FormType.SECRET_INPUT:
        expressions.names.add("Secret")
        kind = ast.Name("Secret")
    elif field.type is FormType.SWITCH and field.default in (None, "true", "false"):
        kind = ast.Name("bool")
    is_optional = field.default is None and field.required is not True
    return ast.BinOp(kind, ast.BitOr(), ast.Constant(None)) if is_optional else kind


def _call(
    ways: list[FormField],
    name: str,
    numbers: Mapping[str, type],
    target: Sets | None,
    expressions: Expressions,
) -> ast.Call:
    field = ways[0]
    arguments: dict[str, object] = {"label": field.label}
    if name != field.variable:
        arguments["variable"] = field.variable
    if "options" in field.explicit:
        arguments["options"] = list(field.options)
    if field.default is not None:
        arguments["default"] = _default(field, kind_of(field, numbers), expressions)
        if field.required:
            arguments["required"] = True
    elif field.required is not True:
        arguments["default"] = None
    if field.required is None:
        arguments["required"] = None
    if "show_on" in field.explicit:
        arguments["show_on"] = _show_on(ways)
    for name_of_argument in ("placeholder", "max_length", "help", "url"):
        if name_of_argument in field.explicit:
            arguments[name_of_argument] = getattr(field, name_of_argument)
    if target:
        arguments["sets"] = _written(target, expressions)
    if field.extra_keys:
        arguments["extra_keys"] = field.extra_keys
    # Comments about any part of a field stand above the field.
    plain = Expressions(names=expressions.names)
    return plain.call(_SPECIFIERS[field.type], **arguments)


def target_of(sets: Sets) -> Target:
    """Return what is set, whether or not an option decides the value."""
    return sets.target if isinstance(sets, ByOption) else sets


def _written(sets: Sets, expressions: Expressions) -> ast.expr:
    name = target_of(sets).name
    expressions.names.add(name)
    if not isinstance(sets, ByOption):
        return ast.Name(name)
    return ast.Call(
        ast.Attribute(ast.Name(name), "by_option"), [expressions.of(dict(sets.values))], []
    )


def _default(field: FormField, kind: type, expressions: Expressions) -> object:
    default = field.default or ""
    if field.type is FormType.SECRET_INPUT:
        return expressions.call("Secret", default)
    if field.type is FormType.SWITCH and default in ("true", "false"):
        return default == "true"
    return kind(default)


def _show_on(ways: list[FormField]) -> object:
    """Write the conditions as a mapping, unless two are about one variable."""
    field = ways[0]
    conditions = {condition.variable: condition.value for condition in field.show_on}
    is_plain = not any(condition.extra_keys for way in ways for condition in way.show_on)
    if not is_plain or len(conditions) < len(field.show_on):
        return field.show_on
    values = zip(*([condition.value for condition in way.show_on] for way in ways), strict=True)
    alternatives = (tuple(dict.fromkeys(column)) for column in values)
    return {
        variable: column if len(column) > 1 else column[0]
        for variable, column in zip(conditions, alternatives, strict=True)
    }
