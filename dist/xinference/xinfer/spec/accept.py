"""Converters and validators for credentials fields: small functions that compose.

A converter takes a value and returns it mended; a validator takes a value and returns nothing.
Both raise :class:`~xinfer.spec.values.Invalid` with what is accepted, in English and Chinese.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from textwrap import wrap
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from xinfer.spec.values import Invalid

type Converter = Callable[[Any], Any]
type Validator = Callable[[Any], None]


def http_url(*, without: tuple[str, ...] = ()) -> Converter:
    """Make a converter that tidies a server's base URL.

    Blanks and trailing slashes go, and so do the path endings in ``without``, which people
    paste along: ``http_url(without=("/v1",))`` turns ``http://host:9997/v1/`` into
    ``http://host:9997``.
    """

    def tidy(text: str) -> str:
        address = "".join(text.split())
        try:
            parts = urlsplit(address)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname)
            _ = parts.port  # a port that is no number raises here
        except ValueError:
            usable = False
        if not usable:
            raise Invalid(
                f"{text!r} is not a URL: begin with http:// or https://, "
                "e.g. http://192.168.1.100:9997",
                f"{text!r} 不是有效的 URL：请以 http:// 或 https:// 开头，"
                "例如 http://192.168.1.100:9997",
            )
        path = parts.path.rstrip("/")
        while ending := next((e for e in without if path.endswith(e)), None):
            path = path.removesuffix(ending).rstrip("/")
        return urlunsplit((parts.scheme, parts.netloc, path, "", ""))

    return tidy


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
