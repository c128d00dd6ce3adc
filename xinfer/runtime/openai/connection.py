"""Send requests: shared connections, retries, TLS and the key."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from attrs import field, frozen
from requests.auth import AuthBase, HTTPBasicAuth
from requests.utils import get_auth_from_url
from urllib3.exceptions import ProtocolError

from xinfer.runtime.openai import failures, limits
from xinfer.runtime.openai.body import beginning
from xinfer.runtime.openai.calls import Call
from xinfer.runtime.openai.fixes import Text, in_both
from xinfer.runtime.openai.multipart import Form
from xinfer.runtime.openai.redaction import Secrets
from xinfer.runtime.openai.sockets import Adapter
from xinfer.spec import Secret

logger = logging.getLogger("xinfer.calls")
_AGAIN = (429, 502, 503, 504)
"""Statuses that mean "try again later"."""
_HIDDEN = "[__HIDDEN__]"
"""What Dify shows in place of a stored key, and stores if it is sent back."""


@frozen(kw_only=True)
class Server:
    """How a server is reached.

    :param base_url: with its version part, as the dialect has it.
    :param label: what users know the server by; errors name it.
    :param timeout: seconds without content, before an answer or between two parts of it.
    :param max_retries: how often a call that got no answer, or "try again later", is repeated.
    :param verify_tls: whether the server must show a certificate that we trust.
    :param ca_certificate: PEM, trusted besides the usual authorities.
    :param headers: sent with every request, and secret; never in place of the key.
    :param query: appended to every URL.
    """

    base_url: str
    label: Text = field(default=Text("The server", "服务器"), converter=in_both)
    api_key: Secret | None = None
    timeout: float = 60.0
    max_retries: int = 3
    verify_tls: bool = True
    ca_certificate: str | None = None
    headers: tuple[tuple[str, Secret], ...] = ()
    query: tuple[tuple[str, str], ...] = ()

    @property
    def secrets(self) -> Secrets:
        """Return what users must not see should the server repeat it."""
        return _secrets(self)

    def send(
        self,
        method: str,
        call: Call,
        *,
        json: Mapping[str, Any] | None = None,
        form: Form | None = None,
    ) -> requests.Response:
        """Make a request; the answer is 2xx, its body is still to be read.

        :raises CallError: there is no answer, or its status is not 2xx.
        """
        if self.api_key and self.api_key.reveal().strip() == _HIDDEN:
            raise call.failed(failures.HIDDEN_KEY)
        attempts, began = self.max_retries, time.monotonic()
        while True:
            wait = backoff(self.max_retries - attempts)
            try:
                response = self._request(method, call, json, form)
            except failures.UNSENT as error:
                if not attempts or not _never_began(error):
                    raise call.raised(error) from None
            else:
                _log(method, call, response, self.max_retries - attempts, began)
                if response.ok and not response.is_redirect:
                    return response
                body = beginning(response, call)
                wait = max(wait, _retry_after(response))
                again = response.status_code in _AGAIN and wait <= limits.RETRY_AFTER
                if not attempts or not again:
                    raise call.refused(response, body) from None
            attempts -= 1
            time.sleep(wait)

    def _request(
        self, method: str, call: Call, json: Mapping[str, Any] | None, form: Form | None
    ) -> requests.Response:
        headers = {name: value.reveal() for name, value in self.headers}
        if form is not None:
            headers["Content-Type"] = form.content_type
        session = _session(
            self.base_url,
            (self.api_key, *self.headers),
            self.verify_tls,
            (self.ca_certificate if self.verify_tls else None) or "",
        )
        return session.request(
            method,
            call.url,
            params=list(self.query) or None,
            json=json,
            data=form,
            headers=headers,
            auth=_Key(self.api_key, call.url),
            timeout=(limits.CONNECT, self.timeout),
            stream=True,
            # On a session, REQUESTS_CA_BUNDLE would override it.
            verify=None if self.verify_tls else False,
            allow_redirects=False,
        )


def backoff(repeated: int) -> float:
    """Return the seconds to wait before a call is repeated once more; not at all at first."""
    return repeated and 0.3 * 2**repeated + random.uniform(0, 0.3)  # noqa: S311 (spreads load)


def _retry_after(response: requests.Response) -> float:
    """Read ``Retry-After`` in seconds; 0 if it is missing or cannot be read."""
    text = response.headers.get("Retry-After", "")
    if text.isascii() and text.strip().isdigit():
        return float(text[:9])
    try:
        until = parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return 0.0
    return max(0.0, until - time.time())


def _never_began(error: BaseException) -> bool:
    """Return whether the connection failed, so that the server is not at work on the call."""
    if isinstance(error, requests.exceptions.SSLError | requests.ReadTimeout):
        return False
    dropped = (requests.ConnectionError, requests.ConnectTimeout, ProtocolError)
    return isinstance(error, dropped)


@lru_cache(maxsize=limits.SESSIONS)
def _secrets(server: Server) -> Secrets:
    return Secrets.of(_secret_texts(server))


def _secret_texts(server: Server) -> Iterator[str]:
    keys = (server.api_key, *(value for _, value in server.headers))
    # A text of three letters or fewer is in many words that repeat nothing.
    yield from (text for key in keys if key and len(text := key.reveal()) > 3)
    user, password = _user(server.base_url)
    if password:
        yield password
        yield f"{user}:{password}"


def _user(url: str) -> tuple[str, str]:
    """Return the user and the password in a URL, empty where there are none."""
    try:
        return get_auth_from_url(url)
    except ValueError:
        return "", ""


def _log(method: str, call: Call, response: requests.Response, retries: int, began: float) -> None:
    """Log a response for debugging: never its content, or that of the request."""
    if logger.isEnabledFor(logging.DEBUG):
        milliseconds = round((time.monotonic() - began) * 1000)
        path = urlsplit(call.url).path
        logger.debug(
            "%s %s of model %r: %d after %d ms and %d retries",
            method,
            path,
            call.model,
            response.status_code,
            milliseconds,
            retries,
        )


class _Key(AuthBase):
    """Sends the key, else the user of the URL; without it requests would read ``.netrc``."""

    def __init__(self, key: Secret | None, url: str) -> None:
        self._key = key
        self._user = _user(url)

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


class _Session(requests.Session):
    """Never looks where a redirect leads."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return ``None``: requests would fail on a target that it cannot read."""


@lru_cache(maxsize=limits.SESSIONS)
def _session(
    base_url: str,  # noqa: ARG001 (a server's connections are its own)
    secrets: tuple[object, ...],  # noqa: ARG001 (so are those of a key)
    verify_tls: bool,  # noqa: ARG001 (and unverified ones)
    ca_certificate: str,
) -> requests.Session:
    """Share connections between calls."""
    session = _Session()
    # What is compressed otherwise could not be handed on as it arrives.
    session.headers["Accept-Encoding"] = "gzip, deflate"
    # Cookies of one user must not travel with another one's calls.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = Adapter(ca_certificate)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session
