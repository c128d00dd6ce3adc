"""Every field of the declared classes, and what Dify makes of it.

The classes declare names, types and defaults. The tables here add how Dify reads the YAML: the
plugin daemon (Go) and the SDK (pydantic) read it separately, and do not always agree.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import attrs
from attrs import NOTHING, frozen

from xinfer.schema.types import ABSENT, OneOf, Type, type_of
from xinfer.spec import (
    CredentialSchema,
    FormField,
    Manifest,
    Meta,
    Model,
    ModelCredentialSchema,
    ModelProperties,
    Option,
    ParameterRule,
    Provider,
    ProviderModels,
    Resource,
    Runner,
    StoragePermission,
)
from xinfer.spec.declaration import Declaration, default_of
from xinfer.spec.project import MODEL_FOLDERS

REQUIRED_KEYS: Mapping[type, tuple[str, ...]] = {
    Manifest: ("type", "resource", "plugins", "meta"),
    Resource: ("memory",),
    Meta: ("version", "arch", "runner"),
    Runner: ("language", "version", "entrypoint"),
    Provider: ("supported_model_types", "configurate_methods"),
}
"""Keys that a spec may leave out, and that the daemon and the SDK require in the YAML."""
_ALWAYS_WRITTEN: Mapping[type, tuple[str, ...]] = {
    **REQUIRED_KEYS,
    StoragePermission: ("size",),
    CredentialSchema: ("credential_form_schemas",),
}
_ONLY_IN_PYTHON = frozenset({(ParameterRule, "when"), (Model, "file")})
_NULL: Mapping[tuple[type, str], bool] = {
    (Model, "features"): True,
    (FormField, "required"): False,
    (Provider, "models"): False,
    **{(ProviderModels, folder): False for folder in MODEL_FOLDERS.values()},
}
"""Whether the SDK reads null, where its answer is not that of the default."""
_EMPTY_IS_ABSENT = frozenset({(Model, "label"), (ParameterRule, "label")})
"""Mappings whose empty form the daemon and the SDK read as absent."""


@frozen(kw_only=True)
class Limits:
    """What the daemon accepts of a value; ``None`` for no limit.

    :param least: the smallest number; of a text the fewest characters, of a list the fewest items.
    :param most: the largest number, the most characters or items.
    :param pattern: what all of a text must match.
    :param of_package: whether packages are refused beyond the limit; remote debugging always is.
    """

    least: int | None = None
    most: int | None = None
    pattern: str | None = None
    of_package: bool = False

    @property
    def anchored(self) -> str | None:
        """The pattern as JSON Schema has it."""
        return f"^({self.pattern})$" if self.pattern else None


_255_CHARACTERS = Limits(least=1, most=255)
_CONDITIONS = Limits(most=16)
_LIMITS: Mapping[tuple[type, str], Limits] = {
    (Manifest, "author"): Limits(least=1, most=64, pattern="[a-z0-9_-]+", of_package=True),
    (Manifest, "name"): Limits(least=1, most=128, pattern="[a-z0-9_-]+", of_package=True),
    (Manifest, "icon"): Limits(most=128, of_package=True),
    (Resource, "memory"): Limits(least=1, of_package=True),
    (StoragePermission, "size"): Limits(least=1024, most=1_073_741_824, of_package=True),
    (Provider, "provider"): _255_CHARACTERS,
    (Provider, "supported_model_types"): Limits(most=16),
    (Provider, "configurate_methods"): Limits(most=16),
    (CredentialSchema, "credential_form_schemas"): Limits(most=32),
    (ModelCredentialSchema, "credential_form_schemas"): Limits(most=32),
    (FormField, "variable"): _255_CHARACTERS,
    (FormField, "default"): Limits(most=255),
    (FormField, "options"): Limits(most=128),
    (FormField, "show_on"): _CONDITIONS,
    (Option, "value"): _255_CHARACTERS,
    (Option, "show_on"): _CONDITIONS,
    (Model, "model"): _255_CHARACTERS,
    (Model, "features"): Limits(most=256),
    (Model, "parameter_rules"): Limits(most=128),
    (ParameterRule, "name"): _255_CHARACTERS,
}
"""From the ``validate`` tags of the daemon's structures."""

