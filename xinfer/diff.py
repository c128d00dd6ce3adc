"""What changed between two versions of a plugin, in the words of a release note.

What breaks is marked: Dify keeps the credentials that users entered, by provider and field, and
apps keep the names of their models; a new version meets both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from attrs import frozen

from xinfer.schema import fields_of
from xinfer.spec import (
    CredentialSchema,
    CustomizableModel,
    Declaration,
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
    complete,
    is_expression,
)


class About(StrEnum):
    """What a change is about: the headings of a release note."""

    PLUGIN = "Plugin"
    PROVIDER = "Provider"
    CREDENTIALS = "Credentials"
    MODELS = "Models"


@frozen(kw_only=True)
class Change(Declaration):
    """One difference.

    :param text: a line that begins with the name of what changed.
    :param breaks: what stops working for whoever has the old version; empty where nothing does.
    :param of: what changed, in the new version where it is still there.
    :param retyped: a credential turned from secret to plain text, or back.
    """

    about: About
    text: str
    breaks: str = ""
    of: Declaration | None = None
    retyped: bool = False


def changes(old: Project, new: Project) -> tuple[Change, ...]:
    """List what changed, by heading and in the order of declaration.

    Models that users add by hand are compared where both projects say what holds of them; the
    YAML of a plugin does not.
    """
    before, after = complete(old), complete(new)
    found = [
        *_plugin(before.manifest, after.manifest),
        *_named("requirement", before.requirements, after.requirements, About.PLUGIN),
        *_provider(before.provider, after.provider),
        *_forms(before.provider, after.provider),
        *_models(before.models, after.models),
    ]
    if before.customizable_models and after.customizable_models:
        found += _customizable(before.customizable_models, after.customizable_models)
    order = list(About)
    return tuple(sorted(found, key=lambda change: order.index(change.about)))


_ANOTHER_PLUGIN = "Dify takes it for another plugin: users install it anew, and enter all again"
_ENTER_AGAIN = "what users entered does not fit any more: they enter it again"


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
    yield from _named("tag", old.tags, new.tags, About.PLUGIN)


def _provider(old: Provider, new: Provider) -> Iterator[Change]:
    if old.provider != new.provider:
        text = f"provider: {_changed(old.provider, new.provider)}"
        breaks = "Dify stores credentials under this name, and finds none under the new one"
        yield Change(about=About.PROVIDER, text=text, breaks=breaks, of=new)
    yield from _values(old, new, _OF_PROVIDERS, About.PROVIDER)
    kinds = old.supported_model_types, new.supported_model_types
    gone = "models of that type disappear, with the credentials entered for them"
    yield from _named("model type", *kinds, About.PROVIDER, gone=gone)
    methods = old.configurate_methods, new.configurate_methods
    gone = "credentials entered that way are not used any more"
    yield from _named("configuration by", *methods, About.PROVIDER, gone=gone)


_ICONS = ("icon_small", "icon_large", "icon_small_dark", "icon_large_dark")
_OF_PROVIDERS = ("label", "description", "background", *_ICONS, "help")


def _forms(old: Provider, new: Provider) -> Iterator[Change]:
    """Compare the two forms; most fields stand in both, and what holds of both is said once."""
    said: set[str] = set()
    for name in ("provider_credential_schema", "model_credential_schema"):
        before, after = (_fields(getattr(provider, name)) for provider in (old, new))
        if not before or not after:
            continue  # said of the ways to configure
        for change in _form(before, after, new):
            if change.text not in said:
                said.add(change.text)
                yield change


def _fields(schema: CredentialSchema | ModelCredentialSchema | None) -> dict[str, FormField]:
    return {field.variable: field for field in (schema.credential_form_schemas if schema else ())}


def _form(
    old: Mapping[str, FormField], new: Mapping[str, FormField], provider: Provider
) -> Iterator[Change]:
    renamed = dict(_renamed(old, new))
    for name, field in old.items():
        if name in renamed:
            text = f"{name}: renamed to {renamed[name]}"
            yield _credential(text, new[renamed[name]], _ENTER_AGAIN)
        elif name not in new:
            text = f"{name}: removed"
            yield _credential(text, provider, "what users entered there is not used any more")
        else:
            yield from _field(field, new[name], name)
    for name, field in new.items():
        if name not in old and name not in renamed.values():
            needed = field.required is not False and field.default is None
            what = "required" if needed else "optional"
            what += " where it is shown" if needed and field.show_on else ""
            breaks = "stored credentials lack it: users enter them again" if needed else ""
            yield _credential(f"{name}: added, {what}", field, breaks)


def _renamed(
    old: Mapping[str, FormField], new: Mapping[str, FormField]
) -> Iterator[tuple[str, str]]:
    """Pair the fields that went with those that came under the same label and type."""
    came = [field for name, field in new.items() if name not in old]
    for name, field in old.items():
        alike = [other for other in came if (other.label, other.type) == (field.label, field.type)]
        if name not in new and len(alike) == 1:
            yield name, alike[0].variable


_TYPED = (FormType.TEXT_INPUT, FormType.SECRET_INPUT)


def _field(old: FormField, new: FormField, name: str) -> Iterator[Change]:
    if old.type != new.type:
        text = f"{name}: {_changed(old.type, new.type)}"
        if {old.type, new.type} == set(_TYPED):
            stored = "encrypted" if old.type is FormType.SECRET_INPUT else "not encrypted"
            breaks = f"stored values are {stored}, and Dify reads them by the new type"
            yield _credential(text, new, breaks, retyped=True)
        else:
            yield _credential(text, new, _ENTER_AGAIN)
    if bool(new.required) and not old.required:
        breaks = "" if new.default is not None else "whoever left it empty must enter it"
        yield _credential(f"{name}: required", new, breaks)
    elif old.required and not new.required:
        yield _credential(f"{name}: optional", new)
    if old.default != new.default:
        yield _credential(f"{name}: default {_changed(old.default, new.default)}", new)
    if (new.max_length or _ENDLESS) < (old.max_length or _ENDLESS):
        text = f"{name}: at most {new.max_length} characters"
        yield _credential(text, new, "longer values that are stored are refused")
    elif new.max_length != old.max_length:
        yield _credential(f"{name}: may be longer", new)
    yield from _options(old, new, name)
    if old.show_on != new.show_on:
        yield _credential(f"{name}: shown under other conditions", new)
    if any(getattr(old, key) != getattr(new, key) for key in _WORDS):
        yield _credential(f"{name}: other words", new)


_ENDLESS = float("inf")
_WORDS = ("label", "placeholder", "help", "url")


def _options(old: FormField, new: FormField, name: str) -> Iterator[Change]:
    before, after = ({one.value: one for one in field.options} for field in (old, new))
    for value in before:
        if value not in after:
            text = f"{name}: {value!r} cannot be chosen any more"
            yield _credential(text, new, "whoever had chosen it must choose anew")
    for value, option in after.items():
        was = before.get(value)
        if was is None:
            yield _credential(f"{name}: {value!r} can be chosen", new)
            continue
        if (line := _changed(was.label, option.label)) is not None:
            yield _credential(f"{name}: {value!r} reads {line}", new)
        if was.show_on != option.show_on:
            yield _credential(f"{name}: {value!r} shown under other conditions", new)


def _credential(text: str, of: Declaration, breaks: str = "", *, retyped: bool = False) -> Change:
    return Change(about=About.CREDENTIALS, text=text, breaks=breaks, of=of, retyped=retyped)


def _models(old: Sequence[Model], new: Sequence[Model]) -> Iterator[Change]:
    before, after = ({(m.model_type, m.model): m for m in models} for models in (old, new))
    for key, model in before.items():
        if key not in after:
            text = f"{model.model} ({model.model_type}): removed"
            breaks = "apps that use it stop: deprecated=True would hide it from new ones"
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
        text = f"{new.model}: {'deprecated' if new.deprecated else 'not deprecated any more'}"
        yield Change(about=About.MODELS, text=text, of=new)
    yield from _values(old, new, ("label", "fetch_from"), About.MODELS, new.model)
    yield from _named("feature", old.features, new.features, About.MODELS, new.model, of=new)
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
            continue  # said of the provider's model types
        name = f"any {kind} model"
        was = before[kind]
        yield from _named(
            "feature", tuple(was.features), tuple(model.features), About.MODELS, name, of=model
        )
        for feature, when in model.features.items():
            line = _changed(was.features.get(feature, when), when)
            if line is not None:
                text = f"{name}: feature {feature} {line}"
                yield Change(about=About.MODELS, text=text, of=model)
        for key in dict.fromkeys([*was.properties, *model.properties]):
            line = _changed(was.properties.get(key), model.properties.get(key))
            if line is not None:
                yield Change(about=About.MODELS, text=f"{name}: {key} {line}", of=model)
        yield from _rules(was.parameter_rules, model.parameter_rules, name)


_OF_RULES = (
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
            yield from _values(before[name], rule, _OF_RULES, About.MODELS, about)


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


def _named(
    what: str,
    old: Iterable[str],
    new: Iterable[str],
    about: About,
    owner: str = "",
    *,
    gone: str = "",
    of: Declaration | None = None,
) -> Iterator[Change]:
    """Say which of the words came and went; their order means nothing."""
    before, after = dict.fromkeys(old), dict.fromkeys(new)
    begin = f"{owner}: " if owner else ""
    for word in before:
        if word not in after:
            yield Change(about=about, text=f"{begin}{what} {word} removed", breaks=gone, of=of)
    for word in after:
        if word not in before:
            yield Change(about=about, text=f"{begin}{what} {word} added", of=of)


def _changed(old: object, new: object) -> str | None:
    """Say ``a → b``, or nothing where they are the same."""
    return None if old == new else f"{_shown(old)} → {_shown(new)}"


def _shown(value: object) -> str:
    if value is None:
        return "none"
    text = " ".join(_READABLE.get(type(value), str)(value).split())
    return text if is_expression(value) or len(text) <= 60 else text[:59] + "…"


_READABLE: Mapping[type, Callable[[Any], str]] = {
    bool: lambda value: "yes" if value else "no",
    I18n: lambda text: f"“{text.en_US}”",
    Help: lambda help_: f"“{help_.title.en_US}” {help_.url.en_US}",
    tuple: lambda items: ", ".join(map(str, items)) or "none",
}
