"""What to do about a call that failed, in English and in Chinese; data only."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen
from requests import ConnectTimeout, ReadTimeout
from requests.exceptions import ChunkedEncodingError, ProxyError, SSLError


@frozen
class Cure:
    """What to do about an error; the Chinese also says what is wrong."""

    english: str
    chinese: str

    def of(self, **named: object) -> Cure:
        """Fill in what the texts leave open in braces."""
        return Cure(self.english.format(**named), self.chinese.format(**named))


NO_XINFERENCE = Cure(
    "Check that the server URL is that of a Xinference server.",
    "该地址不是 Xinference 服务器：请检查服务器 URL。",
)
REDIRECTED = Cure("Enter {url} as the server URL.", "服务器已跳转：请将服务器 URL 改为 {url}。")
LOCKED_OUT = Cure(
    "Try again in {minutes} minutes; Xinference locks an address out after ten wrong keys.",
    "请在 {minutes} 分钟后再试；连续十次密钥错误后，Xinference 会锁定该地址。",
)
UNSENDABLE = Cure(
    "The server URL or the API key holds a letter that cannot be sent: enter them again.",
    "服务器 URL 或 API 密钥中含有无法发送的字符：请重新填写。",
)
NO_NUMBER = Cure(
    "A parameter is infinite or not a number: correct it.", "参数不是有效的数字：请更正。"
)
OF_STATUS: Mapping[int, Cure] = {
    401: Cure(
        "Enter a valid API key; a server that asks for none needs none. Xinference locks an "
        "address out after ten wrong keys.",
        "API 密钥缺失或无效：请填写有效的密钥；服务器未启用认证时请留空。"
        "连续十次密钥错误后，Xinference 会锁定该地址。",
    ),
    403: Cure(
        "Give the key the right to use this model, or enter another key.",
        "API 密钥无权使用此模型：请在服务器上授权，或换用其他密钥。",
    ),
    405: NO_XINFERENCE,
    407: Cure(
        "Check HTTP_PROXY and HTTPS_PROXY.", "代理需要认证：请检查 HTTP_PROXY 和 HTTPS_PROXY。"
    ),
    413: Cure(
        "A proxy in front of Xinference takes no more: raise its limit, which nginx calls "
        "client_max_body_size.",
        "请求过大，被 Xinference 前面的代理拒绝：请调大其限制（nginx 的 client_max_body_size）。",
    ),
    429: Cure("Try again later.", "请求过多：请稍后再试。"),
    502: Cure("See whether Xinference runs.", "代理连接不到 Xinference：请检查其是否在运行。"),
    503: Cure(
        "The model may still be loading: try again in a moment.",
        "模型可能仍在加载：请稍后再试。",
    ),
    504: Cure(
        "Raise the time limit of the proxy in front of Xinference, which nginx calls "
        "proxy_read_timeout.",
        "代理等待 Xinference 超时：请调大其时限（nginx 的 proxy_read_timeout）。",
    ),
}


@frozen
class Lost:
    """How a call comes to have no answer.

    :param what: completes "Xinference at …".
    """

    what: str
    cure: Cure | None = None


REFUSED = Lost(
    "cannot be reached",
    Cure(
        "Check the server URL, and that Xinference runs, listens on 0.0.0.0, and lets port {port} "
        "through to Dify.",
        "无法连接：请检查服务器 URL，并确认 Xinference 正在运行、监听 0.0.0.0，"
        "且 Dify 可以访问端口 {port}。",
    ),
)
IN_THE_CONTAINER = Lost(
    "cannot be reached",
    Cure(
        "Dify's plugins run in a container, where {host} is the container itself: enter the "
        "server's address in your network, or host.docker.internal. If that is meant, start "
        "Xinference.",
        "无法连接：Dify 插件运行在容器内，{host} 指容器自身，请填写服务器在网络中的地址或 "
        "host.docker.internal；若地址无误，请启动 Xinference。",
    ),
)
UNKNOWN_HOST = Lost(
    "cannot be reached",
    Cure(
        "Where Dify's plugins run, the host name {host} is not known: correct it, or enter the "
        "server's IP address.",
        "无法连接：Dify 插件所在的环境无法解析主机名 {host}，请更正或改用 IP 地址。",
    ),
)
CLOSED = Lost(
    "closed the connection without an answer",
    Cure(
        "See what the server's log says; a server that speaks TLS needs https://.",
        "服务器未作响应即关闭了连接：请查看其日志；若服务器启用了 TLS，请使用 https://。",
    ),
)
BROKE_OFF = Lost("broke off in the middle of the answer")

OF_EXCEPTION: tuple[tuple[type[Exception], str, Lost], ...] = (
    (
        ConnectTimeout,
        "",
        Lost(
            "cannot be reached",
            Cure(
                "Check the server URL, and that no firewall stands between Dify and the server.",
                "连接超时：请检查服务器 URL，以及 Dify 与服务器之间的防火墙。",
            ),
        ),
    ),
    (
        ReadTimeout,
        "",
        Lost(
            "did not answer in time",
            Cure(
                "Raise the timeout, or see whether the model is busy. What is not streamed takes "
                "as long as the whole answer.",
                "服务器未在时限内响应：请调大超时时间，或检查模型是否繁忙。"
                "非流式调用需等待整个结果完成。",
            ),
        ),
    ),
    (
        SSLError,
        "mismatch",
        Lost(
            "has a certificate for another name",
            Cure(
                "Enter the server URL with the name that the certificate has.",
                "服务器证书与主机名不符：请使用证书中的名称作为服务器 URL。",
            ),
        ),
    ),
    (
        SSLError,
        "CERTIFICATE",
        Lost(
            "has a certificate that is not trusted",
            Cure(
                "Enter the certificate of its authority, or set REQUESTS_CA_BUNDLE.",
                "服务器证书不受信任：请填写其 CA 证书，或设置 REQUESTS_CA_BUNDLE。",
            ),
        ),
    ),
    (
        SSLError,
        "",
        Lost(
            "does not speak TLS",
            Cure(
                "Enter the server URL with http://.",
                "服务器未启用 TLS：服务器 URL 请使用 http://。",
            ),
        ),
    ),
    (
        ProxyError,
        "",
        Lost(
            "cannot be reached through the proxy",
            Cure(
                "Check HTTP_PROXY and HTTPS_PROXY; name a server in your network in NO_PROXY.",
                "无法通过代理连接：请检查 HTTP_PROXY 和 HTTPS_PROXY；内网服务器请加入 NO_PROXY。",
            ),
        ),
    ),
    (ChunkedEncodingError, "", BROKE_OFF),
)
"""Which exception, with which words, means what; the first that fits applies."""
