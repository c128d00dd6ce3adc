"""Requests on their way: shared connections, retries, TLS and the key."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from functools import lru_cache
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Self

import requests
from attrs import frozen
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth
from requests.utils import get_auth_from_url
from urllib3.exceptions import InvalidHeader, MaxRetryError, ReadTimeoutError, SSLError
from urllib3.util import Retry

from xinfer.runtime.openai.calls import Call
from xinfer.spec import Secret

_CONNECT_TIMEOUT = 5.0
_LONGEST_WAIT = 30.0
"""Seconds; a call is not repeated if the server asks for a longer wait."""


@frozen(kw_only=True)
class Server:
    """How a server is reached.

    :param base_url: with its version part, as the dialect has it.
    :param label: what users know the server by; errors name it.
    :param timeout: the longest silence, in seconds, before an answer or between two parts of it.
    :param max_retries: how often a call that got no answer, or "try again later", is repeated.
    :param verify_tls: whether the server must show a certificate that we trust.
    :param ca_certificate: PEM, trusted besides the usual authorities.
    :param headers: sent with every request; their values count as secrets.
    :param query: sent with every request.
    """

    base_url: str
    label: str = "The server"
    api_key: Secret | None = None
    timeout: float = 60.0
    max_retries: int = 3
    verify_tls: bool = True
    ca_certificate: str | None = None
    headers: tuple[tuple[str, Secret], ...] = ()
    query: tuple[tuple[str, str], ...] = ()

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no error may repeat."""
        keys = (self.api_key, *(value for _, value in self.headers))
        # A text of three letters or fewer is in many words that repeat nothing.
        return tuple(text for key in keys if key and len(text := key.reveal()) > 3)

    def send(
        self,
        method: str,
        call: Call,
        *,
        json: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        files: Mapping[str, tuple[str, bytes]] | None = None,
        stream: bool = False,
    ) -> requests.Response:
        """Make a request; the answer is 2xx.

        :raises CallError: there is no answer, or it is another one.
        """
        certificate = self.ca_certificate if self.verify_tls else None
        session = _session(self.base_url, self.max_retries, self.verify_tls, certificate or "")
        try:
            response = session.request(
                method,
                call.url,
                params=self.query or None,
                headers={name: value.reveal() for name, value in self.headers},
                json=json,
                data=data,
                files=files,
                auth=_Key(self.api_key, call.url),
                timeout=(_CONNECT_TIMEOUT, self.timeout),
                stream=stream,
                # On a session, REQUESTS_CA_BUNDLE would override it.
                verify=None if self.verify_tls else False,
                allow_redirects=False,
            )
            if not response.ok or response.is_redirect:
                with response:
                    raise call.refused(response)
        except requests.RequestException as error:
            raise call.raised(error) from None
        return response


class _Key(AuthBase):
    """Sends the key, else the user of the URL; without it requests would read ``.netrc``."""

    def __init__(self, key: Secret | None, url: str) -> None:
        self._key = key
        self._user = get_auth_from_url(url)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._key:
            header = f"Bearer {self._key.reveal()}"
            if not (header.isascii() and header.isprintable()):
                # The exception of http.client would quote the key.
                raise requests.exceptions.InvalidHeader
            request.headers["Authorization"] = header
        elif any(self._user):
            HTTPBasicAuth(*self._user)(request)
        return request


class _Retry(Retry):
    """Repeats calls that never began: refused and dropped connections, and "try again later"."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: Any = None,
        error: Exception | None = None,
        _pool: Any = None,
        _stacktrace: Any = None,
    ) -> Self:
        # A server at work on a call would have it twice; a certificate stays what it is.
        if isinstance(error, ReadTimeoutError | SSLError):
            raise error
        wait = self.get_retry_after(response) if response is not None else None
        if wait is not None and wait > _LONGEST_WAIT:
            raise MaxRetryError(_pool, url or "", error)
        return super().increment(method, url, response, error, _pool, _stacktrace)

    def parse_retry_after(self, retry_after: str) -> float:
        """Read a time; an unreadable one counts as none."""
        try:
            return super().parse_retry_after(retry_after)
        except InvalidHeader:
            return 0.0


class _Adapter(HTTPAdapter):
    """Trusts a private authority besides the usual ones."""

    def __init__(self, ca_certificate: str, **options: Any) -> None:
        self._ca_certificate = ca_certificate
        super().__init__(**options)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        if self._ca_certificate:
            options["ssl_context"] = ssl.create_default_context(cadata=self._ca_certificate)
        super().init_poolmanager(*arguments, **options)


@lru_cache(maxsize=64)
def _session(
    base_url: str,  # noqa: ARG001 (a server's connections are its own)
    max_retries: int,
    verify_tls: bool,  # noqa: ARG001 (nor are unverified connections for calls that verify)
    ca_certificate: str,
) -> requests.Session:
    """Share the connections to a server between calls."""
    session = requests.Session()
    # Cookies of one user must not travel with another one's calls.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    retries = _Retry(
        total=max_retries,
        status_forcelist=(429, 502, 503, 504),
        allowed_methods=None,
        backoff_factor=0.3,
        backoff_jitter=0.3,
        raise_on_status=False,
    )
    adapter = _Adapter(ca_certificate, pool_maxsize=256, max_retries=retries)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session
