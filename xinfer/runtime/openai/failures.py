"""Calls that get no readable answer, and what to do about it; data only.

English and Chinese say the same. A name in braces is filled in where the error is made.
"""

from __future__ import annotations

from http.client import HTTPException, IncompleteRead, RemoteDisconnected

from attrs import frozen
from requests.exceptions import (
    ChunkedEncodingError,
    ConnectTimeout,
    InvalidJSONError,
    ProxyError,
    ReadTimeout,
    RequestException,
    SSLError,
)
from urllib3 import exceptions as urllib3

from xinfer.runtime.openai import limits
from xinfer.runtime.openai.errors import (
    BadRequest,
    CallError,
    ConnectionFailed,
    NotAuthorized,
    ServerUnavailable,
    Unintelligible,
)
from xinfer.runtime.openai.fixes import CHECK_URL, Text


@frozen
class Failure:
    """One way in which a call gets no readable answer.

    :param what: completes "the server at …".
    :param fix: a sentence; may be missing where nothing is known to help.
    :param error: what is raised.
    """

    what: Text
    fix: Text | None = None
    error: type[CallError] = ConnectionFailed


REDIRECTED = Failure(
    Text("redirects to {location}", "将请求重定向到 {location}"),
    Text("Enter {url} as the server URL.", "请将服务器 URL 改为 {url}。"),
    BadRequest,
)
REDIRECTED_ELSEWHERE = Failure(
    Text("redirects to another address", "将请求重定向到其他地址"), CHECK_URL, BadRequest
)
_CANNOT_BE_CALLED = Text("cannot be called", "无法接收此请求")
UNSENDABLE = Failure(
    _CANNOT_BE_CALLED,
    Text(
        "The server URL or the API key holds a character that cannot be sent: enter them again.",
        "服务器 URL 或 API 密钥中含有无法发送的字符：请重新填写。",
    ),
    BadRequest,
)
HIDDEN_KEY = Failure(
    _CANNOT_BE_CALLED,
    Text(
        "The API key is [__HIDDEN__], which Dify shows in place of a key: enter the key itself.",
        "API 密钥为 [__HIDDEN__]，这是 Dify 用于隐藏密钥的占位符：请填写密钥本身。",
    ),
    NotAuthorized,
)
NOT_A_NUMBER = Failure(
    _CANNOT_BE_CALLED,
    Text(
        "A parameter is infinite or not a number: correct it.",
        "参数为无穷大或不是数字：请更正。",
    ),
    BadRequest,
)
IMPOSSIBLE_HOST = Failure(
    _CANNOT_BE_CALLED,
    Text(
        "The server URL has a host name that cannot exist: correct it.",
        "服务器 URL 中的主机名无效：请更正。",
    ),
    BadRequest,
)

_UNREACHABLE = Text("cannot be reached", "无法连接")
REFUSED = Failure(
    _UNREACHABLE,
    Text(
        "Check the server URL, and that the server runs, listens on 0.0.0.0, and lets port {port} "
        "through to Dify.",
        "请检查服务器 URL，并确认服务器正在运行、监听 0.0.0.0，且 Dify 可以访问端口 {port}。",
    ),
)
IN_THE_CONTAINER = Failure(
    _UNREACHABLE,
    Text(
        "Dify's plugins run in a container, where {host} is the container itself: enter the "
        "server's address in your network, or host.docker.internal. If {host} is right, start "
        "the server.",
        "Dify 插件运行在容器内，{host} 指容器自身：请填写服务器在网络中的地址或 "
        "host.docker.internal；若地址无误，请启动服务器。",
    ),
)
UNKNOWN_HOST = Failure(
    _UNREACHABLE,
    Text(
        "The host name {host} cannot be resolved where Dify's plugins run: correct it, or enter "
        "the server's IP address.",
        "Dify 插件所在的环境无法解析主机名 {host}：请更正，或改用服务器的 IP 地址。",
    ),
)
CLOSED = Failure(
    Text("closed the connection without an answer", "未作响应即关闭了连接"),
    Text(
        "Look at the server's log. If the server speaks TLS, enter https://.",
        "请查看服务器日志；若服务器启用了 TLS，请使用 https://。",
    ),
)
SILENT = Failure(
    Text("did not answer in time", "未在超时时间内响应"),
    Text(
        "Raise the timeout, or check whether the model is busy. Without streaming, an "
        "answer arrives only when all of it is there.",
        "请调大超时时间，或检查模型是否繁忙；非流式调用需等待整个结果完成。",
    ),
)
BROKE_OFF = Failure(
    Text("broke off in the middle of the answer", "在返回结果的中途断开"),
    Text("Look at the server's log.", "请查看服务器日志。"),
)
NO_CONTENT = Failure(
    Text("sent a lot of data and no answer", "发送了大量数据，但其中没有回答"),
    CHECK_URL,
    Unintelligible,
)
EMPTY = Failure(
    Text("answered nothing", "没有返回任何内容"),
    Text(
        "The prompt may be longer than the context that the model was loaded with: shorten it, or "
        "load the model with a longer context.",
        "提示词可能超出了模型加载时的上下文长度：请缩短提示词，或以更大的上下文长度加载模型。",
    ),
    ServerUnavailable,
)
TOO_MANY_CALLS = Failure(
    Text("asked for more tool calls than any agent can make", "请求的工具调用过多"),
    Text(
        "Choose another model, or start the server with the tool parser of this model.",
        "请换用其他模型，或在启动服务器时使用该模型对应的工具解析器。",
    ),
    ServerUnavailable,
)
TOO_MANY_FILES = Failure(
    Text(
        "cannot be reached: Dify's plugin has too many files open",
        "无法连接：Dify 插件打开的文件过多",
    ),
    Text(
        "Raise the limit of open files (ulimit -n) where Dify's plugins run.",
        "请调大 Dify 插件所在环境的文件描述符上限（ulimit -n）。",
    ),
)
NOT_HTTP = Failure(
    Text("answered something that is not HTTP", "返回的内容不是 HTTP"),
    Text(
        "Check the server URL, its port, and whether it begins with https://.",
        "请检查服务器 URL、端口，以及是否应以 https:// 开头。",
    ),
    Unintelligible,
)
UNREADABLE_BODY = Failure(
    Text("sent a body that cannot be decompressed", "返回的内容无法解压"),
    Text("Look at the reverse proxy in front of the server.", "请检查服务器前的反向代理。"),
    Unintelligible,
)


