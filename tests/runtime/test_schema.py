"""What Dify is told of a model: features, properties and parameters from abilities and limits."""

from decimal import Decimal

import pytest
from emitted import LLM, TextEmbedding, fresh_server
from under_sdk import credentials_for

from xinfer.testing.server import Served

THINKING = ("chat", "reasoning", "hybrid")


def schema(*abilities, limits=None, kind=LLM, more=None, engine="Transformers", **described):
    served = Served(
        uid="m",
        abilities=abilities,
        limits=limits or {},
        described=described,
        engine=engine,
        **({} if kind is LLM else {"model_type": "embedding"}),
    )
    with fresh_server([served]) as server:
        return kind([]).get_model_schema("m", credentials_for(server, "m", **(more or {})))


def features(entity):
    return {feature.value for feature in entity.features or ()}


def properties(entity):
    return {key.value: value for key, value in entity.model_properties.items()}


def rules(entity):
    return {rule.name: rule for rule in entity.parameter_rules}


@pytest.mark.parametrize(
    ("abilities", "expected"),
    [
        (("chat",), set()),
        (("chat", "tools"), {"tool-call", "multi-tool-call", "stream-tool-call"}),
        (("chat", "vision"), {"vision"}),
        (("chat", "audio"), {"audio"}),
        (("chat", "vision", "audio", "omni"), {"vision", "audio", "video"}),
    ],
)
def test_features_follow_from_abilities(abilities, expected):
    assert features(schema(*abilities)) == {*expected, "agent-thought"}
    by_engine = features(schema(*abilities, engine="vLLM"))
    assert by_engine == {*expected, "structured-output", "agent-thought"}


@pytest.mark.parametrize(
    ("field", "feature"),
    [("tools", "tool-call"), ("vision", "vision"), ("structured_output", "structured-output")],
)
def test_the_user_overrules_what_the_server_tells(field, feature):
    assert feature in features(schema("chat", more={field: "yes"}))
    able = schema("chat", "tools", "vision", engine="vLLM", more={field: "no"})
    assert feature not in features(able)
    assert len(features(able)) > 1


def test_thinking_can_be_switched_where_the_user_says_so():
    assert "enable_thinking" not in rules(schema("chat"))
    assert "enable_thinking" in rules(schema("chat", more={"thinking": "yes"}))
    assert "enable_thinking" not in rules(schema("chat", "hybrid", more={"thinking": "no"}))


def test_prices_are_those_that_the_user_entered():
    assert schema("chat").pricing is None
    assert schema("chat", more={"output_price": "2"}).pricing is None
    price = schema("chat", more={"input_price": "0.5", "output_price": "1.5"}).pricing
    assert (price.input, price.output, price.unit) == (
        Decimal("0.5"),
        Decimal("1.5"),
        Decimal("0.000001"),
    )
    assert price.currency == "USD"
    per_thousand = {"input_price": "0.01", "price_unit": "0.001", "currency": "CNY"}
    price = schema("chat", more=per_thousand).pricing
    assert (price.input, price.output, price.unit, price.currency) == (
        Decimal("0.01"),
        None,
        Decimal("0.001"),
        "CNY",
    )


def test_a_completion_model_has_no_features_of_a_chat():
    entity = schema("generate")
    assert properties(entity)["mode"] == "completion"
    assert features(entity) == {"agent-thought"}


def test_the_context_size_is_the_servers_unless_the_user_says_otherwise():
    assert properties(schema("chat", limits={"context_length": 9000}))["context_size"] == 9000
    chosen = schema("chat", limits={"context_length": 9000}, more={"context_size": "5000"})
    assert properties(chosen)["context_size"] == 5000
    assert rules(chosen)["max_tokens"].max == 5000


def test_the_thinking_switch_is_there_for_hybrid_models_alone():
    assert "enable_thinking" in rules(schema(*THINKING))
    assert "enable_thinking" not in rules(schema("chat", "reasoning"))
    switch = rules(schema(*THINKING))["enable_thinking"]
    assert (switch.required, switch.default) == (False, None)


def test_parameters_reach_as_far_as_the_model_does():
    by_name = rules(schema("chat", limits={"context_length": 32768}))
    assert by_name["temperature"].max == 2
    assert by_name["max_tokens"].max == 32768
    assert {"top_p", "top_k", "min_p", "repetition_penalty", "seed"} <= set(by_name)
    assert {"presence_penalty", "frequency_penalty", "response_format", "json_schema"} <= set(
        by_name
    )


@pytest.mark.parametrize("dimensions", [64, 384, 1024, 4096])
def test_a_batch_of_vectors_is_sized_by_their_dimensions(dimensions):
    entity = schema("embed", kind=TextEmbedding, limits={"dimensions": dimensions})
    assert 1 <= properties(entity)["max_chunks"] <= 5 * 1024 * 1024 / (22 * dimensions)
    chosen = schema(
        "embed", kind=TextEmbedding, limits={"dimensions": dimensions}, more={"max_chunks": "3"}
    )
    assert properties(chosen)["max_chunks"] == 3


def test_an_embedding_model_says_how_long_a_text_may_be():
    entity = schema("embed", kind=TextEmbedding, limits={"dimensions": 8, "max_tokens": 512})
    assert properties(entity)["context_size"] == 512
