"""The changes between two versions of a plugin, in the words of a release note.

A change is marked if it breaks something: Dify stores users' credentials by provider and field,
and apps refer to models by name; a new version finds both as the old one left them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from attrs import frozen

from xinfer.plugin.plugin import Plugin
from xinfer.schema import fields_of
from xinfer.spec import (
    Condition,
    CredentialSchema,
    CustomizableModel,
    FormField,
    FormType,
    Help,
    I18n,
    Manifest,
    Model,
    ModelCredentialSchema,
    ModelProperties,
    ParameterRule,
    Pricing,
    Project,
    Provider,
)
from xinfer.spec.conditions import is_expression
from xinfer.spec.credentials import fields
from xinfer.spec.declaration import Declaration


class About(StrEnum):
    """The headings of a release note."""

    PLUGIN = "Plugin"
    PROVIDER = "Provider"
    CREDENTIALS = "Credentials"
    MODELS = "Models"


@frozen(kw_only=True)
class Change(Declaration):
    """One change.

    :param text: one line that begins with the name of what changed.
    :param breaks: what stops working for users of the old version; empty if nothing does.
    :param of: the object that changed, of the new version if it still has one.
    :param retyped: whether a credential became a secret, or ceased to be one.
    """

    about: About
    text: str
    breaks: str = ""
    of: Declaration | None = None
    retyped: bool = False


def changes(old: Plugin, new: Plugin) -> tuple[Change, ...]:
    """List the changes by heading, in the order of declaration.

    The models that users add are compared if both are specs; the YAML of a plugin does not
    describe them.

    :raises NotRead: a manifest or provider cannot be read.
    """
    before, after = old.project, new.project
    listed = [
        *_plugin(before.manifest, after.manifest),
        *_words("requirement", before.requirements, after.requirements, About.PLUGIN),
        *_provider(before.provider, after.provider),
        *_forms(before.provider, after.provider, _former_variables(after)),
        *_models(before.models, after.models),
    ]
    if before.customizable_models and after.customizable_models:
        listed += _customizable(before.customizable_models, after.customizable_models)
    order = list(About)
    return tuple(sorted(listed, key=lambda change: order.index(change.about)))


_ANOTHER_PLUGIN = "to Dify this is another plugin: users install it and enter all credentials again"
_RENAMED = "stored values stay under the old name: users enter the field again"
_ENTER_AGAIN = "stored values no longer fit: users enter the field again"


def _plugin(old: Manifest, new: Manifest) -> Iterator[Change]:
    for name in ("author", "name"):
        if (line := _changed(getattr(old, name), getattr(new, name))) is not None:
            yield Change(about=About.PLUGIN, text=f"{name}: {line}", breaks=_ANOTHER_PLUGIN, of=new)
    plain = ("version", "label", "description", "icon", "icon_dark", "privacy", "repo", "contact")
    yield from _values(old, new, plain, About.PLUGIN)
    yield from _values(old.resource, new.resource, ("memory",), About.PLUGIN)
    if old.resource.permission != new.resource.permission:
        yield Change(about=About.PLUGIN, text="permissions: changed", of=new.resource)
    yield from _values(old.meta, new.meta, ("minimum_dify_version",), About.PLUGIN)
    yield from _words("tag", old.tags, new.tags, About.PLUGIN)


def _provider(old: Provider, new: Provider) -> Iterator[Change]:
    if old.provider != new.provider:
        text = f"provider: {_changed(old.provider, new.provider)}"
        breaks = "Dify stores credentials by this name: users enter them again"
        yield Change(about=About.PROVIDER, text=text, breaks=breaks, of=new)
    yield from _values(old, new, _PROVIDER_FIELDS, About.PROVIDER)
    kinds = old.supported_model_types, new.supported_model_types
    removal = "models of that type disappear, with their credentials"
    yield from _words("model type", *kinds, About.PROVIDER, breaks=removal)
    methods = old.configurate_methods, new.configurate_methods
    removal = "credentials that were entered this way are no longer used"
    yield from _words("configuration by", *methods, About.PROVIDER, breaks=removal)


_ICONS = ("icon_small", "icon_large", "icon_small_dark", "icon_large_dark")
_PROVIDER_FIELDS = ("label", "description", "background", *_ICONS, "help")


def _former_variables(project: Project) -> dict[str, str]:
    """Map the variables under which a field may have been stored to its present one."""
    declared = fields(project.credentials)
    return {former: field.form.variable for field in declared for former in field.was}


def _forms(old: Provider, new: Provider, former: Mapping[str, str]) -> Iterator[Change]:
    """Compare both forms; most fields are in both, and their changes are listed once."""
    listed: set[str] = set()
    for name in ("provider_credential_schema", "model_credential_schema"):
        before, after = (_fields(getattr(provider, name)) for provider in (old, new))
        if not before or not after:
            continue  # a configurate method came or went
        for change in _form(before, after, new, former):
            if change.text not in listed:
                listed.add(change.text)
                yield change


def _fields(schema: CredentialSchema | ModelCredentialSchema | None) -> dict[str, FormField]:
    return {field.variable: field for field in (schema.credential_form_schemas if schema else ())}


def _form(
    old: Mapping[str, FormField],
    new: Mapping[str, FormField],
    provider: Provider,
    former: Mapping[str, str],
) -> Iterator[Change]:
    renamed = dict(_renamed(old, new, former))
    for name, field in old.items():
        if name in renamed:
            text = f"{name}: renamed to {renamed[name]}"
            breaks = f"{_RENAMED}, unless it declares was={name!r}"
            breaks = "" if former.get(name) == renamed[name] else breaks
            yield _credential(text, new[renamed[name]], breaks)
        elif name not in new:
            text = f"{name}: removed"
            yield _credential(
                text,
                provider,
                f"its stored values are lost: if a field replaces it, declare was={name!r} there",
            )
        else:
            yield from _field(field, new[name], name)
    for name, field in new.items():
        if name not in old and name not in renamed.values():
            needed = field.required is not False and field.default is None
            what = "required" if needed else "optional"
            what += " where it is shown" if needed and field.show_on else ""
            breaks = "stored credentials lack it: users must enter it" if needed else ""
            yield _credential(f"{name}: added, {what}", field, breaks)


def _renamed(
    old: Mapping[str, FormField], new: Mapping[str, FormField], former: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Pair each removed field with the added one that names it, or has its label and type."""
    added = [field for name, field in new.items() if name not in old]
    for name, field in old.items():
        if name in new:
            continue
        similar = [
            other for other in added if (other.label, other.type) == (field.label, field.type)
        ]
        if former.get(name) in new:
            yield name, former[name]
        elif len(similar) == 1:
            yield name, similar[0].variable


