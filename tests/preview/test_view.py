"""What Dify shows, as a pure function: the table of known dialogs, and graphon beside it."""

import pytest
from graphon.model_runtime.entities.provider_entities import CredentialFormSchema
from graphon.model_runtime.schema_validators.common_validator import CommonValidator
from hypothesis import given, settings
from hypothesis import strategies as st

from preview.cases import CASES, CREDENTIAL, NAME, TYPE, Case, choice, project, text
from xinfer.preview.cards import context_badge, model_rows, plugin_card, provider_card
from xinfer.preview.dialog import dialog
from xinfer.preview.form import State, mask
from xinfer.preview.language import LANGUAGES, interface_text
from xinfer.preview.parameters import panel, structured_output
from xinfer.preview.profiles import PROFILES
from xinfer.preview.submission import receive
from xinfer.preview.view import Selection, as_json, view
from xinfer.spec import (
    Feature,
    I18n,
    Model,
    ModelProperties,
    ModelType,
    ParameterRule,
    ParameterType,
    Template,
)
from xinfer.spec.declaration import evolve
from xinfer.spec.form import FormType
from xinfer.yaml import to_data


def state(case: Case, *, pressed: bool = True) -> State:
    return State(dialog=case.dialog, edits=case.edits, stored=case.stored, pressed=pressed)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.number)
def test_a_dialog_is_what_dify_draws(case):
    drawn = dialog(project(case), PROFILES[case.profile], case.language, state(case))
    visible = [entry for entry in drawn.fields if entry.visible]
    own = [entry.variable for entry in visible if entry.index is None]
    assert tuple(e.variable for e in visible if e.index is not None) == case.visible
    if case.order is not None:
        assert tuple(entry.variable for entry in visible) == case.order
    if case.starred is not None:
        assert tuple(e.variable for e in visible if e.required) == case.starred
    by_name = {entry.variable: entry for entry in drawn.fields}
    assert {name: by_name[name].value for name in case.values} == case.values
    assert tuple(e.variable for e in drawn.fields if e.error) == case.errors
    assert {name: by_name[name].sent for name in case.sent} == case.sent
    assert drawn.saved is not bool(case.errors)
    if case.received is not None:
        assert drawn.received.values == case.received
    if case.refusal is not None:
        assert drawn.received.error == case.refusal
    assert (NAME in own) is (case.dialog == "add")


def test_an_error_names_the_field_in_the_language_of_the_interface():
    case = next(case for case in CASES if case.number == "4")
    for language, words in (("en-US", "ctx label is required"), ("zh-Hans", "ctx label 为必填项")):
        drawn = dialog(project(case), PROFILES["current"], language, state(case))
        assert [entry.error for entry in drawn.fields if entry.error] == [words]


def test_the_oldest_dialog_locks_its_button_until_nothing_is_missing():
    case = next(case for case in CASES if case.number == "5")
    legacy = PROFILES["legacy"]
    assert not dialog(project(case), legacy, "en-US", State()).enabled
    filled = State(edits=((NAME, "m"), ("url", "u")))
    assert dialog(project(case), legacy, "en-US", filled).enabled
    assert dialog(project(case), PROFILES["current"], "en-US", State()).enabled


def test_a_hidden_field_says_which_condition_fails_and_what_is_there_instead():
    case = next(case for case in CASES if case.number == "1")
    drawn = dialog(project(case), PROFILES["current"], "en-US", State())
    (hidden,) = [entry for entry in drawn.fields if not entry.visible]
    (unmet,) = hidden.unmet
    assert (unmet.variable, unmet.wanted, unmet.present) == (TYPE, "llm", "")


def test_the_credential_name_is_an_input_of_every_dialog_but_the_oldest():
    case = CASES[0]
    for name, profile in PROFILES.items():
        drawn = dialog(project(case), profile, "en-US", State())
        assert (CREDENTIAL in [e.variable for e in drawn.fields]) is (name != "legacy")


def test_a_provider_without_a_form_has_no_dialog():
    whole = project(CASES[0])
    without = evolve(whole, provider=evolve(whole.provider, provider_credential_schema=None))
    assert dialog(without, PROFILES["current"], "en-US", State(dialog="provider")) is None


@pytest.mark.parametrize(("secret", "masked"), [("12345678", "*" * 20), ("123456789", None)])
def test_a_stored_secret_is_masked_as_the_api_does(secret, masked):
    assert mask(secret) == (masked or f"123456{'*' * 12}89")


