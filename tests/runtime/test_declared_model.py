"""The mixin: a declaration binds on classes of one's own, also on the SDK's own."""

from datetime import UTC, datetime

import pytest
from dify_plugin import OAICompatLargeLanguageModel
from dify_plugin.entities.model import ModelPropertyKey
from dify_plugin.entities.model.message import PromptMessageTool, UserPromptMessage
from dify_plugin.errors.model import CredentialsValidateFailedError, InvokeBadRequestError
from under_sdk import reply_of

from xinfer.runtime.dify.declared import DeclaredModel
from xinfer.spec import (
    Credentials,
    CustomizableModel,
    Feature,
    I18n,
    Invalid,
    Manifest,
    ModelType,
    ParameterRule,
    Project,
    Provider,
    Secret,
    Template,
    between,
    openai_url,
    secret_input,
    setting,
    text_input,
)
from xinfer.testing.server.dialects import DialectServer


class Account(Credentials):
    endpoint_url: str = text_input(label=I18n("URL"), converter=openai_url)
    api_key: Secret | None = secret_input(label=I18n("Key"), default=None)
    context: int = text_input(label=I18n("Context"), default=2048, validator=between(1, 99_999))
    sees: bool = text_input(label=I18n("Sees"), default=False)


PROJECT = Project(
    manifest=Manifest(
        name="p",
        version="0.0.1",
        author="a",
        label=I18n("P"),
        description=I18n("P"),
        icon="i.svg",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    ),
    provider=Provider(provider="p", label=I18n("P")),
    credentials=Account,
    customizable_models=(
        CustomizableModel(
            model_type=ModelType.LLM,
            features={Feature.VISION: setting("sees")},
            properties={"mode": "chat", "context_size": setting("context")},
            parameter_rules=(ParameterRule(name="top_p", use_template=Template.TOP_P),),
        ),
    ),
)


class OnTheSdk(DeclaredModel[Account], OAICompatLargeLanguageModel):
    project = PROJECT


class Own(DeclaredModel[Account], OAICompatLargeLanguageModel):
    project = PROJECT

    def validate_credentials(self, model, credentials):
        account = self.credentials(credentials)
        if account.context > 4096:
            raise Invalid("too long for this account", "超出此账号的上限")
        if account.context == 13:
            raise LookupError("unlucky")


WRONG = {"endpoint_url": "nowhere", "context": "0"}
RIGHT = {"endpoint_url": "http://127.0.0.1:9/v1", "context": "4096", "sees": "true"}


def test_the_schema_is_the_declared_one():
    schema = OnTheSdk([]).get_model_schema("m", RIGHT)
    assert schema.model_properties[ModelPropertyKey.CONTEXT_SIZE] == 4096
    assert [feature.value for feature in schema.features] == ["vision"]
    assert [rule.name for rule in schema.parameter_rules] == ["top_p"]
    assert OnTheSdk([]).get_model_schema("m", RIGHT | {"sees": ""}).features == []


@pytest.mark.parametrize("kind", [OnTheSdk, Own])
def test_wrong_credentials_refuse_a_validation_and_a_call(kind):
    with pytest.raises(CredentialsValidateFailedError, match=r"(?s)URL.*Context"):
        kind([]).validate_credentials("m", WRONG)
    with pytest.raises(InvokeBadRequestError, match=r"(?s)URL.*Context"):
        reply_of(kind([]).invoke("m", WRONG, [UserPromptMessage(content="Hi")], {}))


def test_what_own_code_raises_is_shown_with_its_place(caplog):
    with pytest.raises(CredentialsValidateFailedError, match="too long for this account"):
        Own([]).validate_credentials("m", RIGHT | {"context": "5000"})
    with pytest.raises(CredentialsValidateFailedError, match=r"unlucky \(.*line \d+\)"):
        Own([]).validate_credentials("m", RIGHT | {"context": "13"})
    Own([]).validate_credentials("m", RIGHT)


def test_credentials_are_typed():
    account = OnTheSdk([]).credentials(RIGHT | {"api_key": "k"})
    assert (account.context, account.sees, account.api_key) == (4096, True, Secret("k"))


def test_tokens_are_counted_without_a_download(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    tool = PromptMessageTool(name="t", description="Does it.", parameters={"type": "object"})
    asked = [UserPromptMessage(content="The quick brown fox jumps over the lazy dog.")]
    credentials = RIGHT | {"mode": "chat", "function_calling_type": "no_call"}
    assert 8 <= OnTheSdk([]).get_num_tokens("m", credentials, asked) <= 25
    assert OnTheSdk([]).get_num_tokens("m", credentials, asked, [tool]) > 10


def test_the_sdks_class_goes_on_making_the_call():
    with DialectServer("openai") as server:
        credentials = {"endpoint_url": server.base_url, "mode": "chat"}
        OnTheSdk([]).validate_credentials("m", credentials)
        asked = [UserPromptMessage(content="Hi")]
        answer = OnTheSdk([]).invoke("m", credentials, asked, {"top_p": 1}, stream=False)
        assert reply_of(answer).text == "You said: Hi"
        assert server.requests[-1].body["top_p"] == 1
