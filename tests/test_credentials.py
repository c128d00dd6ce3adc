"""One credentials class gives the form and the typed value; both are tested on the real spec."""

import traceback
from enum import Enum
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provider_spec import XinferenceCredentials, project
from xinfer.spec import (
    Credentials,
    FormError,
    FormType,
    I18n,
    Option,
    Secret,
    between,
    model_form,
    native_switch,
    secret_input,
    select,
    switch,
    text_input,
)
from xinfer.spec.credentials import fields
from xinfer.spec.project import complete

GOOD = {"server_url": "http://127.0.0.1:9997", "model_uid": "chat"}


def refused(raw: dict[str, object]) -> FormError:
    with pytest.raises(FormError) as caught:
        XinferenceCredentials.from_form(raw)
    return caught.value


def test_strings_become_typed_values_and_extra_keys_are_ignored():
    read = XinferenceCredentials.from_form(
        {**GOOD, "api_key": " sk-1\n", "invoke_timeout": "30", "max_retries": 1, "other": []}
    )
    assert read.invoke_timeout == 30.0
    assert read.max_retries == 1
    assert read.api_key == Secret("sk-1")


def test_absent_and_blank_fields_take_their_defaults():
    read = XinferenceCredentials.from_form({**GOOD, "api_key": " ", "invoke_timeout": None})
    assert (read.api_key, read.invoke_timeout, read.max_retries) == (None, 60.0, 3)


@pytest.mark.parametrize(
    "pasted",
    [
        " http://h:9997 ",
        "http://h:9997/",
        "http://h:9997/v1",
        "http://h:9997/v1/",
        "http://h:9997/ui/",
    ],
)
def test_what_people_paste_as_the_url_is_forgiven(pasted):
    assert XinferenceCredentials.from_form({**GOOD, "server_url": pasted}).server_url == (
        "http://h:9997"
    )


def test_every_wrong_field_is_named_in_both_languages():
    error = refused({"server_url": "host:9997", "invoke_timeout": "-1", "max_retries": "three"})
    assert [problem.variable for problem in error.problems] == [
        "server_url",
        "model_uid",
        "invoke_timeout",
        "max_retries",
    ]
    assert "begin with http://" in str(error)
    assert "「服务器 URL」：" in str(error)


def test_another_versions_ciphertext_asks_for_the_field_again():
    error = refused({**GOOD, "server_url": "SFlCUklEOabcdef"})
    assert "enter this field again" in str(error)
    assert "请重新填写" in str(error)


# A digit in front: the name of a field is no secret that shows.
@given(key=st.from_regex("[0-9][a-z0-9]{11,}", fullmatch=True))
def test_a_secret_shows_nowhere(key):
    raw: dict[str, object] = {**GOOD, "api_key": key}
    read = XinferenceCredentials.from_form(raw)
    texts = f"{read} {read!r} {read.api_key} {read.api_key!r} {read.api_key:>20}"
    assert key not in texts
    assert read.api_key is not None
    assert read.api_key.reveal() == key
    try:
        XinferenceCredentials.from_form({**raw, "model_uid": ""})
    except FormError as error:
        report = traceback.TracebackException.from_exception(error, capture_locals=True)
        inside = [frame for frame in report.stack if frame.name == "from_form"]
        assert inside
        assert not any(key in value for frame in inside for value in (frame.locals or {}).values())


def test_a_validator_that_quotes_the_secret_is_not_repeated():
    def no_dash(value: Secret) -> None:
        raise ValueError(f"{value.reveal()} has no dash")

    class Keyed(Credentials):
        key: Secret = secret_input(label=I18n("Key"), validator=no_dash)

    with pytest.raises(FormError) as caught:
        Keyed.from_form({"key": "hunter2"})
    assert "hunter2" not in str(caught.value)


class Shaped(Credentials):
    """A form whose fields depend on each other."""

    kind: str = select(label=I18n("Kind"), options=[Option("a", I18n("A")), Option("b", I18n("B"))])
    only_b: str | None = text_input(label=I18n("Only b"), show_on={"kind": "b"})
    fast: bool = switch(label=I18n("Fast"), default=False)


def test_a_switch_is_a_radio_of_true_and_false():
    form = fields(Shaped)[2].form
    assert (form.type, form.default) == (FormType.RADIO, "false")
    assert [option.value for option in form.options] == ["true", "false"]
    assert Shaped.from_form({"kind": "a", "fast": "true"}).fast is True
    assert Shaped.from_form({"kind": "a"}).fast is False


def test_difys_own_switch_has_another_name():
    class Native(Credentials):
        fast: bool = native_switch(label=I18n("Fast"), default=True)

    (field,) = fields(Native)
    assert (field.form.type, field.form.default, field.form.options) == ("switch", "true", ())


def test_a_hidden_field_is_neither_demanded_nor_used():
    assert Shaped.from_form({"kind": "a", "only_b": "stale"}).only_b is None
    assert Shaped.from_form({"kind": "b", "only_b": "x"}).only_b == "x"
    with pytest.raises(FormError, match="only_b"):
        Shaped.from_form({"kind": "b"})


def test_a_choice_outside_the_options_is_refused_with_the_options():
    with pytest.raises(FormError, match=r"'c' is not an option: choose A, B"):
        Shaped.from_form({"kind": "c"})


@given(fast=st.booleans(), text=st.text(min_size=1).filter(str.strip))
def test_what_is_written_to_the_form_reads_back_equal(fast, text):
    written = Shaped(kind="b", only_b=text, fast=fast)
    assert Shaped.from_form(written.to_form()) == written


