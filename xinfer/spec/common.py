"""What most providers for OpenAI-compatible servers declare alike.

Each function returns what an author would otherwise write out, and takes what differs.
"""

from __future__ import annotations

from typing import Any, Literal, Unpack

from attrs import NOTHING

from xinfer.spec.conditions import (
    Condition,
    Expression,
    ability,
    first_of,
    limit,
    setting,
    share,
)
from xinfer.spec.converters import bearer_key, between, gt, language_code, openai_url, pem
from xinfer.spec.form import Option
from xinfer.spec.i18n import I18n
from xinfer.spec.inputs import InputOptions, radio, secret_input, select, text_input
from xinfer.spec.models import Feature
from xinfer.spec.targets import (
    api_key,
    base_url,
    body,
    ca_certificate,
    headers,
    max_retries,
    timeout,
    verify_tls,
)


def base_url_input(*, label: I18n | None = None, **options: Unpack[InputOptions]) -> Any:
    """Declare the field of a server's base URL: tidied, and where requests are sent."""
    usual: InputOptions = {"converter": openai_url, "sets": base_url}
    return text_input(label=label or I18n("Base URL", zh_Hans="Base URL"), **(usual | options))


def api_key_input(*, label: I18n | None = None, **options: Unpack[InputOptions]) -> Any:
    """Declare the field of an API key, which is sent as ``Authorization: Bearer``.

    Annotate it :class:`Secret`, or ``Secret | None`` with ``default=None`` for servers without
    authentication.
    """
    usual: InputOptions = {"converter": bearer_key, "sets": api_key}
    if options.get("default", NOTHING) is None:
        usual["placeholder"] = I18n(
            "Only if the server has authentication switched on",
            zh_Hans="仅在服务器启用认证时填写",
        )
    text = label or I18n("API key", zh_Hans="API 密钥")
    return secret_input(label=text, **(usual | options))


def timeout_input(*, label: I18n | None = None, **options: Unpack[InputOptions]) -> Any:
    """Declare the field of the timeout in seconds, 60.0 by default; annotate it ``float``."""
    seconds = options.get("default", 60.0)
    usual: InputOptions = {
        "placeholder": I18n(
            f"Seconds to wait for the server to respond; {seconds:g} by default",
            zh_Hans=f"无响应的最长等待时间，并非总时长；默认 {seconds:g}",
        ),
        "default": seconds,
        "validator": gt(0),
        "sets": timeout,
    }
    text = label or I18n("Timeout in seconds", zh_Hans="超时时间（秒）")
    return text_input(label=text, **(usual | options))


def max_retries_input(*, label: I18n | None = None, **options: Unpack[InputOptions]) -> Any:
    """Declare the field of the number of retries, 0 to 10, 3 by default; annotate it ``int``."""
    retries = options.get("default", 3)
    usual: InputOptions = {
        "placeholder": I18n(
            "If the connection fails or the server answers 429, 502, 503 or 504; "
            f"{retries} by default",
            zh_Hans=f"连接失败或服务器返回 429、502、503、504 时重试；默认 {retries}",
        ),
        "default": retries,
        "validator": between(0, 10),
        "sets": max_retries,
    }
    text = label or I18n("Retries", zh_Hans="重试次数")
    return text_input(label=text, **(usual | options))


def verify_tls_input(*, label: I18n | None = None, **options: Unpack[InputOptions]) -> Any:
    """Declare the choice whether to verify the server's certificate; annotate it ``bool``."""
    usual: InputOptions = {
        "options": (
            Option("true", I18n("Yes (default)", zh_Hans="是（默认）")),
            Option("false", I18n("No", zh_Hans="否")),
        ),
        "default": True,
        "sets": verify_tls,
    }
    text = label or I18n("Verify the TLS certificate", zh_Hans="验证 TLS 证书")
    return radio(label=text, **(usual | options))


def ca_certificate_input(*, label: I18n | None = None, **options: Unpack[InputOptions]) -> Any:
    """Declare the field of a private authority's certificate; annotate it ``str | None``."""
    usual: InputOptions = {
        "placeholder": I18n(
            "PEM, if the server's certificate is from a private authority",
            zh_Hans="服务器使用私有 CA 签发的证书时填写，PEM 格式",
        ),
        "default": None,
        "converter": pem,
        "sets": ca_certificate,
    }
    text = label or I18n("CA certificate", zh_Hans="CA 证书")
    return text_input(label=text, **(usual | options))


