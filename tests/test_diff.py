"""Two versions of a plugin: each kind of change has its sentence, and what breaks is marked."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

import provider_spec
from xinfer.build.load import load_spec
from xinfer.diff import changes
from xinfer.plugin.files import PluginFiles
from xinfer.plugin.plugin import Form, Plugin
from xinfer.spec import (
    ConfigurateMethod,
    Credentials,
    Feature,
    FormType,
    Help,
    I18n,
    ModelType,
    Option,
    Pricing,
    ShowOn,
    ability,
    always,
    choose,
    first_of,
    limit,
    provider_form,
    setting,
    share,
    text_input,
)
from xinfer.spec.declaration import evolve
from xinfer.spec.project import complete
from xinfer.testing import projects

ROOT = Path(__file__).parent.parent
TARIFF = complete(load_spec(ROOT / "examples/tariff/provider_spec.py").project)
XINFERENCE = complete(provider_spec.project)


def as_plugin(project):
    files = PluginFiles(where=ROOT, files=())
    return Plugin(form=Form.SPEC, files=files, declared=complete(project))


def changes_between(old, new):
    """Compare what two projects declare."""
    return changes(as_plugin(old), as_plugin(new))


def plugin(**values):
    return evolve(TARIFF, manifest=evolve(TARIFF.manifest, **values))


def provider(**values):
    return evolve(TARIFF, provider=evolve(TARIFF.provider, **values))


def form(change):
    """The tariff's form with its fields changed: API key, then base URL."""
    schema = TARIFF.provider.provider_credential_schema
    fields = change(*schema.credential_form_schemas)
    return provider(
        provider_credential_schema=evolve(schema, credential_form_schemas=tuple(fields))
    )


def model(**values):
    first, *others = TARIFF.models
    return evolve(TARIFF, models=(evolve(first, **values), *others))


def rules(change):
    first = TARIFF.models[0]
    return model(parameter_rules=tuple(change(*first.parameter_rules)))


def custom(**values):
    first, *others = XINFERENCE.customizable_models
    return evolve(XINFERENCE, customizable_models=(evolve(first, **values), *others))