def test_a_field_without_a_specifier_or_with_an_unreadable_type_is_refused_by_name():
    with pytest.raises(TypeError, match=r"Bare\.host"):

        class Bare(Credentials):
            host: str

    with pytest.raises(TypeError, match=r"Odd\.hosts"):

        class Odd(Credentials):
            hosts: list[str] = text_input(label=I18n("Hosts"))

    with pytest.raises(TypeError, match="go together"):

        class Open(Credentials):
            key: str = secret_input(label=I18n("Key"))


def test_both_forms_come_from_the_class_and_dify_asks_type_and_name_itself():
    provider = complete(project).provider
    assert provider.provider_credential_schema is not None
    assert provider.model_credential_schema is not None
    names = [f.variable for f in provider.provider_credential_schema.credential_form_schemas]
    model = [f.variable for f in provider.model_credential_schema.credential_form_schemas]
    assert names == ["model_type", "model_name", *model]
    assert model[:5] == ["server_url", "model_uid", "api_key", "invoke_timeout", "max_retries"]
    assert provider.model_credential_schema.model.label.en_US == "Model name"


def test_a_declaration_knows_where_it_was_written():
    assert project.span is not None
    assert project.span.file.endswith("provider_spec.py")


def test_a_default_is_what_entering_it_would_give():
    class Tidied(Credentials):
        language: str = text_input(label=I18n("Language"), default=" EN-us ", converter=str.lower)

    assert Tidied.from_form({}) == Tidied() == Tidied.from_form({"language": "en-us"})


def test_a_default_that_the_field_refuses_is_said_when_the_class_is_made():
    with pytest.raises(TypeError, match=r"Wrong.retries: its default is refused: .*from 0 to 3"):

        class Wrong(Credentials):
            retries: int = text_input(label=I18n("Retries"), default=9, validator=between(0, 3))


def test_an_unreadable_condition_hides_no_other_problem():
    class Conditional(Credentials):
        region: str = text_input(label=I18n("Region"))
        zone: str = text_input(label=I18n("Zone"), show_on={"region": "eu"})

    with pytest.raises(FormError, match=r"region.*not a list"):
        Conditional.from_form({"region": [], "zone": "a"})


class Speed(Enum):
    SLOW = 1
    FAST = 2


def test_choices_are_read_and_written_by_their_texts():
    class Chosen(Credentials):
        tier: Literal["free", "paid"] = text_input(label=I18n("Tier"))
        speed: Speed = text_input(label=I18n("Speed"))

    chosen = Chosen.from_form({"tier": "paid", "speed": "2"})
    assert (chosen.tier, chosen.speed) == ("paid", Speed.FAST)
    assert Chosen.from_form(chosen.to_form()) == chosen
    with pytest.raises(FormError, match=r"tier.*one of free, paid") as refused:
        Chosen.from_form({"tier": "gold", "speed": "3"})
    assert "one of 1, 2" in str(refused.value)


@pytest.mark.parametrize(
    ("declare", "words"),
    [
        (lambda: text_input(label=I18n("A"), placehoder=I18n("B")), "did you mean placeholder?"),
        (lambda: select(label=I18n("A"), choices=()), "it takes label, default, "),
        (lambda: text_input(), r"text_input\(\) needs a label"),
        (lambda: select(label=I18n("A"), options=["a"]), r"needs options such as Option\(.*'a'"),
    ],
)
def test_a_field_takes_no_other_arguments(declare, words):
    with pytest.raises(TypeError, match=words):
        declare()


def test_a_field_needs_a_type():
    with pytest.raises(TypeError, match=r"Wrong\.key needs a type: write key: str"):

        class Wrong(Credentials):
            key = text_input(label=I18n("Key"))


class PerType(Credentials):
    """One field for several model types."""

    size: int = text_input(
        label=I18n("Size"), default=4096, show_on={"__model_type": ("llm", "rerank"), "mode": "a"}
    )
    mode: str = text_input(label=I18n("Mode"), default="a")


def test_any_of_several_values_shows_a_field():
    """Dify's conditions must all hold, so the form has the field once for each value."""
    form = model_form(PerType).credential_form_schemas
    assert [(f.variable, [(c.variable, c.value) for c in f.show_on]) for f in form] == [
        ("size", [("__model_type", "llm"), ("mode", "a")]),
        ("size", [("__model_type", "rerank"), ("mode", "a")]),
        ("mode", []),
    ]
    assert [f.default for f in form] == ["4096", "4096", "a"]
    size, mode = fields(PerType)
    assert size.model_types == {"llm", "rerank"}
    assert mode.model_types == frozenset()


@pytest.mark.parametrize(
    ("stored", "visible"),
    [
        ({}, None),
        ({"mode": "b"}, False),
        ({"mode": "a"}, None),
        ({"mode": "a", "__model_type": "llm"}, True),
        ({"mode": "a", "__model_type": "rerank"}, True),
        ({"mode": "a", "__model_type": "tts"}, False),
        ({"__model_type": "rerank"}, None),
    ],
)
def test_a_field_is_shown_if_one_of_its_ways_holds(stored, visible):
    assert fields(PerType)[0].is_shown(stored) is visible


def test_what_a_hidden_choice_left_is_not_used():
    assert PerType.from_form({"size": "1", "mode": "b"}).size == 4096
    assert PerType.from_form({"size": "1", "mode": "a"}).size == 1


def test_a_check_of_several_fields_repeats_no_secret_though_there_are_two():
    class Keys(Credentials):
        first: Secret = secret_input(label=I18n("First"))
        second: Secret = secret_input(label=I18n("Second"))

        def __attrs_post_init__(self) -> None:
            raise ValueError(f"{self.second.reveal()} does not belong to the first key")

    with pytest.raises(FormError) as refused:
        Keys.from_form({"first": "sk-first-key", "second": "sk-second-key"})
    assert "sk-second-key" not in str(refused.value)
    assert "is not accepted: check it and enter it again" in str(refused.value)
