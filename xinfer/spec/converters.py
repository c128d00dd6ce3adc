"""Converters and validators for credentials fields: small functions that compose.

A converter takes what the user entered and returns what the code uses; what it returned, it
returns unchanged. A validator takes a value and returns nothing. Both raise
:class:`~xinfer.spec.values.Invalid`, which says in English and in Chinese what is accepted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from ipaddress import IPv6Address
from textwrap import wrap
from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

from xinfer.spec.errors import Invalid, quoted
from xinfer.spec.secret import Secret

type Converter = Callable[[Any], Any]
type Validator = Callable[[Any], object]


def http_url(*, without: tuple[str, ...] = ()) -> Converter:
    """Make a converter that tidies a server's base URL.

    It removes what surrounds the URL in a sentence, trailing slashes, and the path endings in
    ``without``, which users paste along: ``http_url(without=("/v1",))`` turns
    ``http://host:9997/v1/`` into ``http://host:9997``. Full-width letters, digits and signs, as
    Chinese input methods write them, become the usual ones.

    The converter raises :class:`Invalid` for what no client could connect to: no scheme, a blank,
    a port above 65535, an invalid host name.
    """

    def tidy(text: str) -> str:
        if len(text) > _LONGEST_URL:
            raise Invalid(
                f"is longer than {_LONGEST_URL} characters: enter the URL alone",
                f"超过 {_LONGEST_URL} 个字符：请只填写 URL",
            )
        address = _usual_width(text.strip(_AROUND)).strip(_AROUND)
        parts = _checked(address)
        path = parts.path.rstrip("/")
        while ending := next((e for e in without if path.endswith(e)), None):
            path = path.removesuffix(ending).rstrip("/")
        return urlunsplit((parts.scheme, parts.netloc, path, "", ""))

    return tidy


def _checked(address: str) -> SplitResult:
    """Split a URL that a client can connect to.

    :raises Invalid: says what is wrong with it, and suggests the URL that was meant.
    """
    if len(address.split()) > 1:
        raise _refused(address, "{url} contains a blank", "{url}中含有空格")
    parts = _split(address)
    if parts is None:
        example = _likely(address)
        raise _refused(
            address,
            f"{{url}} is not a URL: begin with http:// or https://, e.g. {example}",
            f"{{url}}不是有效的 URL：请以 http:// 或 https:// 开头，例如 {example}",
        )
    if parts.netloc != (bracketed := _in_brackets(parts.netloc)):
        example = f"{parts.scheme}://{bracketed}"
        raise _refused(
            address,
            f"{{url}} has an IPv6 address without brackets: write {example}",
            f"{{url}}中的 IPv6 地址缺少方括号：请写成 {example}",
        )
    try:
        _ = parts.port
    except ValueError:
        raise _refused(
            address,
            "the port in {url} must be a number up to 65535",
            "{url}中的端口必须是不超过 65535 的数字",
        ) from None
    if not _is_host(parts.hostname or ""):
        host = quoted(parts.hostname or "")
        raise _refused(
            address,
            f"'{host}' in {{url}} is not a host name or an IP address",
            f"{{url}}中的“{host}”不是有效的主机名或 IP 地址",
        )
    return parts


def _refused(address: str, english: str, chinese: str) -> Invalid:
    """Quote an address without its user name and password, in place of ``{url}``."""
    url = quoted(_USER.sub(r"\1********@", address))
    return Invalid(english.replace("{url}", f"'{url}'"), chinese.replace("{url}", f"“{url}”"))


ENDPOINTS = (
    *("/chat/completions", "/completions", "/models", "/embeddings", "/rerank"),
    *("/audio/speech", "/audio/transcriptions", "/responses"),
)
"""Paths that users paste along with a base URL."""

openai_url = http_url(without=ENDPOINTS)
"""Tidies a base URL: removes pasted endpoints, and leaves the version part as it is."""

_AROUND = " \t\r\n\"'`<>(){},;，。；、：“”‘’《》（）「」"
_USER = re.compile(r"(^|//)\S*@")
"""A user name and a password, which no message repeats."""
_EXAMPLE = "http://192.168.1.100:9997"
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: " ", 0x3002: "."}
_SCHEME = re.compile(r"(?:h?t+p(s?)(?:[:;]*[/\\]+|[:;]+))+", re.IGNORECASE)
"""Misspellings of ``http://``: ``http:/``, ``http//``, ``http:``, ``htp://``."""