NAME = TARIFF.models[0].model
PRICE = Pricing(input=Decimal("0.2"), unit=Decimal("0.000001"), currency="USD")
CHANGES = {
    "version": (lambda: plugin(version="0.2.0"), "version: 0.1.0 → 0.2.0", False),
    "name": (lambda: plugin(name="tariffs"), "name: tariff → tariffs", True),
    "author": (lambda: plugin(author="another"), "author: ", True),
    "words": (lambda: plugin(label=I18n("Prices")), "label: “Tariff” → “Prices”", False),
    "requirement": (
        lambda: evolve(TARIFF, requirements=(*TARIFF.requirements, "httpx>=0.28")),
        "requirement httpx>=0.28 added",
        False,
    ),
    "provider": (lambda: provider(provider="tariffs"), "provider: tariff → tariffs", True),
    "type": (lambda: provider(supported_model_types=()), "model type llm removed", True),
    "method": (
        lambda: provider(
            configurate_methods=(
                ConfigurateMethod.PREDEFINED_MODEL,
                ConfigurateMethod.CUSTOMIZABLE_MODEL,
            )
        ),
        "configuration by customizable-model added",
        False,
    ),
    "field removed": (lambda: form(lambda key, url: [key]), "base_url: removed", True),
    "field renamed": (
        lambda: form(lambda key, url: [key, evolve(url, variable="url")]),
        "base_url: renamed to url",
        True,
    ),
    "field added": (
        lambda: form(lambda key, url: [key, url, _new(url, "region", required=False)]),
        "region: added, optional",
        False,
    ),
    "required field added": (
        lambda: form(lambda key, url: [key, url, _new(url, "region", required=True, default=None)]),
        "region: added, required",
        True,
    ),
    "secret shown": (
        lambda: form(lambda key, url: [evolve(key, type=FormType.TEXT_INPUT), url]),
        "api_key: secret-input → text-input",
        True,
    ),
    "text hidden": (
        lambda: form(lambda key, url: [key, evolve(url, type=FormType.SECRET_INPUT)]),
        "base_url: text-input → secret-input",
        True,
    ),
    "retyped": (
        lambda: form(lambda key, url: [key, evolve(url, type=FormType.SWITCH)]),
        "base_url: text-input → switch",
        True,
    ),
    "optional": (
        lambda: form(lambda key, url: [evolve(key, required=False), url]),
        "api_key: optional",
        False,
    ),
    "required": (
        lambda: form(lambda key, url: [key, evolve(url, required=True)]),
        "base_url: required",
        False,
    ),
    "default": (
        lambda: form(lambda key, url: [key, evolve(url, default="https://x.example")]),
        "base_url: default https://api.tariff.example/v1 → https://x.example",
        False,
    ),
    "shorter": (
        lambda: form(lambda key, url: [key, evolve(url, max_length=10)]),
        "base_url: max_length none → 10",
        True,
    ),
    "option": (
        lambda: form(lambda key, url: [key, evolve(url, options=(Option("a", I18n("A")),))]),
        "base_url: option 'a' added",
        False,
    ),
    "field added and sometimes shown": (
        lambda: form(
            lambda key, url: [
                key,
                url,
                _new(
                    url, "region", required=True, default=None, show_on=(ShowOn("base_url", "x"),)
                ),
            ]
        ),
        "region: added, required where it is shown",
        True,
    ),
    "icon": (
        lambda: provider(icon_small=I18n("other.svg")),
        "icon_small: ",
        False,
    ),
    "help": (
        lambda: provider(help=Help(title=I18n("Look"), url=I18n("https://x.example"))),
        "help: “Get an API key” https://tariff.example/keys → “Look” https://x.example",
        False,
    ),
    "placeholder": (
        lambda: form(lambda key, url: [evolve(key, placeholder=I18n("Key")), url]),
        "api_key: placeholder changed",
        False,
    ),
    "model removed": (
        lambda: evolve(TARIFF, models=TARIFF.models[1:]),
        f"{NAME} (llm): removed",
        True,
    ),
    "model added": (
        lambda: evolve(TARIFF, models=(*TARIFF.models, evolve(TARIFF.models[0], model="new"))),
        "new (llm): added",
        False,
    ),
    "deprecated": (lambda: model(deprecated=True), f"{NAME}: deprecated", False),
    "feature": (
        lambda: model(features=(*TARIFF.models[0].features, Feature.VISION)),
        f"{NAME}: feature vision added",
        False,
    ),
    "context": (
        lambda: model(
            model_properties=evolve(TARIFF.models[0].model_properties, context_size=65536)
        ),
        f"{NAME}: context_size 32768 → 65536",
        False,
    ),
    "price": (lambda: model(pricing=PRICE), f"{NAME}: price 0.10/0.40 × 0.000001 USD → 0.2", False),
    "parameter": (
        lambda: rules(lambda first, *others: others),
        f"{NAME}: parameter temperature removed",
        False,
    ),
    "limit": (
        lambda: rules(lambda first, *others: [evolve(first, max=1), *others]),
        f"{NAME}: parameter temperature: max 2 → 1",
        False,
    ),
}


def _new(field, variable, **values):
    return evolve(field, variable=variable, label=I18n("Region"), **values)


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_has_its_sentence(name):
    make, text, breaks = CHANGES[name]
    (change,) = changes_between(TARIFF, make())
    assert change.text.startswith(text)
    assert bool(change.breaks) == breaks


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_has_a_way_back(name):
    make, _, _ = CHANGES[name]
    assert len(changes_between(make(), TARIFF)) == 1


def test_a_field_that_is_required_from_now_on_breaks_what_was_left_empty():
    old = form(lambda key, url: [key, evolve(url, default=None)])
    new = form(lambda key, url: [key, evolve(url, default=None, required=True)])
    (change,) = changes_between(old, new)
    assert (change.text, bool(change.breaks)) == ("base_url: required", True)


def test_a_field_that_two_new_ones_resemble_is_removed():
    old = form(lambda key, url: [key, url])
    new = form(
        lambda key, url: [key, evolve(url, variable="first"), evolve(url, variable="second")]
    )
    assert [change.text for change in changes_between(old, new)][:1] == ["base_url: removed"]