# Case 23.


@pytest.mark.parametrize(
    ("language", "without_chinese", "with_chinese"),
    [(language, "E", "Z" if language == "zh-Hans" else "E") for language in LANGUAGES],
)
def test_a_providers_text_is_english_or_chinese_whatever_the_spec_says(
    language, without_chinese, with_chinese
):
    label = I18n("E", ja_JP="J", pt_BR="P")
    for text_, expected in ((label, without_chinese), (evolve(label, zh_Hans="Z"), with_chinese)):
        case = Case(number="23", fields=(text("f", label=text_),), visible=("f",))
        drawn = dialog(project(case), PROFILES["current"], language, State())
        assert drawn.fields[-1].label == expected
    whole = project(case)
    assert provider_card(whole, language, "light").label == "E"
    assert plugin_card(whole, language, "light").label == ("J" if language == "ja-JP" else "E")


# Case 24.

RULES = (
    ParameterRule(
        name="t", type=ParameterType.FLOAT, min=0, max=2, precision=2, default=0.7, label=I18n("T")
    ),
    ParameterRule(name="i", type=ParameterType.INT, min=1, max=4096, default=512, required=True),
    ParameterRule(name="low", type=ParameterType.INT, min=1),
    ParameterRule(name="box", type=ParameterType.FLOAT, precision=2),
    ParameterRule(name="o", type=ParameterType.STRING, options=("a", "b")),
    ParameterRule(name="s", type=ParameterType.STRING),
    ParameterRule(name="x", type=ParameterType.TEXT),
    ParameterRule(name="b", type=ParameterType.BOOLEAN),
    ParameterRule(name="max_tokens", use_template=Template.MAX_TOKENS),
    ParameterRule(name="top_k", use_template=Template.TOP_K, max=50),
)


def llm_model(rules=RULES, **options):
    properties = ModelProperties(mode="chat", context_size=131072)
    return Model(
        model="m",
        model_type=ModelType.LLM,
        model_properties=properties,
        parameter_rules=rules,
        **options,
    )


def test_controls_and_steps_of_parameters():
    drawn = panel(llm_model(), PROFILES["current"], "en-US")
    assert [(p.name, p.control, p.step, p.optional) for p in drawn.parameters] == [
        ("t", "slider", 0.1, True),
        ("i", "slider", 100, False),
        ("low", "number", 0.0, True),
        ("box", "number", 0.2, True),
        ("o", "select", None, True),
        ("s", "text", None, True),
        ("x", "textarea", None, True),
        ("b", "boolean", None, True),
        ("max_tokens", "slider", 100, True),
        ("top_k", "slider", 1, True),
    ]
    assert [(p.minimum, p.maximum) for p in drawn.parameters[-2:]] == [(1, 2048), (1, 50)]
    assert drawn.sent == {}


@pytest.mark.parametrize(
    ("edits", "sent"),
    [
        ([("t", True)], {"t": 0.7}),
        ([("t", 1.3)], {}),
        ([("t", 1.3), ("t", True)], {"t": 1.3}),
        ([("t", True), ("t", False)], {}),
        ([("i", 9999)], {"i": 4096}),
        ([("i", 0)], {"i": 1}),
        ([("low", True)], {"low": 1}),
        ([("b", True)], {}),
    ],
)
def test_what_an_app_stores_of_parameters(edits, sent):
    assert panel(llm_model(), PROFILES["current"], "en-US", edits).sent == sent


def test_the_labels_of_templates_are_difys_own():
    drawn = panel(llm_model(), PROFILES["current"], "zh-Hans")
    assert [p.label for p in drawn.parameters[-2:]] == ["最大 Token 数", "Top K"]


def test_a_model_without_rules_has_no_panel():
    assert panel(llm_model(()), PROFILES["current"], "en-US") is None


# Case 25.

VISION = {"features": (Feature.VISION,)}
WITH_SCHEMA = (
    ParameterRule(name="json_schema", use_template=Template.JSON_SCHEMA),
    ParameterRule(
        name="response_format", type=ParameterType.STRING, options=("JSON", "json_object")
    ),
)