def _usual_width(text: str) -> str:
    """Replace full-width characters, and drop those without any width."""
    if text.isascii():
        return text
    return "".join(c for c in text.translate(_FULL_WIDTH) if unicodedata.category(c) != "Cf")


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    twice = parts.netloc.lower() in ("http:", "https:")
    there = parts.hostname or parts.netloc.count(":") > 1
    return parts if parts.scheme in ("http", "https") and there and not twice else None


def _likely(address: str) -> str:
    """Guess which URL was meant; an example if no guess is plausible."""
    if "@" in address:
        return _EXAMPLE  # it may hold a password
    scheme = _SCHEME.match(address)
    rest = address[scheme.end() :] if scheme else address.lstrip("/\\")
    guess = f"http{scheme[1].lower() if scheme else ''}://{_in_brackets(rest)}"
    parts = _split(guess)
    plausible = parts is not None and "://" not in rest and _is_host(parts.hostname or "")
    return guess if plausible and len(guess) <= _LONGEST_HOST else _EXAMPLE


def _in_brackets(address: str) -> str:
    """Put an IPv6 address at the beginning in brackets; a last group in digits is the port."""
    if address.count(":") < 2:
        return address
    authority, slash, path = address.partition("/")
    host, _, port = authority.rpartition(":")
    if _is_ipv6(host) and port.isdecimal():
        return f"[{host}]:{port}{slash}{path}"
    return f"[{authority}]{slash}{path}" if _is_ipv6(authority) else address


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


_LONGEST_URL = 2048
"""Characters; servers and proxies refuse longer ones."""
_LONGEST_HOST = 253
_LABELS = re.compile(
    r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*"
    r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?"
)


def _is_host(host: str) -> bool:
    """Return whether a client could resolve a host: labels of 1 to 63 characters (RFC 1123)."""
    if ":" in host:
        return True  # an IPv6 address, which urlsplit has checked
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError:
            return False
    return len(host) <= _LONGEST_HOST and _LABELS.fullmatch(host) is not None


def bearer_key(key: Secret) -> Secret:
    """Tidy a key that is sent as ``Authorization: Bearer``; a converter.

    It removes what users copy along: quotes, the word Bearer, characters without a width.

    :raises Invalid: the key contains what no header can carry.
    """
    text = "".join(c for c in key.reveal() if unicodedata.category(c) != "Cf")
    text = text.strip(" \t\r\n\"'`“”‘’")
    text = re.sub(r"^(authorization:\s*)?bearer(\s+|$)", "", text, flags=re.IGNORECASE)
    if not _VISIBLE.fullmatch(text):
        raise Invalid(
            "contains a blank, a line break or a character that no key has: copy it again",
            "含有空格、换行或无法发送的字符：请重新复制",
        )
    return Secret(text)


_VISIBLE = re.compile(r"[!-~]+")


def language_code(text: str) -> str:
    """Shorten the code of a language to what speech models take: ``en-US`` to ``en``; a converter.

    :raises Invalid: the text is not such a code.
    """
    code = _LANGUAGE.fullmatch(text.strip())
    if not code:
        entry = quoted(text)
        raise Invalid(
            f"'{entry}' is not the code of a language, e.g. en or zh",
            f"“{entry}”不是语言代码，例如 en 或 zh",
        )
    return code[1].lower()


_LANGUAGE = re.compile(r"([A-Za-z]+)(?:[-_][A-Za-z0-9]+)*")


def pem(text: str) -> str:
    """Restore the lines of PEM certificates that a form has run together; a converter.

    :raises Invalid: there is no certificate, or it is not whole.
    """
    import ssl  # slow to import, and few forms need it

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
_CERTIFICATE = re.compile(f"{_BEGIN}([^-]*){_END}")


def _short(number: float) -> str:
    return f"{number:.15g}"


def gt(bound: float) -> Validator:
    """Accept numbers greater than ``bound``."""

    def check(value: float) -> None:
        if not value > bound:
            raise Invalid(
                f"must be greater than {bound}, not {_short(value)}",
                f"必须大于 {bound}（当前为 {_short(value)}）",
            )

    return check


def between(low: float, high: float) -> Validator:
    """Accept numbers from ``low`` to ``high``, both included."""

    def check(value: float) -> None:
        if not low <= value <= high:
            raise Invalid(
                f"must be from {low} to {high}, not {_short(value)}",
                f"必须在 {low} 到 {high} 之间（当前为 {_short(value)}）",
            )

    return check


def at_least(low: float) -> Validator:
    """Accept numbers of ``low`` or more."""

    def check(value: float) -> None:
        if not value >= low:
            raise Invalid(
                f"must be {low} or more, not {value}", f"必须大于或等于 {low}（当前为 {value}）"
            )

    return check
