"""The parameters of language models as most servers take them, with labels and help.

Dify's own descriptions, which a template brings, lack limits and are translated word for word.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypedDict, Unpack

from xinfer.spec.conditions import Condition, Expression
from xinfer.spec.i18n import I18n
from xinfer.spec.models import ParameterRule, ParameterType, Template

type ParameterName = Literal[
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "max_tokens",
    "presence_penalty",
    "frequency_penalty",
    "repetition_penalty",
    "seed",
    "response_format",
    "json_schema",
    "enable_thinking",
    "thinking_budget",
    "reasoning_effort",
    "extra_body",
]


class RuleOptions(TypedDict, total=False):
    """What a :class:`ParameterRule` takes beside its name."""

    use_template: Template | None
    label: I18n | None
    type: ParameterType | None
    help: I18n | None
    required: bool
    default: float | int | str | bool | Expression | None
    min: float | int | Expression | None
    max: float | int | Expression | None
    precision: int | None
    options: tuple[str, ...]
    when: Condition | None


class _Usual(NamedTuple):
    """How most servers take a parameter; texts are in English and in Chinese."""

    label: tuple[str, str]
    help: tuple[str, str]
    options: RuleOptions


_USUAL: dict[ParameterName, _Usual] = {
    "temperature": _Usual(
        ("Temperature", "温度"),
        (
            "Higher values make answers more varied, lower ones more predictable",
            "值越高，回答越多样；越低，越确定",
        ),
        {"use_template": Template.TEMPERATURE, "max": 2},
    ),
    "top_p": _Usual(
        ("Top P", "Top P"),
        (
            "Samples from the most probable tokens that together reach this probability",
            "只从累计概率达到该值的候选 token 中采样",
        ),
        {"use_template": Template.TOP_P},
    ),
    "top_k": _Usual(
        ("Top K", "Top K"),
        ("Samples from the K most probable tokens", "只从概率最高的 K 个 token 中采样"),
        {"use_template": Template.TOP_K},
    ),
    "min_p": _Usual(
        ("Min P", "Min P"),
        (
            "Leaves out tokens less probable than this share of the highest probability",
            "过滤概率低于「最高概率 × 该值」的 token",
        ),
        {"type": ParameterType.FLOAT, "min": 0, "max": 1, "precision": 2},
    ),
    "max_tokens": _Usual(
        ("Max Tokens", "最大生成长度"),
        (
            "Most tokens in one answer; together with the prompt at most the context size",
            "单次回答最多生成的 token 数；与提示词之和不能超过上下文长度",
        ),
        {"use_template": Template.MAX_TOKENS, "min": 1},
    ),
    "presence_penalty": _Usual(
        ("Presence Penalty", "存在惩罚"),
        (
            "Penalizes tokens that have occurred; higher values favor new topics",
            "已出现过的 token 受到的惩罚，值越高越倾向新话题",
        ),
        {"use_template": Template.PRESENCE_PENALTY, "min": -2, "max": 2},
    ),
    "frequency_penalty": _Usual(
        ("Frequency Penalty", "频率惩罚"),
        (
            "Penalizes tokens by how often they have occurred; higher values repeat less",
            "按 token 已出现的次数惩罚，值越高越少重复",
        ),
        {"use_template": Template.FREQUENCY_PENALTY, "min": -2, "max": 2},
    ),
    "repetition_penalty": _Usual(
        ("Repetition Penalty", "重复惩罚"),
        (
            "Above 1 discourages repetition, below 1 encourages it",
            "大于 1 时抑制重复，小于 1 时鼓励重复",
        ),
        {"type": ParameterType.FLOAT, "min": 0.1, "max": 2, "precision": 2},
    ),
    "seed": _Usual(
        ("Seed", "随机种子"),
        (
            "The same seed, prompt and parameters give the same answer, if the engine can",
            "在推理引擎支持时，相同的种子、提示词和参数会得到相同的回答",
        ),
        {"type": ParameterType.INT},
    ),
    "response_format": _Usual(
        ("Response Format", "回复格式"),
        (
            "JSON of any shape, or of the JSON Schema below, if the engine can",
            "任意结构的 JSON，或符合下方 JSON Schema 的 JSON（需推理引擎支持）",
        ),
        {"type": ParameterType.STRING, "options": ("text", "json_object", "json_schema")},
    ),
    "json_schema": _Usual(
        ("JSON Schema", "JSON Schema"),
        (
            "Required if the response format is json_schema",
            "「回复格式」为 json_schema 时必填",
        ),
        {"use_template": Template.JSON_SCHEMA},
    ),
    "enable_thinking": _Usual(
        ("Thinking", "思考模式"),
        (
            "Whether the model thinks before it answers; the model decides if unset",
            "模型回答前是否进行思考；未设置时由模型决定",
        ),
        {"type": ParameterType.BOOLEAN},
    ),
    "thinking_budget": _Usual(
        ("Thinking budget", "思考长度上限"),
        (
            "Most tokens to think, if the engine can",
            "思考过程最多使用的 token 数（需推理引擎支持）",
        ),
        {"type": ParameterType.INT, "min": 0},
    ),
    "reasoning_effort": _Usual(
        ("Reasoning effort", "思考强度"),
        (
            "How deeply the model thinks, if its chat template can, as that of gpt-oss",
            "回答前思考的深度（需模型的对话模板支持，如 gpt-oss）",
        ),
        {"type": ParameterType.STRING, "options": ("low", "medium", "high")},
    ),
    "extra_body": _Usual(
        ("Extra parameters", "额外参数"),
        (
            'A JSON object that is added to the request, e.g. {"guided_choice": ["a", "b"]}',
            '添加到请求中的 JSON 对象，例如 {"guided_choice": ["a", "b"]}',
        ),
        {"type": ParameterType.TEXT},
    ),
}


def parameter(name: ParameterName, **options: Unpack[RuleOptions]) -> ParameterRule:
    """Declare a parameter as most servers take it; ``options`` are added, or replace its own.

    :raises ValueError: there is no usual parameter of that name.
    """
    usual = _USUAL.get(name)
    if usual is None:
        names = ", ".join(_USUAL)
        raise ValueError(f"{name!r} is none of {names}: declare it as a ParameterRule.")
    arguments: RuleOptions = {
        "label": I18n(usual.label[0], zh_Hans=usual.label[1]),
        "help": I18n(usual.help[0], zh_Hans=usual.help[1]),
        **usual.options,
        **options,
    }
    return ParameterRule(name=name, **arguments)


def chat_parameters(*, max_tokens: int | Expression = 8192) -> tuple[ParameterRule, ...]:
    """Declare the parameters that every OpenAI-compatible server takes.

    ``temperature``, ``top_p``, both penalties and ``max_tokens``, with OpenAI's limits.

    :param max_tokens: the longest answer that users can ask for.
    """
    return (
        parameter("temperature"),
        parameter("top_p"),
        parameter("presence_penalty"),
        parameter("frequency_penalty"),
        parameter("max_tokens", max=max_tokens),
    )