def too_large(limit: int) -> Failure:
    """Refuse a body of more than so many bytes."""
    size = f"{limit // limits.MIB} MiB" if limit >= limits.MIB else f"{limit // limits.KIB} KiB"
    return Failure(
        Text(f"answered more than {size}", f"返回的内容超过 {size}"),
        Text("Ask for less at once.", "请减少单次请求的内容。"),
        ServerUnavailable,
    )


UNREADABLE: tuple[type[Exception], ...] = (OSError, urllib3.HTTPError, HTTPException)
"""What reading an answer raises."""
UNSENT: tuple[type[Exception], ...] = (RequestException, ValueError, *UNREADABLE)
"""What sending a request raises; all of it goes through :data:`EXCEPTIONS`."""

type Row = tuple[tuple[type[BaseException], ...], str, Failure]

EXCEPTIONS: tuple[Row, ...] = (
    ((InvalidJSONError,), "", NOT_A_NUMBER),
    ((OSError,), "Too many open files", TOO_MANY_FILES),
    (
        (ConnectTimeout,),
        "",
        Failure(
            _UNREACHABLE,
            Text(
                "Check the server URL, and that no firewall stands between Dify and the server.",
                "连接超时：请检查服务器 URL，以及 Dify 与服务器之间的防火墙。",
            ),
        ),
    ),
    (
        (SSLError, urllib3.SSLError),
        "mismatch",
        Failure(
            Text("has a certificate for another name", "的证书与主机名不符"),
            Text(
                "Enter the server URL with a host name that the certificate holds.",
                "请将服务器 URL 中的主机名改为证书所含的名称。",
            ),
        ),
    ),
    (
        (SSLError, urllib3.SSLError),
        "CERTIFICATE",
        Failure(
            Text("has a certificate that is not trusted", "的证书不受信任"),
            Text(
                "Enter the certificate of its authority, or set REQUESTS_CA_BUNDLE.",
                "请填写其 CA 证书，或设置 REQUESTS_CA_BUNDLE。",
            ),
        ),
    ),
    (
        (SSLError, urllib3.SSLError),
        "",
        Failure(
            Text("does not speak TLS", "未启用 TLS"),
            Text("Enter the server URL with http://.", "服务器 URL 请使用 http://。"),
        ),
    ),
    (
        (ProxyError, urllib3.ProxyError),
        "",
        Failure(
            Text("cannot be reached through the proxy", "无法通过代理连接"),
            Text(
                "Check HTTP_PROXY and HTTPS_PROXY; add a server of your own network to NO_PROXY.",
                "请检查 HTTP_PROXY 和 HTTPS_PROXY；内网服务器请加入 NO_PROXY。",
            ),
        ),
    ),
    ((urllib3.NameResolutionError,), "", UNKNOWN_HOST),
    ((urllib3.LocationParseError,), "", IMPOSSIBLE_HOST),
    ((ReadTimeout, urllib3.ReadTimeoutError, TimeoutError), "", SILENT),
    ((urllib3.IncompleteRead, IncompleteRead, ChunkedEncodingError), "", BROKE_OFF),
    ((urllib3.DecodeError,), "", UNREADABLE_BODY),
    ((RemoteDisconnected, ConnectionResetError, BrokenPipeError), "", CLOSED),
    ((HTTPException, urllib3.InvalidHeader), "", NOT_HTTP),
    ((urllib3.ProtocolError,), "", CLOSED),
    ((ValueError,), "", UNSENDABLE),
)
"""Which exception, with which words, means what; the first that fits applies, to the exception
or to one that led to it."""

WHILE_READING: tuple[Row, ...] = (
    ((ReadTimeout, urllib3.ReadTimeoutError, TimeoutError), "", SILENT),
    ((urllib3.DecodeError,), "", UNREADABLE_BODY),
    ((Exception,), "", BROKE_OFF),
)
"""The same, once an answer has begun."""