def headers_input(*, label: I18n | None = None, **options: Unpack[InputOptions]) -> Any:
    """Declare the field of headers that a gateway requires; annotate it ``Secret | None``."""
    usual: InputOptions = {
        "placeholder": I18n(
            "For a gateway, e.g. X-Team: search; X-Env: prod",
            zh_Hans="供网关使用，如 X-Team: search; X-Env: prod",
        ),
        "default": None,
        "sets": headers,
    }
    text = label or I18n("Extra headers", zh_Hans="附加请求头")
    return secret_input(label=text, **(usual | options))


def context_size_input(*, label: I18n | None = None, **options: Unpack[InputOptions]) -> Any:
    """Declare the field of a context size in tokens; annotate it ``int | None``.

    For servers that do not report it.
    ``setting("context_size")`` reads a field of this name.
    """
    usual: InputOptions = {
        "placeholder": I18n("As the server tells if empty", zh_Hans="留空则以服务器返回的值为准"),
        "default": None,
        "validator": gt(0),
    }
    text = label or I18n("Context size in tokens", zh_Hans="上下文长度（token）")
    return text_input(label=text, **(usual | options))


def query_prefix_input(*, label: I18n | None = None, **options: Unpack[InputOptions]) -> Any:
    """Declare the field of the text in front of each query; annotate it ``str | None``."""
    usual: InputOptions = {
        "placeholder": I18n(
            "For e5 and other instruction models, e.g. query:",
            zh_Hans="用于 e5 等指令模型，如 query:",
        ),
        "default": None,
    }
    return text_input(label=label or I18n("Query prefix", zh_Hans="查询前缀"), **(usual | options))


def document_prefix_input(*, label: I18n | None = None, **options: Unpack[InputOptions]) -> Any:
    """Declare the field of the text in front of each document; annotate it ``str | None``."""
    usual: InputOptions = {
        "placeholder": I18n("E.g. passage:", zh_Hans="如 passage:"),
        "default": None,
    }
    text = label or I18n("Document prefix", zh_Hans="文档前缀")
    return text_input(label=text, **(usual | options))


def language_input(*, label: I18n | None = None, **options: Unpack[InputOptions]) -> Any:
    """Declare the field of the language of recordings; annotate it ``str | None``."""
    usual: InputOptions = {
        "placeholder": I18n(
            "E.g. en or zh; detected if empty", zh_Hans="如 zh、en；留空则自动识别"
        ),
        "default": None,
        "converter": language_code,
        "sets": body("language"),
    }
    text = label or I18n("Language of the audio", zh_Hans="音频语言")
    return text_input(label=text, **(usual | options))


Override = Literal["auto", "yes", "no"]
"""The type of a field that :func:`override_input` declares."""


def override_input(
    *, label: I18n, auto: I18n | None = None, **options: Unpack[InputOptions]
) -> Any:
    """Declare a choice that overrides what the server reports; annotate it ``Override``.

    :func:`overridable` makes a condition of it.

    :param auto: the label of the option that leaves the decision to the server.
    """
    usual: InputOptions = {
        "options": (
            Option("auto", auto or I18n("As the server tells", zh_Hans="以服务器返回为准")),
            Option("yes", I18n("Yes", zh_Hans="是")),
            Option("no", I18n("No", zh_Hans="否")),
        ),
        "default": "auto",
    }
    return select(label=label, **(usual | options))


def overridable(condition: Condition, *, by: str) -> Condition:
    """Return a condition that a field declared by :func:`override_input` overrides."""
    return (setting(by) == "yes") | (~(setting(by) == "no") & condition)


def texts_per_call(*, most: int = 64, unknown: int = 32) -> Expression:
    """Return how many texts one embedding call takes: the field ``max_chunks``, else what fits.

    The answer stays well below the 5 MiB that Dify's daemon reads at once.

    :param most: the limit if the field is empty.
    :param unknown: the number if the server does not report the dimensions of a vector either.
    """
    entry = setting("max_chunks")
    fitting = share(of=80_000, size=limit("dimensions"), at_most=first_of(entry, most))
    return first_of(fitting, entry, unknown)


def chat_features() -> dict[Feature, Condition]:
    """Return the features that depend on what a server reports of its language models.

    Tool calls, unless the server reports that the model has none; images, if it reports them.
    """
    tools = ability("tools", unknown=True)
    return {
        Feature.TOOL_CALL: tools,
        Feature.STREAM_TOOL_CALL: tools,
        Feature.VISION: ability("vision"),
    }