def test_a_rename_that_the_new_field_declares_breaks_nothing():
    class Old(Credentials):
        address: str = text_input(label=I18n("Address"))

    class New(Credentials):
        base_url: str = text_input(label=I18n("URL"), was="address")

    class Forgetful(Credentials):
        base_url: str = text_input(label=I18n("Address"))

    def with_form(credentials):
        schema = provider_form(credentials)
        provider = evolve(TARIFF.provider, provider_credential_schema=schema)
        return evolve(TARIFF, credentials=credentials, provider=provider)

    (change,) = changes_between(with_form(Old), with_form(New))
    assert (change.text, change.breaks) == ("address: renamed to base_url", "")
    (change,) = changes_between(with_form(Old), with_form(Forgetful))
    assert change.text == "address: renamed to base_url"
    assert change.breaks == (
        "stored values stay under the old name: users enter the field again, "
        "unless it declares was='address'"
    )


def test_an_option_that_goes_breaks_what_was_chosen():
    options = (Option("a", I18n("A")), Option("b", I18n("B")))
    old = form(lambda key, url: [key, evolve(url, options=options)])
    new = form(lambda key, url: [key, evolve(url, options=options[:1])])
    (change,) = changes_between(old, new)
    assert (change.text, bool(change.breaks)) == ("base_url: option 'b' removed", True)


def test_what_an_option_says_and_when():
    option = Option("a", I18n("A"))
    old = form(lambda key, url: [key, evolve(url, options=(option,))])
    renamed = evolve(option, label=I18n("B"))
    new = form(lambda key, url: [key, evolve(url, options=(renamed,))])
    assert [change.text for change in changes_between(old, new)] == [
        "base_url: label of option 'a' “A” → “B”"
    ]
    hidden = evolve(option, show_on=(ShowOn("api_key", "x"),))
    new = form(lambda key, url: [key, evolve(url, options=(hidden,))])
    (change,) = changes_between(old, new)
    assert change.text == "base_url: show_on of option 'a' changed"


def test_models_that_users_add_are_compared_by_what_holds_of_any():
    llm = XINFERENCE.customizable_model(ModelType.LLM)
    (change,) = changes_between(
        XINFERENCE, custom(features={**llm.features, Feature.DOCUMENT: ability("d")})
    )
    assert change.text == "any llm model: feature document added"
    (change,) = changes_between(
        XINFERENCE, custom(properties={**llm.properties, "context_size": 4096})
    )
    was = llm.properties["context_size"]
    assert str(was).startswith('first_of(setting("context_size"), limit("context_length")')
    assert change.text == f"any llm model: context_size {was} → 4096"
    sees = {**llm.features, Feature.VISION: ability("vision")}
    (change,) = changes_between(XINFERENCE, custom(features=sees))
    was = llm.features[Feature.VISION]
    assert change.text == f'any llm model: feature vision {was} → ability("vision")'
    first, *others = (rule for rule in llm.parameter_rules if rule.when)
    always_there = (evolve(first, when=None), *others)
    (change,) = changes_between(
        custom(parameter_rules=(first, *others)), custom(parameter_rules=always_there)
    )
    assert change.text == f"any llm model: parameter {first.name}: when {first.when} → none"


@pytest.mark.parametrize(
    "term",
    [
        always,
        ability("a"),
        ~(ability("a") | ability("b")),
        ability("a") & (ability("b") | ~ability("c")),
        limit("dimensions"),
        setting("max_chunks"),
        first_of(setting("s"), limit("dimensions"), 3),
        choose(ability("chat"), "chat", otherwise="completion"),
        share(of=9, size=limit("dimensions"), at_most=first_of(setting("s"), 2)),
    ],
    ids=str,
)
def test_a_term_is_shown_as_it_is_declared(term):
    assert eval(str(term)) == term


@given(project=projects())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_nothing_has_changed_in_what_is_the_same(project):
    assert changes_between(project, project) == ()


@given(old=projects(), new=projects())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_two_compare_in_lines(old, new):
    for change in changes_between(old, new):
        assert change.text
        assert "\n" not in change.text