_TYPED = (FormType.TEXT_INPUT, FormType.SECRET_INPUT)


def _field(old: FormField, new: FormField, name: str) -> Iterator[Change]:
    if old.type != new.type:
        text = f"{name}: {_changed(old.type, new.type)}"
        if {old.type, new.type} == set(_TYPED):
            stored = "encrypted" if old.type is FormType.SECRET_INPUT else "not encrypted"
            breaks = f"stored values are {stored}, and Dify reads them as the new type"
            yield _credential(text, new, breaks, retyped=True)
        else:
            yield _credential(text, new, _ENTER_AGAIN)
    if bool(new.required) and not old.required:
        breaks = "" if new.default is not None else "users who left it empty must enter it"
        yield _credential(f"{name}: required", new, breaks)
    elif old.required and not new.required:
        yield _credential(f"{name}: optional", new)
    if old.default != new.default:
        yield _credential(f"{name}: default {_changed(old.default, new.default)}", new)
    if new.max_length != old.max_length:
        text = f"{name}: max_length {_changed(old.max_length or None, new.max_length or None)}"
        shorter = (new.max_length or _ENDLESS) < (old.max_length or _ENDLESS)
        yield _credential(text, new, "longer values that are stored are refused" if shorter else "")
    yield from _options(old, new, name)
    if old.show_on != new.show_on:
        yield _credential(f"{name}: show_on changed", new)
    if texts := [key for key in _TEXTS if getattr(old, key) != getattr(new, key)]:
        yield _credential(f"{name}: {', '.join(texts)} changed", new)


_ENDLESS = float("inf")
_TEXTS = ("label", "placeholder", "help", "url")


def _options(old: FormField, new: FormField, name: str) -> Iterator[Change]:
    before, after = ({option.value: option for option in field.options} for field in (old, new))
    for value in before:
        if value not in after:
            text = f"{name}: option {value!r} removed"
            yield _credential(text, new, "users who have chosen it must choose again")
    for value, option in after.items():
        previous = before.get(value)
        if previous is None:
            yield _credential(f"{name}: option {value!r} added", new)
            continue
        if (line := _changed(previous.label, option.label)) is not None:
            yield _credential(f"{name}: label of option {value!r} {line}", new)
        if previous.show_on != option.show_on:
            yield _credential(f"{name}: show_on of option {value!r} changed", new)


def _credential(text: str, of: Declaration, breaks: str = "", *, retyped: bool = False) -> Change:
    return Change(about=About.CREDENTIALS, text=text, breaks=breaks, of=of, retyped=retyped)


def _models(old: Sequence[Model], new: Sequence[Model]) -> Iterator[Change]:
    before, after = ({(m.model_type, m.model): m for m in models} for models in (old, new))
    for key, model in before.items():
        if key not in after:
            text = f"{model.model} ({model.model_type}): removed"
            breaks = "apps that use it stop working; deprecated=True hides it from new apps only"
            yield Change(about=About.MODELS, text=text, breaks=breaks)
    for key, model in after.items():
        if key not in before:
            yield Change(
                about=About.MODELS, text=f"{model.model} ({model.model_type}): added", of=model
            )
        else:
            yield from _model(before[key], model)


