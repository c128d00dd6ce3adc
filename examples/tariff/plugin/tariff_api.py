"""The service's API for one account: JSON in, JSON and events out, failures as Dify's errors."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import requests
from attrs import frozen
from dify_plugin.errors.model import (
    InvokeAuthorizationError,
    InvokeBadRequestError,
    InvokeConnectionError,
    InvokeError,
    InvokeRateLimitError,
    InvokeServerUnavailableError,
)

from provider_spec import TariffCredentials

_TIMEOUT = (10, 120)
"""Seconds to connect in, and of silence to bear."""

_KINDS: dict[int, type[InvokeError]] = {
    401: InvokeAuthorizationError,
    403: InvokeAuthorizationError,
    429: InvokeRateLimitError,
}
"""What a status means; one not listed is our mistake below 500 and the service's from there."""


@frozen
class Service:
    """What the account may ask. Every method raises ``InvokeError`` with the service's words."""

    account: TariffCredentials

    def models(self) -> list[str]:
        """Name the models; costs nothing, and so tells whether the key is good."""
        with self._asked("GET", "/models") as response:
            return [model["id"] for model in _object(response).get("data", ())]

    def complete(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a chat at once."""
        with self._asked("POST", "/chat/completions", body) as response:
            return _object(response)

    def stream(self, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Answer a chat in pieces. The last one has no choice in it, but the tokens counted."""
        body = {**body, "stream": True, "stream_options": {"include_usage": True}}
        with self._asked("POST", "/chat/completions", body) as response:
            for line in response.iter_lines(chunk_size=None):
                name, _, data = line.partition(b":")
                if name != b"data":
                    continue
                if data.strip() == b"[DONE]":
                    return
                yield _piece(data)
        raise InvokeConnectionError("Tariff broke off in the middle of an answer: try again.")

    @contextmanager
    def _asked(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> Iterator[requests.Response]:
        """Send a request and hold its answer open; what fails in here names cause and cure."""
        url = self.account.base_url + path
        try:
            with requests.request(
                method,
                url,
                json=body,
                headers={"Authorization": f"Bearer {self.account.api_key.reveal()}"},
                timeout=_TIMEOUT,
                stream=True,
            ) as response:
                if not response.ok:
                    raise _refusal(response)
                yield response
        except requests.Timeout:
            raise InvokeConnectionError(f"{url} did not answer in time: try again later.") from None
        except requests.RequestException as error:
            # The error's own text can hold the headers that were sent.
            raise InvokeConnectionError(
                f"{url} cannot be reached ({type(error).__name__}): check the base URL."
            ) from None


def _object(response: requests.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except requests.JSONDecodeError:
        answer = None
    if not isinstance(answer, dict):
        raise InvokeServerUnavailableError(
            f"{response.url} did not answer with JSON: check the base URL."
        )
    return answer


def _piece(data: bytes) -> dict[str, Any]:
    try:
        piece = json.loads(data)
    except ValueError:
        piece = {"error": {"message": "an event that is not JSON"}}
    if isinstance(piece, dict) and "error" not in piece:
        return piece
    raise InvokeServerUnavailableError(f"Tariff broke off the answer: {_words(piece)}")


def _refusal(response: requests.Response) -> InvokeError:
    status = response.status_code
    kind = _KINDS.get(
        status, InvokeBadRequestError if status < 500 else InvokeServerUnavailableError
    )
    try:
        words = _words(response.json())
    except requests.JSONDecodeError:
        words = response.reason
    return kind(f"Tariff answered {status}: {words}")


def _words(answer: Any) -> str:
    match answer:
        case {"error": {"message": str(message)}}:
            return message
        case _:
            return json.dumps(answer, ensure_ascii=False)[:500]
