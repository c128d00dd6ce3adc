"""Converters and validators for credentials fields: small functions that compose.

A converter takes a value and returns it mended; a validator takes a value and returns nothing.
Both raise :class:`~xinfer.spec.values.Invalid` with what is accepted, in English and Chinese.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from textwrap import wrap
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from xinfer.spec.secret import Secret
from xinfer.spec.values import Invalid

type Converter = Callable[[Any], Any]
type Validator = Callable[[Any], None]


def http_url(*, without: tuple[str, ...] = ()) -> Converter:
    """Make a converter that tidies a server's base URL.

    What surrounds it in a sentence goes, and so do trailing slashes and the path endings in
    ``without``, which people paste along: ``http_url(without=("/v1",))`` turns
    ``http://host:9997/v1/`` into ``http://host:9997``.
    """

    def tidy(text: str) -> str:
        address = text.strip(_AROUND)
        shown = repr(_USER.sub(r"\1********@", address))
        if len(address.split()) > 1:
            raise Invalid(f"{shown} holds a blank", f"{shown} 中含有空格")
        try:
            parts = urlsplit(address)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            example = "http://192.168.1.100:9997"
            if address and "://" not in address and "@" not in address:
                example = f"http://{address.lstrip('/')}"
            raise Invalid(
                f"{shown} is not a URL: begin with http:// or https://, e.g. {example}",
                f"{shown} 不是有效的 URL：请以 http:// 或 https:// 开头，例如 {example}",
            )
        try:
            _ = parts.port
        except ValueError:
            raise Invalid(
                f"the port in {shown} must be a number up to 65535",
                f"{shown} 中的端口必须是不超过 65535 的数字",
            ) from None
        path = parts.path.rstrip("/")
        while ending := next((e for e in without if path.endswith(e)), None):
            path = path.removesuffix(ending).rstrip("/")
        return urlunsplit((parts.scheme, parts.netloc, path, "", ""))

    return tidy


ENDPOINTS = (
    *("/chat/completions", "/completions", "/models", "/embeddings", "/rerank"),
    *("/audio/speech", "/audio/transcriptions", "/responses"),
)
"""Paths that people copy with a base URL."""

openai_url = http_url(without=ENDPOINTS)
"""Tidies a base URL: pasted endpoints go, its version part is neither added nor removed."""

_AROUND = " \t\r\n\"'`<>(){},;，。；、：“”‘’《》（）「」\u200b\ufeff"
_USER = re.compile(r"(^|//)\S*@")
"""A user name and a password, which no message repeats."""


def bearer_key(key: Secret) -> Secret:
    """Tidy a key that is sent as ``Authorization: Bearer``; a converter.

    What people copy along goes: quotes, the word Bearer, letters without a width.

    :raises Invalid: it holds what no header can carry.
    """
    text = "".join(c for c in key.reveal() if unicodedata.category(c) != "Cf")
    text = text.strip(" \t\r\n\"'`“”‘’")
    text = re.sub(r"^(authorization:\s*)?bearer(\s+|$)", "", text, flags=re.IGNORECASE)
    if not _VISIBLE.fullmatch(text):
        raise Invalid(
            "holds a blank, a line break or a letter that no key has: copy it again",
            "含有空格、换行或无法发送的字符：请重新复制",
        )
    return Secret(text)


_VISIBLE = re.compile(r"[!-~]+")


def language_code(text: str) -> str:
    """Tidy the code of a language, as speech models take it: ``en-US`` becomes ``en``; a converter.

    :raises Invalid: it is no such code.
    """
    found = _LANGUAGE.fullmatch(text.strip())
    if not found:
        raise Invalid(
            f"{text!r} is not the code of a language, e.g. en or zh",
            f"{text!r} 不是语言代码，例如 en 或 zh",
        )
    return found[1].lower()


_LANGUAGE = re.compile(r"([A-Za-z]+)(?:[-_][A-Za-z0-9]+)*")


def pem(text: str) -> str:
    """Mend a PEM certificate, or several, whose lines a form has run together; a converter.

    :raises Invalid: there is none, or it is not whole.
    """
    import ssl  # takes longer than everything else in here, and few forms need it

    bodies = ("".join(body.split()) for body in _CERTIFICATE.findall(text))
    blocks = (f"{_BEGIN}\n{'\n'.join(wrap(body, 64))}\n{_END}\n" for body in bodies)
    certificates = "".join(blocks)
    try:
        usable = bool(certificates and ssl.create_default_context(cadata=certificates))
    except (ValueError, ssl.SSLError):
        usable = False
    if not usable:
        raise Invalid(
            f"is not a certificate in PEM: copy it whole, from {_BEGIN} to {_END}",
            f"不是有效的 PEM 证书：请完整复制，从 {_BEGIN} 到 {_END}",
        )
    return certificates


_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_CERTIFICATE = re.compile(f"{_BEGIN}(.*?){_END}", re.DOTALL)


def gt(bound: float) -> Validator:
    """Accept numbers greater than ``bound``."""

    def check(value: float) -> None:
        if not value > bound:
            raise Invalid(f"must be greater than {bound}, not {value}", f"必须大于 {bound}")

    return check


def between(low: float, high: float) -> Validator:
    """Accept numbers from ``low`` to ``high``, both included."""

    def check(value: float) -> None:
        if not low <= value <= high:
            raise Invalid(
                f"must be from {low} to {high}, not {value}", f"必须在 {low} 到 {high} 之间"
            )

    return check
