"""What a credentials field sets: checked where it is declared, and collected for a call."""

import pytest

from provider_spec import XinferenceCredentials
from xinfer.spec import (
    Credentials,
    FormError,
    I18n,
    Option,
    Secret,
    api_key,
    base_url,
    body,
    header,
    headers,
    query,
    radio,
    secret_input,
    text_input,
    timeout,
    verify_tls,
)
from xinfer.spec.targets import connection_settings

URL = "https://api.example.com/v1"


class Account(Credentials):
    """An account with one of everything."""

    url: str = text_input(label=I18n("URL"), default=URL, sets=base_url, was=("server", "host"))
    key: Secret | None = secret_input(label=I18n("Key"), default=None, sets=api_key)
    org: str | None = text_input(label=I18n("Org"), default=None, sets=header("X-Org"))
    version: str = text_input(label=I18n("Version"), default="1", sets=query("api-version"))
    extra: Secret | None = secret_input(label=I18n("Headers"), default=None, sets=headers)
    fields: str | None = text_input(label=I18n("Body"), default=None, sets=body)
    region: str = radio(
        label=I18n("Region"),
        options=[Option("cn", I18n("China")), Option("eu", I18n("Europe"))],
        default="eu",
        sets=body("region").by_option({"cn": 1, "eu": 2}),
    )
    language: str = text_input(
        label=I18n("Language"),
        default="en",
        sets=body("language"),
        show_on={"__model_type": "speech2text"},
    )


def settings_of(model_type="llm", **stored):
    return connection_settings(Account.from_form(stored), model_type)


def test_every_target_is_collected():
    settings = settings_of(
        key="k", org="me", extra="X-A: 1; X-B: two words", fields='{"top_k": 4}', region="cn"
    )
    assert settings.base_url == URL
    assert settings.api_key == Secret("k")
    assert {name: value.reveal() for name, value in settings.headers.items()} == {
        "X-A": "1",
        "X-B": "two words",
        "X-Org": "me",
    }
    assert settings.query == {"api-version": "1"}
    assert settings.body == {"top_k": 4, "region": 1}
    assert settings.timeout is None


def test_a_field_of_other_model_types_sets_nothing():
    assert settings_of("llm").body == {"region": 2}
    assert settings_of("speech2text").body == {"region": 2, "language": "en"}


def test_one_header_wins_over_those_that_are_entered():
    settings = settings_of(org="me", extra='{"X-Org": "you", "X-A": 1}')
    assert {name: value.reveal() for name, value in settings.headers.items()} == {
        "X-Org": "me",
        "X-A": "1",
    }


@pytest.mark.parametrize("stored", [{"server": "http://s"}, {"host": "http://h", "url": ""}])
def test_a_renamed_field_reads_what_was_stored_under_its_former_names(stored):
    assert settings_of(**stored).base_url == next(iter(stored.values()))
    assert settings_of(**(stored | {"url": "http://u"})).base_url == "http://u"


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        ({"extra": "Authorization: Bearer other"}, "the plugin sets these headers itself"),
        ({"extra": '{"content-type": "x"}'}, "the plugin sets these headers itself"),
        ({"extra": "X-A"}, "must be a JSON object such as"),
        ({"extra": '{"X-A": ["b"]}'}, "must be a JSON object such as"),
        ({"extra": '{"X-A": "b\\nHost: c"}'}, "must be one line of Latin letters"),
        ({"org": "好"}, "must be one line of Latin letters"),
        ({"fields": "[1]"}, "must be a JSON object, e.g."),
        ({"fields": "top_k=4"}, "must be a JSON object, e.g."),
    ],
)
def test_what_a_request_cannot_carry_is_refused(stored, reason):
    with pytest.raises(FormError, match=reason) as refused:
        Account.from_form(stored)
    assert "other" not in str(refused.value)


def declare(kind=str, make=text_input, **options):
    annotations = {"url": str, "field": kind}
    return type(
        "Declared",
        (Credentials,),
        {
            "__annotations__": annotations,
            "url": text_input(label=I18n("URL"), sets=base_url),
            "field": make(label=I18n("Field"), **options),
        },
    )


UNSENDABLE = {"a": "1", "b": "好"}
CHOICE = [Option("a", I18n("A")), Option("b", I18n("B"))]


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ({"sets": "base_url"}, "sets takes a value such as base_url or header"),
        ({"sets": base_url}, "url and field both set base_url"),
        ({"sets": api_key}, "api_key is set by a field of type Secret: declare it with secret_inp"),
        ({"sets": headers}, "headers is set by a field of type Secret"),
        ({"sets": timeout}, "timeout is set by a field of type float or int"),
        ({"sets": verify_tls}, "verify_tls is set by a field of type bool"),
        (
            {"make": radio, "options": CHOICE, "sets": query("q").by_option({"a": "1"})},
            r"query\(\"q\"\).by_option\(\) needs a value for each option \(a, b\), and has a",
        ),
        (
            {
                "make": radio,
                "options": CHOICE,
                "sets": header("X").by_option({"a": "1", "b": "好"}),
            },
            "must be one line of Latin letters",
        ),
    ],
)
def test_a_field_that_cannot_set_that_is_refused_where_it_is_declared(declared, reason):
    with pytest.raises(TypeError, match=reason):
        declare(**declared)


def test_fields_that_are_never_shown_together_may_set_the_same():
    class Either(Credentials):
        way: str = radio(label=I18n("Way"), options=CHOICE, default="a")
        public: str | None = text_input(
            label=I18n("Public URL"), default=None, sets=base_url, show_on={"way": "a"}
        )
        private: str | None = text_input(
            label=I18n("Private URL"), default=None, sets=base_url, show_on={"way": "b"}
        )

    read = Either.from_form({"way": "b", "public": "http://1", "private": "http://2"})
    assert connection_settings(read).base_url == "http://2"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: header("Authorization"), "use api_key"),
        (lambda: header("Host"), "the client writes it"),
        (lambda: header("a b"), "is not the name of a header"),
        (lambda: query(""), "needs a name"),
        (lambda: body(""), "needs a key"),
    ],
)
def test_a_target_that_is_none_is_refused(make, reason):
    with pytest.raises(ValueError, match=reason):
        make()


def test_the_xinference_spec_uses_them_like_any_other():
    read = XinferenceCredentials.from_form(
        {"server_url": "http://h:9997/v1/", "model_uid": "m", "invoke_timeout": "5"}
    )
    settings = connection_settings(read, "llm")
    assert (settings.base_url, settings.model, settings.timeout) == ("http://h:9997", "m", 5.0)
    assert (settings.max_retries, settings.verify_tls, settings.body) == (3, True, {})