def _model(old: Model, new: Model) -> Iterator[Change]:
    if old.deprecated != new.deprecated:
        text = f"{new.model}: {'deprecated' if new.deprecated else 'no longer deprecated'}"
        yield Change(about=About.MODELS, text=text, of=new)
    yield from _values(old, new, ("label", "fetch_from"), About.MODELS, new.model)
    yield from _words("feature", old.features, new.features, About.MODELS, new.model, of=new)
    properties = old.model_properties, new.model_properties
    yield from _values(*properties, fields_of(ModelProperties), About.MODELS, new.model)
    yield from _rules(old.parameter_rules, new.parameter_rules, new.model)
    if old.pricing != new.pricing:
        text = f"{new.model}: price {_price(old.pricing)} → {_price(new.pricing)}"
        yield Change(about=About.MODELS, text=text, of=new)


def _customizable(
    old: Sequence[CustomizableModel], new: Sequence[CustomizableModel]
) -> Iterator[Change]:
    before, after = ({m.model_type: m for m in models} for models in (old, new))
    for kind, model in after.items():
        if kind not in before:
            continue  # a model type of the provider came
        name = f"any {kind} model"
        previous = before[kind]
        yield from _words(
            "feature", tuple(previous.features), tuple(model.features), About.MODELS, name, of=model
        )
        for feature, when in model.features.items():
            line = _changed(previous.features.get(feature, when), when)
            if line is not None:
                text = f"{name}: feature {feature} {line}"
                yield Change(about=About.MODELS, text=text, of=model)
        for key in dict.fromkeys([*previous.properties, *model.properties]):
            line = _changed(previous.properties.get(key), model.properties.get(key))
            if line is not None:
                yield Change(about=About.MODELS, text=f"{name}: {key} {line}", of=model)
        yield from _rules(previous.parameter_rules, model.parameter_rules, name)


_RULE_FIELDS = (
    *("use_template", "type", "required", "default", "min", "max", "precision", "options"),
    "when",
)


def _rules(
    old: Sequence[ParameterRule], new: Sequence[ParameterRule], model: str
) -> Iterator[Change]:
    before, after = ({rule.name: rule for rule in rules} for rules in (old, new))
    for name in before:
        if name not in after:
            text = f"{model}: parameter {name} removed"
            yield Change(about=About.MODELS, text=text)
    for name, rule in after.items():
        if name not in before:
            text = f"{model}: parameter {name} added"
            yield Change(about=About.MODELS, text=text, of=rule)
        else:
            about = f"{model}: parameter {name}"
            yield from _values(before[name], rule, _RULE_FIELDS, About.MODELS, about)


def _price(pricing: Pricing | None) -> str:
    if pricing is None:
        return "none"
    parts = [pricing.input] if pricing.output is None else [pricing.input, pricing.output]
    return f"{'/'.join(map(str, parts))} × {pricing.unit} {pricing.currency}"


def _values(
    old: Any, new: Any, names: Iterable[str], about: About, owner: str = ""
) -> Iterator[Change]:
    for name in names:
        line = _changed(getattr(old, name), getattr(new, name))
        if line is not None:
            text = f"{owner}: {name} {line}" if owner else f"{name}: {line}"
            yield Change(about=about, text=text, of=new)


def _words(
    what: str,
    old: Iterable[str],
    new: Iterable[str],
    about: About,
    owner: str = "",
    *,
    breaks: str = "",
    of: Declaration | None = None,
) -> Iterator[Change]:
    """List the words that were removed and added, whatever their order."""
    before, after = dict.fromkeys(old), dict.fromkeys(new)
    begin = f"{owner}: " if owner else ""
    for word in before:
        if word not in after:
            yield Change(about=about, text=f"{begin}{what} {word} removed", breaks=breaks, of=of)
    for word in after:
        if word not in before:
            yield Change(about=about, text=f"{begin}{what} {word} added", of=of)


def _changed(old: object, new: object) -> str | None:
    """Write ``a → b``, or return ``None`` if both are equal."""
    return None if old == new else f"{_readable(old)} → {_readable(new)}"


def _readable(value: object) -> str:
    if value is None:
        return "none"
    text = " ".join(_FORMATS.get(type(value), str)(value).split())
    whole = isinstance(value, Condition) or is_expression(value)
    return text if whole or len(text) <= 60 else text[:59] + "…"


_FORMATS: Mapping[type, Callable[[Any], str]] = {
    bool: lambda value: "yes" if value else "no",
    I18n: lambda text: f"“{text.en_US}”",
    Help: lambda help_: f"“{help_.title.en_US}” {help_.url.en_US}",
    tuple: lambda items: ", ".join(map(str, items)) or "none",
}