REFUSES_OTHER_KEYS = frozenset({ModelProperties})
"""Classes of which the SDK refuses keys that it does not know."""


@frozen(kw_only=True)
class Field:
    """One field of a declared class.

    :param name: of the attribute, and of the key in the YAML.
    :param default: ``attrs.NOTHING`` if the field must be given.
    :param in_yaml: whether the YAML has such a key.
    :param required_key: whether the YAML must have the key.
    :param always_written: whether the key is written although the field has its default.
    :param reads_null: whether the SDK takes null for an absent key.
    :param reads_empty: whether an empty mapping is read as an absent key.
    :param about: what the class's docstring says of it.
    """

    name: str
    type: Type
    default: Any
    in_yaml: bool
    required_key: bool
    always_written: bool
    reads_null: bool
    reads_empty: bool
    limits: Limits
    about: str

    @property
    def may_be_absent(self) -> bool:
        """Whether the field can be left out in Python."""
        return self.default is not NOTHING

    @property
    def holds_none(self) -> bool:
        """Whether ``None`` is a value of the field."""
        return isinstance(self.type, OneOf) and ABSENT in self.type.types


def per_class[T](function: Callable[[type[Declaration]], T]) -> Callable[[type[Declaration]], T]:
    """Call a function once for each class, and keep what it returns."""
    cached: Any = cache(function)  # mypy takes a class for unhashable if its objects may be
    return cached  # type: ignore[no-any-return]


@per_class
def fields_of(kind: type[Declaration]) -> Mapping[str, Field]:
    """Describe the fields of a declared class by name, in the order of its declaration."""
    declared: Any = attrs.resolve_types(kind)
    about = dict(_parameters(inspect.getdoc(kind) or ""))
    return {
        field.name: _field(kind, field, about.get(field.name, ""))
        for field in attrs.fields(declared)
        if field.init and field.name not in _OF_ALL_CLASSES
    }


_OF_ALL_CLASSES = {field.name for field in attrs.fields(Declaration)}


def _field(kind: type[Declaration], field: attrs.Attribute[Any], about: str) -> Field:
    key = kind, field.name
    annotation: Any = field.type
    default = default_of(field)
    return Field(
        name=field.name,
        type=type_of(annotation),
        default=default,
        in_yaml=key not in _ONLY_IN_PYTHON,
        required_key=default is NOTHING or field.name in REQUIRED_KEYS.get(kind, ()),
        always_written=default is NOTHING or field.name in _ALWAYS_WRITTEN.get(kind, ()),
        reads_null=_NULL.get(key, default is None),
        reads_empty=key in _EMPTY_IS_ABSENT,
        limits=_LIMITS.get(key, _NO_LIMITS),
        about=about,
    )


_NO_LIMITS = Limits()


@per_class
def yaml_fields(kind: type[Declaration]) -> Mapping[str, Field]:
    """Describe the fields of a class that the YAML has keys for, by key."""
    return {name: field for name, field in fields_of(kind).items() if field.in_yaml}


@per_class
def required_fields(kind: type[Declaration]) -> tuple[str, ...]:
    """Name the fields of a class that have no default."""
    return tuple(name for name, field in fields_of(kind).items() if not field.may_be_absent)


def summary_of(kind: type[Declaration]) -> str:
    """Return the first line of a class's docstring."""
    return (inspect.getdoc(kind) or "").partition("\n")[0]


def source_of(kind: type[Declaration]) -> str:
    """Return the names of Dify's own classes that a class is read by, if its docstring says so."""
    source = _SOURCE.search(inspect.getdoc(kind) or "")
    return _in_one_line(source[1]) if source else ""


_SOURCE = re.compile(r"^Source: (.*?)(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)
_PARAMETER = re.compile(r"^:param (\w+): (.*?)(?=^:|^\S|\Z)", re.MULTILINE | re.DOTALL)


def _parameters(docstring: str) -> Iterator[tuple[str, str]]:
    for parameter in _PARAMETER.finditer(docstring):
        words = _in_one_line(parameter[2])
        yield parameter[1], words[:1].upper() + words[1:]


def _in_one_line(text: str) -> str:
    return " ".join(text.replace("``", "").split())
