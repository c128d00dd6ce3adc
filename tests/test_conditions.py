"""What depends on a model is data: the same declaration, different info, different schema."""

from provider_spec import LLM
from xinfer.spec import Feature, limit, share
from xinfer.spec.conditions import ModelInfo


def test_abilities_decide_features_mode_and_parameters():
    plain = LLM.resolve("base", ModelInfo(abilities=frozenset({"generate"})))
    able = LLM.resolve("qwen3", ModelInfo(abilities=frozenset({"chat", "tools", "hybrid"})))
    assert Feature.TOOL_CALL not in plain.features
    assert Feature.TOOL_CALL in able.features
    assert (plain.model_properties.mode, able.model_properties.mode) == ("completion", "chat")
    assert "enable_thinking" not in [rule.name for rule in plain.parameter_rules]
    assert "enable_thinking" in [rule.name for rule in able.parameter_rules]


def test_the_users_context_size_wins_over_the_servers_and_that_over_the_fallback():
    limits = {"context_length": 40960}
    sizes = [
        LLM.resolve("m", info).model_properties.context_size
        for info in (
            ModelInfo(limits=limits, settings={"context_size": 8000}),
            ModelInfo(limits=limits),
            ModelInfo(),
        )
    ]
    assert sizes == [8000, 40960, 4096]


def test_a_default_never_exceeds_the_limit_of_a_small_model():
    schema = LLM.resolve("m", ModelInfo(limits={"context_length": 256}))
    rule = next(rule for rule in schema.parameter_rules if rule.name == "max_tokens")
    assert (rule.default, rule.max) == (256, 256)


def test_a_share_is_at_least_one_and_at_most_what_is_declared():
    fitting = share(of=9, size=limit("dimensions"), at_most=4)
    shares = [fitting.evaluate(ModelInfo(limits={"dimensions": size})) for size in (10, 9, 3, 1)]
    assert shares == [1, 1, 3, 4]
    assert fitting.evaluate(ModelInfo()) is None
