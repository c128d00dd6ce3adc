"""Requests on their way: shared connections, retries, the key, and bodies as they arrive."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Self

import requests
from attrs import frozen
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth
from requests.utils import get_auth_from_url
from urllib3.exceptions import (
    HTTPError,
    InvalidHeader,
    MaxRetryError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.util import Retry

from xinfer.runtime.openai.chunks import Chunks
from xinfer.runtime.openai.errors import broken_off, from_exception, from_response
from xinfer.spec import Secret

_CONNECT_TIMEOUT = 5.0
_LONGEST_WAIT = 30.0
"""Seconds; a server that wants to be left alone for longer gets no second try."""

_PIECE = 64 * 1024
_END_TIMEOUT = 0.1
"""Seconds to wait for the end of a body after its last event; both are sent at once."""


@frozen(kw_only=True)
class Server:
    """How a server is reached.

    :param base_url: without ``/v1`` and without a slash at the end.
    :param timeout: the longest silence, in seconds, before an answer or between two parts of it.
    :param max_retries: how often a call that got no answer, or "try again later", is repeated.
    :param verify_tls: whether the server must show a certificate that we trust.
    :param ca_certificate: PEM, trusted besides the usual authorities.
    """

    base_url: str
    api_key: Secret | None = None
    timeout: float = 60.0
    max_retries: int = 3
    verify_tls: bool = True
    ca_certificate: str | None = None

    def send(
        self,
        method: str,
        path: str,
        model: str,
        *,
        json: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        files: Mapping[str, tuple[str, bytes]] | None = None,
        stream: bool = False,
    ) -> requests.Response:
        """Make a request about a model; the answer is 2xx.

        :raises XinferenceError: there is no answer, or it is another one.
        """
        url = self.base_url + path
        certificate = self.ca_certificate if self.verify_tls else None
        session = _session(self.base_url, self.max_retries, self.verify_tls, certificate or "")
        try:
            response = session.request(
                method,
                url,
                json=json,
                data=data,
                files=files,
                auth=_Key(self.api_key, url),
                timeout=(_CONNECT_TIMEOUT, self.timeout),
                stream=stream,
                # Said here, for on a session REQUESTS_CA_BUNDLE would overrule it.
                verify=None if self.verify_tls else False,
                allow_redirects=False,
            )
            if not response.ok or response.is_redirect:
                with response:
                    raise from_response(response, model)
        except requests.RequestException as error:
            raise from_exception(error, model, url) from None
        return response


@contextmanager
def reading(response: requests.Response, model: str) -> Iterator[Iterator[bytes]]:
    """Hand out a body as it arrives, in pieces of at most 64 KiB; close it in the end.

    A body left unread is closed with its connection, unless no more than its end is missing.

    :raises XinferenceError: it breaks off, or nothing comes for too long.
    """
    with response:
        try:
            pieces = _arriving(response.raw)
            yield pieces
            _finish(pieces, response.raw)
        except (ReadTimeoutError, TimeoutError):
            raise from_exception(requests.ReadTimeout(), model, response.url) from None
        except (HTTPError, OSError):
            # requests looks no further than the headers.
            raise broken_off(model, response.url) from None


def _arriving(raw: Any) -> Iterator[bytes]:
    """Yield what has arrived, all of it at once.

    Xinference sends each token as a chunk of its own, and urllib3 reads chunk by chunk.
    """
    file = getattr(raw._fp, "fp", None)  # noqa: SLF001 (urllib3 has no other way to it)
    if file is None or "Content-Encoding" in raw.headers:
        yield from raw.stream(_PIECE, decode_content=True)
    elif raw.chunked:
        yield from _of_chunks(raw, file)
    else:
        while arrived := raw._fp.read1(_PIECE):  # noqa: SLF001
            yield arrived
        if raw._fp.length:  # noqa: SLF001
            raise ProtocolError("The body broke off.")
        raw.release_conn()


def _of_chunks(raw: Any, file: Any) -> Iterator[bytes]:
    chunks = Chunks()
    while not chunks.ended:
        arrived = file.read1(_PIECE)
        try:
            piece = chunks.feed(arrived)
        except ValueError as error:
            raise ProtocolError(f"Not a chunked body: {error}.") from error
        if piece:
            yield piece
        if not arrived:
            raise ProtocolError("The body broke off.")
    raw._fp.close()  # noqa: SLF001
    raw.release_conn()


def _finish(pieces: Iterator[bytes], raw: Any) -> None:
    """Read the end of a body whose last event is known, so that its connection can serve again."""
    sock = getattr(raw.connection, "sock", None)
    if sock is None:
        return
    waits = sock.gettimeout()
    sock.settimeout(_END_TIMEOUT)
    try:
        next(pieces, None)
    except (HTTPError, OSError):
        return  # the answer is complete all the same
    finally:
        sock.settimeout(waits)


class _Key(AuthBase):
    """Sends the key, else the user that the URL names; requests would look into ``.netrc``."""

    def __init__(self, key: Secret | None, url: str) -> None:
        self._key = key
        self._user = get_auth_from_url(url)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._key:
            header = f"Bearer {self._key.reveal()}"
            if not (header.isascii() and header.isprintable()):
                # http.client would say so with the key in its words.
                raise requests.exceptions.InvalidHeader
            request.headers["Authorization"] = header
        elif any(self._user):
            HTTPBasicAuth(*self._user)(request)
        return request


class _Retry(Retry):
    """Repeats what never began: refused and dropped connections, and "try again later"."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: Any = None,
        error: Exception | None = None,
        _pool: Any = None,
        _stacktrace: Any = None,
    ) -> Self:
        # At work on it, the server would have double the work; a certificate stays what it is.
        if isinstance(error, ReadTimeoutError | SSLError):
            raise error
        wait = self.get_retry_after(response) if response is not None else None
        if wait is not None and wait > _LONGEST_WAIT:
            raise MaxRetryError(_pool, url or "", error)
        return super().increment(method, url, response, error, _pool, _stacktrace)

    def parse_retry_after(self, retry_after: str) -> float:
        """Take a time that cannot be read for none."""
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
    verify_tls: bool,  # noqa: ARG001 (nor are those of the careless for the careful)
    ca_certificate: str,
) -> requests.Session:
    """Share the connections to a server between calls."""
    session = requests.Session()
    # One user's cookies are nothing to another one's calls.
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
