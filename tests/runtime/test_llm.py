"""The LLM class under the SDK's own base class, without a server: schema, tokens and refusals."""

import json

import pytest
from dify_plugin.entities.model import ModelPropertyKey
from dify_plugin.entities.model.message import UserPromptMessage
from dify_plugin.errors.model import CredentialsValidateFailedError, InvokeConnectionError

import provider_spec
from xinfer.runtime.dify import llm
from xinfer.spec import ParameterRule, Template
from xinfer.spec.declaration import evolve


class Model(llm.LargeLanguageModel):
    project = provider_spec.project


NOWHERE = {"server_url": "http://127.0.0.1:9", "model_uid": "chat", "max_retries": "0"}
LEARNED = {"model_type": "LLM", "model_ability": ["chat", "tools"], "context_length": 8192}


def test_what_validation_learned_makes_the_schema_without_http():
    learned = json.dumps({**LEARNED, "of": [NOWHERE["server_url"], "chat"]})
    schema = Model([]).get_model_schema("m", {**NOWHERE, "xinfer_learned": learned})
    assert schema is not None
    rules = {rule.name: rule for rule in schema.parameter_rules}
    assert rules["temperature"].max == 2
    assert rules["max_tokens"].max == 8192
    assert "tool-call" in [feature.value for feature in schema.features or ()]


def test_a_server_out_of_reach_is_a_connection_error_that_names_the_container():
    with pytest.raises(InvokeConnectionError, match="container"):
        list(Model([]).invoke("m", dict(NOWHERE), [UserPromptMessage(content="Hi")], {}))


def test_validation_names_every_wrong_field():
    with pytest.raises(CredentialsValidateFailedError, match=r"(?s)server_url.*model_uid"):
        Model([]).validate_credentials("m", {"server_url": "host"})


def test_tokens_are_estimated_in_english_and_chinese():
    count = Model([]).get_num_tokens
    assert 8 <= count("m", {}, [UserPromptMessage(content="The quick brown fox")]) <= 12
    assert 6 <= count("m", {}, [UserPromptMessage(content="你好世界")]) <= 10


def test_a_declared_zero_stands_against_the_templates_own_value():
    class Strict(Model):
        project = evolve(
            provider_spec.project,
            customizable_models=(
                evolve(
                    provider_spec.LLM,
                    parameter_rules=(
                        ParameterRule(name="top_p", use_template=Template.TOP_P, default=0),
                        ParameterRule(name="max_tokens", use_template=Template.MAX_TOKENS, max=9),
                    ),
                ),
            ),
        )

    learned = json.dumps({**LEARNED, "of": [NOWHERE["server_url"], "chat"]})
    credentials = {**NOWHERE, "xinfer_learned": learned}
    schema = Strict([]).get_customizable_model_schema_from_credentials("m", credentials)
    top_p, max_tokens = schema.parameter_rules
    assert (top_p.default, top_p.max) == (0, 1)
    assert (max_tokens.max, max_tokens.use_template) == (9, "max_tokens")


def test_a_schema_is_made_once_and_anew_for_other_settings():
    learned = json.dumps({**LEARNED, "of": [NOWHERE["server_url"], "chat"]})
    credentials = {**NOWHERE, "xinfer_learned": learned}
    schema = Model([]).get_model_schema("m", credentials)
    assert Model([]).get_model_schema("m", dict(credentials)) is schema
    wider = Model([]).get_model_schema("m", {**credentials, "context_size": "16384"})
    assert wider is not None
    assert wider.model_properties[ModelPropertyKey.CONTEXT_SIZE] == 16384
    learned_more = json.dumps({**json.loads(learned), "context_length": 100})
    shorter = Model([]).get_model_schema("m", {**credentials, "xinfer_learned": learned_more})
    assert shorter is not None
    assert shorter.model_properties[ModelPropertyKey.CONTEXT_SIZE] == 100
