"""What most providers for OpenAI-compatible servers declare alike.

Each function returns what an author would otherwise write out, and takes what differs.
"""

from __future__ import annotations

from typing import Any, Unpack

from xinfer.spec.conditions import Condition, Expression, ability
from xinfer.spec.converters import bearer_key, gt, openai_url
from xinfer.spec.i18n import I18n
from xinfer.spec.inputs import InputOptions, secret_input, text_input
from xinfer.spec.models import Feature, ParameterRule, Template
from xinfer.spec.targets import api_key, base_url


def base_url_input(*, label: I18n | None = None, **options: Unpack[InputOptions]) -> Any:
    """Declare the field of a server's base URL: tidied, and where requests are sent."""
    usual: InputOptions = {"converter": openai_url, "sets": base_url}
    usual.update(options)
    return text_input(label=label or I18n("Base URL"), **usual)


def api_key_input(*, label: I18n | None = None, **options: Unpack[InputOptions]) -> Any:
    """Declare the field of an API key, which is sent as ``Authorization: Bearer``.

    Annotate it :class:`Secret`, or ``Secret | None`` with ``default=None`` for servers without
    authentication.
    """
    usual: InputOptions = {"converter": bearer_key, "sets": api_key}
    usual.update(options)
    return secret_input(label=label or I18n("API key", zh_Hans="API 密钥"), **usual)


def context_size_input(*, label: I18n | None = None, **options: Unpack[InputOptions]) -> Any:
    """Declare the field of a context size, for servers that do not tell it; ``int | None``.

    ``setting("context_size")`` reads a field of this name.
    """
    usual: InputOptions = {"default": None, "validator": gt(0)}
    usual.update(options)
    words = I18n("Context size in tokens", zh_Hans="上下文长度（token）")
    return text_input(label=label or words, **usual)


def chat_features() -> dict[Feature, Condition]:
    """Return the features that a server can tell of its language models.

    Tool calls, unless it says that there are none; images, if it says so.
    """
    tools = ability("tools", unknown=True)
    return {
        Feature.TOOL_CALL: tools,
        Feature.STREAM_TOOL_CALL: tools,
        Feature.VISION: ability("vision"),
    }


def chat_parameters(*, max_tokens: int | Expression = 8192) -> tuple[ParameterRule, ...]:
    """Return the parameters that every OpenAI-compatible server takes.

    ``temperature``, ``top_p``, both penalties and ``max_tokens``, with OpenAI's limits.

    :param max_tokens: the longest answer that users can ask for.
    """
    return (
        ParameterRule(name="temperature", use_template=Template.TEMPERATURE, max=2),
        ParameterRule(name="top_p", use_template=Template.TOP_P),
        ParameterRule(
            name="presence_penalty", use_template=Template.PRESENCE_PENALTY, min=-2, max=2
        ),
        ParameterRule(
            name="frequency_penalty", use_template=Template.FREQUENCY_PENALTY, min=-2, max=2
        ),
        ParameterRule(name="max_tokens", use_template=Template.MAX_TOKENS, max=max_tokens),
    )
