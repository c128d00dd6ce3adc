"""How credentials of a declared runtime are validated."""

import json

import pytest
from dify_plugin.entities.model.message import UserPromptMessage
from dify_plugin.errors.model import CredentialsValidateFailedError
from runtime.declared import MODELS, model, project, serving
from under_sdk import bodies, reply_of

from xinfer.runtime.dify import llm, provider
from xinfer.spec import Endpoint, ModelList, setting
from xinfer.testing.server.dialects import DialectServer


def validated(server, credentials=None, *, models=MODELS, **runtime):
    declared = project(server, models=models, **runtime)
    kind = type("P", (provider.ModelProvider,), {"project": declared})
    stored = dict(credentials or {})
    kind(None, None).validate_provider_credentials(stored)
    return stored


@pytest.fixture
def strict():
    """A server that checks keys and names: of the declared models it has only ``m``."""
    with DialectServer("openai", key="k-right") as started:
        yield started


RIGHT = {"key": "k-right"}


def test_a_provider_is_validated_by_a_small_call(strict):
    validated(strict, RIGHT)
    (body,) = bodies(strict, "/v1/chat/completions")
    assert (body["model"], body["max_tokens"]) == ("m", 1)


def test_a_model_that_the_key_may_not_use_refuses_no_key(strict):
    models = (model("not-there"), model("m"))
    validated(strict, RIGHT, models=models)
    assert [b["model"] for b in bodies(strict, "/v1/chat/completions")] == ["not-there", "m"]
    strict.requests.clear()
    validated(strict, RIGHT, models=models, validated_by=("m",))
    assert [b["model"] for b in bodies(strict, "/v1/chat/completions")] == ["m"]
    strict.requests.clear()
    validated(strict, RIGHT, models=(model("a"), model("b")))  # the list proves the key
    assert strict.requests[-1].route == "/v1/models"


def test_a_wrong_key_fails_at_once(strict):
    with pytest.raises(CredentialsValidateFailedError, match=r"Prov at .* answered 401"):
        validated(strict, {"key": "k-wrong"}, models=(model("a"), model("b"), model("m")))
    assert len(strict.requests) == 1


def test_by_the_list_of_models_or_by_a_path(strict):
    validated(strict, RIGHT, validated_by=ModelList())
    validated(strict, RIGHT, validated_by=Endpoint("models"))
    assert [arrived.route for arrived in strict.requests] == ["/v1/models"] * 2
    for by in (ModelList(), Endpoint("models")):
        with pytest.raises(CredentialsValidateFailedError, match="401"):
            validated(strict, {"key": "k-wrong"}, validated_by=by)
    with pytest.raises(CredentialsValidateFailedError, match="404"):
        validated(strict, RIGHT, validated_by=Endpoint("health"))


def test_of_several_base_urls_the_one_that_works_is_kept(strict):
    urls = ("http://127.0.0.1:9/v1", strict.base_url)
    stored = validated(strict, RIGHT, base_url=urls, validated_by=("m",))
    assert json.loads(stored["xinfer_learned"])["base_url"] == strict.base_url
    chat = serving(llm.LargeLanguageModel, strict, base_url=urls)
    asked = [UserPromptMessage(content="Hi")]
    assert reply_of(chat.invoke("m", stored, asked, {}, stream=False)).text == "You said: Hi"


def test_a_key_refused_everywhere_is_told_rather_than_a_server_out_of_reach(strict):
    urls = (strict.base_url, "http://127.0.0.1:9/v1")
    with pytest.raises(CredentialsValidateFailedError, match="401"):
        validated(strict, {"key": "k-wrong"}, base_url=urls)


def test_a_provider_of_customizable_models_only_has_no_credentials(strict):
    with pytest.raises(CredentialsValidateFailedError, match="add a model instead"):
        validated(strict, RIGHT, models=())


def test_a_predefined_model_is_what_is_declared_and_nobody_is_asked(strict):
    chat = serving(llm.LargeLanguageModel, strict)
    reply_of(chat.invoke("m", RIGHT, [UserPromptMessage(content="Hi")], {}, stream=False))
    assert [arrived.method for arrived in strict.requests] == ["POST"]


def test_credentials_may_be_validated_by_a_model_that_is_not_declared(strict):
    stored = validated(strict, RIGHT, models=(model("a"),), validated_by=("not-there", "m"))
    assert [b["model"] for b in bodies(strict, "/v1/chat/completions")] == ["not-there", "m"]
    assert json.loads(stored["xinfer_learned"])["of"] == ["", ""]


def test_a_user_may_name_the_model_that_validates(strict):
    models = (model("a"), model("m"))
    by = (setting("validate_model"), "m")
    validated(strict, RIGHT | {"validate_model": "not-there"}, models=models, validated_by=by)
    validated(strict, RIGHT, models=models, validated_by=by)
    names = [body["model"] for body in bodies(strict, "/v1/chat/completions")]
    assert names == ["not-there", "m", "m"]
