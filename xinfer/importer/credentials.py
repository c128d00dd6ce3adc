"""A credential form as the class that makes it."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

from xinfer.importer.comments import CommentFinder
from xinfer.importer.python import Source, text
from xinfer.spec import Credentials, FormField, FormType

_SPECIFIERS = {kind: kind.value.replace("-", "_") for kind in FormType}
_TAKEN = frozenset(dir(Credentials))


def credentials_class(
    name: str, about: str, form: Iterable[FormField], source: Source, comments: CommentFinder
) -> str:
    """Write the class whose form is ``form``, key for key."""
    source.names.add("Credentials")
    lines = [f"class {name}(Credentials):", f'    """{about}"""', ""]
    attributes: set[str] = set()
    for field in form:
        attribute = _attribute(field.variable, attributes)
        attributes.add(attribute)
        lines += [f"    # {line}" for line in comments.all_of(field)]
        lines.append(
            f"    {attribute}: {_annotation(field, source)} = {_call(field, attribute, source)}"
        )
    return "\n".join(lines) + "\n"


def _attribute(variable: str, taken: set[str]) -> str:
    name = re.sub(r"\W+", "_", variable, flags=re.ASCII).strip("_").lower() or "field"
    if not name[0].isalpha():
        name = f"field_{name}"
    if keyword.iskeyword(name) or name in _TAKEN:
        name += "_"
    wish, number = name, 2
    while name in taken:
        name, number = f"{wish}_{number}", number + 1
    return name


def _annotation(field: FormField, source: Source) -> str:
    kind = "str"
    if field.type is FormType.SECRET_INPUT:
        source.names.add("Secret")
        kind = "Secret"
    elif field.type is FormType.SWITCH and field.default in (None, "true", "false"):
        kind = "bool"
    optional = field.default is None and field.required is not True
    return f"{kind} | None" if optional else kind


def _call(field: FormField, attribute: str, source: Source) -> str:
    specifier = _SPECIFIERS[field.type]
    source.names.add(specifier)
    arguments = [f"label={source.of(field.label)}"]
    if attribute != field.variable:
        arguments.append(f"variable={text(field.variable)}")
    if "options" in field.explicit:
        arguments.append(f"options={source.of(list(field.options))}")
    if field.default is not None:
        arguments.append(f"default={_default(field, source)}")
        if field.required:
            arguments.append("required=True")
    elif field.required is not True:
        arguments.append("default=None")
    if field.required is None:
        arguments.append("required=None")
    if "show_on" in field.explicit:
        arguments.append(f"show_on={_show_on(field, source)}")
    arguments += [
        f"{name}={source.of(getattr(field, name))}"
        for name in ("placeholder", "max_length", "help", "url")
        if name in field.explicit
    ]
    if field.extra_keys:
        arguments.append(f"extra_keys={source.of(field.extra_keys)}")
    return f"{specifier}({', '.join(arguments)})"


def _default(field: FormField, source: Source) -> str:
    default = field.default or ""
    if field.type is FormType.SECRET_INPUT:
        return f"Secret({text(default)})"
    if field.type is FormType.SWITCH and default in ("true", "false"):
        return default.capitalize()
    return source.of(default)


def _show_on(field: FormField, source: Source) -> str:
    """Write the conditions as a mapping, unless two are about one variable."""
    conditions = {condition.variable: condition.value for condition in field.show_on}
    plain = not any(condition.extra_keys for condition in field.show_on)
    if plain and len(conditions) == len(field.show_on):
        return source.of(conditions)
    return source.of(field.show_on)