@pytest.mark.parametrize(
    ("options", "rules", "old", "new"),
    [
        (
            {"features": (Feature.VISION,)},
            WITH_SCHEMA,
            "native",
            "prompt, with response_format JSON",
        ),
        ({}, WITH_SCHEMA, "native", "native"),
        ({"features": (Feature.STRUCTURED_OUTPUT,)}, WITH_SCHEMA, "native", "native"),
        (
            {"features": (Feature.STRUCTURED_OUTPUT,)},
            WITH_SCHEMA[1:],
            "nothing: there is no json_schema rule",
            "nothing: there is no json_schema rule",
        ),
        ({}, RULES, "prompt", "prompt"),
    ],
)
def test_structured_output_by_the_version_of_graphon(options, rules, old, new):
    model = llm_model(rules, **options)
    assert structured_output(model, PROFILES["graphon-0.7"]) == old
    assert structured_output(model, PROFILES["current"]) == new


# The list of models.


@pytest.mark.parametrize(
    ("size", "badge"),
    [
        (131072, "131K"),
        (4096, "4K"),
        (512, "512"),
        (0, ""),
        (None, ""),
        ("8192", "8K"),
        ("8k", "NaNK"),
    ],
)
def test_the_badge_of_a_context_size(size, badge):
    assert context_badge(size) == badge


def test_models_are_listed_by_type_with_badges_and_marks():
    kinds = (ModelType.TTS, ModelType.RERANK, ModelType.TEXT_EMBEDDING)
    plain = [Model(model=k, model_type=k, model_properties=ModelProperties()) for k in kinds]
    chat = llm_model(features=(Feature.TOOL_CALL, Feature.VISION), deprecated=True)
    rows = model_rows([*plain, chat], "en-US")
    assert [row.model for row in rows] == ["m", "rerank", "text-embedding", "tts"]
    assert rows[0].badges == ("LLM", "CHAT", "131K")
    assert rows[0].capabilities == ("Vision",)
    assert not rows[0].selectable
    assert rows[0].note == interface_text("deprecated", "en-US")


def test_a_dark_icon_is_taken_where_there_is_one():
    whole = project(CASES[0])
    dark = evolve(
        whole,
        provider=evolve(whole.provider, icon_small_dark=I18n("dark.svg")),
        manifest=evolve(whole.manifest, icon_dark="dark.svg"),
    )
    for theme, icon in (("light", "icon.svg"), ("dark", "dark.svg")):
        assert provider_card(dark, "en-US", theme).icon == icon
        assert plugin_card(dark, "en-US", theme).icon == icon
    assert provider_card(whole, "en-US", "dark").icon == "icon.svg"


def test_a_view_is_plain_data():
    import json

    page = view(project(CASES[0]), Selection())
    data = json.loads(json.dumps(as_json(page)))
    assert data["dialog"]["title"] == "Add model"
    assert [field["visible"] for field in data["dialog"]["fields"]] == [
        True,
        True,
        True,
        False,
        True,
    ]


# graphon, which holds what Dify's server really runs.

VALUES = st.sampled_from(["", " ", "a", "b", "on", "true", "false", "abcd", "llm"])
NAMES = st.sampled_from(["a", "b", "c"])
CONDITIONS = st.lists(st.tuples(NAMES | st.just(TYPE), VALUES.filter(bool)), max_size=2)


@st.composite
def form_fields(draw):
    kind = draw(st.sampled_from(list(FormType)))
    options = {"required": draw(st.booleans()), "show_on": tuple(draw(CONDITIONS))}
    if draw(st.booleans()):
        options["default"] = draw(VALUES)
    if draw(st.booleans()):
        options["max_length"] = draw(st.integers(0, 3))
    if kind in (FormType.SELECT, FormType.RADIO):
        return choice(draw(NAMES), *draw(st.sets(VALUES.filter(bool))), **options)
    return text(draw(NAMES), type=kind, **options)


@settings(max_examples=400, deadline=None)
@given(
    fields=st.lists(form_fields(), max_size=4),
    sent=st.dictionaries(NAMES, VALUES),
    model_type=st.sampled_from(["llm", "rerank"]),
)
def test_the_server_is_graphon(fields, sent, model_type):
    ours = receive(fields, sent, model_type=model_type)
    schemas = [CredentialFormSchema.model_validate(to_data(entry)) for entry in fields]
    raw = {**sent, TYPE: model_type}
    validate = CommonValidator()._validate_and_filter_credential_form_schemas
    if ours.error is None:
        assert ours.values == validate(schemas, raw)
    else:
        with pytest.raises((ValueError, TypeError), match=f"^{ours.error}$"):
            validate(schemas, raw)
