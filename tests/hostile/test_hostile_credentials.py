"""Whatever a tenant enters costs the others nothing: its size is bounded before it is looked at."""

import pytest
from dify_plugin.entities.model.message import UserPromptMessage
from dify_plugin.errors.model import InvokeBadRequestError
from under_sdk import LLM, TTS, credentials_for, reply_of

from provider_spec import XinferenceCredentials
from xinfer.spec import Invalid, Secret, listed, openai_url, pem, setting
from xinfer.spec.conditions import ModelInfo
from xinfer.spec.credential_field import LONGEST, LONGEST_SECRET
from xinfer.testing.server import FakeServer

FIELDS = {field.name: field for field in XinferenceCredentials.__credential_fields__}
SIZE = 6_000_000
BEGIN = "-----BEGIN CERTIFICATE-----"
UNITS = ["x", "/", "a,", "{", "http://", ";a=http://", "a: b\n", "密", "\ud83d", " ", BEGIN]


@pytest.mark.parametrize("unit", UNITS)
def test_a_value_of_megabytes_is_refused_in_a_line(unit):
    for field in FIELDS.values():
        with pytest.raises(ValueError, match=r".") as raised:
            field.read("x" + unit * (SIZE // len(unit)) + "x")
        assert len(str(raised.value)) < 500
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "most"),
    [
        *(("api_key", LONGEST_SECRET), ("voices", LONGEST), ("prompt", LONGEST)),
        ("cloned_voices", 2_000_000),
    ],
)
def test_a_value_may_be_as_long_as_the_limit(name, most):
    beginning = "a = https://h/" if name == "cloned_voices" else ""
    text = beginning.ljust(most, "x")
    assert FIELDS[name].read(text) in (text, Secret(text))
    with pytest.raises(Invalid, match=f"is longer than {most} characters") as raised:
        FIELDS[name].read(f"{text}x")
    assert raised.value.message.chinese == f"超过 {most} 个字符"


def test_a_url_may_be_as_long_as_servers_take():
    url = "http://h/".ljust(2048, "x")
    assert openai_url(url) == url
    with pytest.raises(Invalid, match="is longer than 2048 characters: enter the URL alone"):
        openai_url(f"{url}x")


def test_the_time_for_certificates_without_an_end_grows_with_their_number():
    """Each of them read on to the end of the text would take hours."""
    with pytest.raises(Invalid, match="not a certificate in PEM"):
        pem(BEGIN * 200_000)


def test_items_of_a_list_count_once():
    info = ModelInfo(settings={"voices": "a, b;a," * 30_000})
    assert listed(setting("voices")).evaluate(info) == ("a", "b")


@pytest.mark.parametrize("field", ["server_url", "api_key", "extra_headers", "ca_certificate"])
def test_a_call_with_it_ends_in_one_error(field):
    with FakeServer() as server:
        credentials = credentials_for(server, "chat", **{field: "/" * SIZE})
        answer = LLM([]).invoke("m", credentials, [UserPromptMessage(content="Hi")], {})
        with pytest.raises(InvokeBadRequestError, match="1 credential field must be") as raised:
            reply_of(answer)
        with pytest.raises(InvokeBadRequestError, match="1 credential field must be"):
            TTS([]).get_tts_model_voices("m", credentials)
        assert server.requests == []
    assert len(str(raised.value)) < 500
