"""The client: one object for one server and key, a method for each thing a model does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, Self
from urllib.parse import quote

import requests
from attrs import frozen
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, ReadTimeoutError
from urllib3.util import Retry

from xinfer.runtime.xinference.errors import (
    ServerUnavailable,
    from_event,
    from_exception,
    from_response,
)
from xinfer.runtime.xinference.events import events
from xinfer.spec import Secret

_CONNECT_TIMEOUT = 10.0
_PIECE = 64 * 1024
_LIMITS = ("context_length", "max_tokens", "dimensions")


@frozen(kw_only=True)
class ModelDescription:
    """What a server says of a running model.

    :param model_type: ``LLM``, ``embedding``, ``rerank`` or ``audio``.
    :param abilities: empty on servers too old to list them.
    :param limits: those of ``context_length``, ``max_tokens``, ``dimensions`` it reports.
    """

    model_type: str
    abilities: frozenset[str]
    limits: Mapping[str, int]

    @classmethod
    def from_json(cls, answer: Mapping[str, Any]) -> Self:
        """Read an answer of ``GET /v1/models/{uid}``."""
        return cls(
            model_type=str(answer.get("model_type") or ""),
            abilities=frozenset(answer.get("model_ability") or ()),
            limits={name: answer[name] for name in _LIMITS if isinstance(answer.get(name), int)},
        )

    def to_json(self) -> dict[str, Any]:
        """Write what :meth:`from_json` reads."""
        return {
            "model_type": self.model_type,
            "model_ability": sorted(self.abilities),
            **self.limits,
        }


@frozen
class Usage:
    """Tokens as the server counted them."""

    prompt_tokens: int
    completion_tokens: int


@frozen(kw_only=True)
class ChatChunk:
    """A piece of an answer; an answer given at once is one piece."""

    text: str = ""
    finish_reason: str | None = None
    usage: Usage | None = None


@frozen(kw_only=True)
class Embeddings:
    """One vector for each text, in the order of the texts, and the tokens counted."""

    vectors: list[list[float]]
    tokens: int


@frozen(kw_only=True)
class Client:
    """Talks to one Xinference server.

    :param base_url: without ``/v1`` and without a slash at the end.
    :param timeout: the longest silence, in seconds, before an answer or between two parts of it.
    :param max_retries: how often a connection that could not be made is tried again.
    """

    base_url: str
    api_key: Secret | None = None
    timeout: float = 60.0
    max_retries: int = 3

    def describe(self, model: str) -> ModelDescription:
        """Ask what a model is.

        :raises XinferenceError: the uid is unknown, the key refused, the server out of reach.
        """
        answer = self._json(self._send("GET", f"/v1/models/{quote(model, safe='')}", model))
        return ModelDescription.from_json(answer)

    def chat(
        self, model: str, messages: list[dict[str, Any]], parameters: Mapping[str, Any]
    ) -> ChatChunk:
        """Ask for an answer at once."""
        body = {"model": model, "messages": messages, **parameters}
        answer = self._json(self._send("POST", "/v1/chat/completions", model, body))
        return _chunk(answer, part="message")

    def stream_chat(
        self, model: str, messages: list[dict[str, Any]], parameters: Mapping[str, Any]
    ) -> Iterator[ChatChunk]:
        """Ask for an answer in pieces; the request is made before the first one is taken.

        :raises XinferenceError: here when the request is refused; while iterating when the
            answer breaks off.
        """
        body = {
            "model": model,
            "messages": messages,
            **parameters,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        response = self._send("POST", "/v1/chat/completions", model, body, stream=True)
        return self._pieces(response, model)

    def embed(self, model: str, texts: list[str]) -> Embeddings:
        """Turn texts into vectors.

        :raises ServerUnavailable: the answer does not hold one vector for each text.
        """
        body = {"model": model, "input": texts}
        response = self._send("POST", "/v1/embeddings", model, body)
        answer = self._json(response)
        rows = sorted(answer.get("data") or (), key=lambda row: row["index"])
        if [row["index"] for row in rows] != list(range(len(texts))):
            raise ServerUnavailable(
                f"{response.url} answered {len(rows)} vectors for {len(texts)} texts "
                f"(model uid {model!r})."
            )
        usage = answer.get("usage") or {}
        tokens = usage.get("total_tokens") or usage.get("prompt_tokens") or 0
        return Embeddings(vectors=[row["embedding"] for row in rows], tokens=int(tokens))

    def rerank(
        self, model: str, query: str, documents: list[str], *, top_n: int | None = None
    ) -> list[tuple[int, float]]:
        """Score documents; index and score of each, the best first. A null score counts as 0."""
        body: dict[str, Any] = {"model": model, "query": query, "documents": documents}
        if top_n is not None:
            body["top_n"] = top_n
        answer = self._json(self._send("POST", "/v1/rerank", model, body))
        results = answer.get("results") or ()
        scores = [(int(row["index"]), float(row.get("relevance_score") or 0)) for row in results]
        return sorted(scores, key=lambda scored: -scored[1])

    def transcribe(self, model: str, file_name: str, audio: bytes) -> str:
        """Write down what is said in a recording."""
        # verbose_json loses sentences on some models.
        form = {"model": model, "response_format": "json"}
        files = {"file": (file_name, audio)}
        answer = self._json(
            self._send("POST", "/v1/audio/transcriptions", model, form=form, files=files)
        )
        return str(answer.get("text") or "")

    def speak(self, model: str, text: str, voice: str) -> Iterator[bytes]:
        """Say a text as mp3, in pieces of at most 64 KiB."""
        body = {"model": model, "input": text, "voice": voice, "response_format": "mp3"}
        response = self._send("POST", "/v1/audio/speech", model, body, stream=True)
        with response, _reading(model, response.url):
            yield from response.raw.stream(_PIECE, decode_content=True)

    def _pieces(self, response: requests.Response, model: str) -> Iterator[ChatChunk]:
        with response, _reading(model, response.url):
            # Xinference sends each event as a chunk of its own, and urllib3 hands on chunks.
            for event in events(response.raw.stream(_PIECE, decode_content=True)):
                if isinstance(event, dict) and event.get("error"):
                    raise from_event(event["error"], model, response.url)
                if isinstance(event, dict):
                    yield _chunk(event, part="delta")

    def _send(
        self,
        method: str,
        path: str,
        model: str,
        body: Mapping[str, Any] | None = None,
        *,
        form: Mapping[str, str] | None = None,
        files: Mapping[str, tuple[str, bytes]] | None = None,
        stream: bool = False,
    ) -> requests.Response:
        url = self.base_url + path
        headers = {"Authorization": f"Bearer {self.api_key.reveal()}"} if self.api_key else {}
        try:
            response = _session(self.max_retries).request(
                method,
                url,
                json=body,
                data=form,
                files=files,
                headers=headers,
                timeout=(_CONNECT_TIMEOUT, self.timeout),
                stream=stream,
            )
            if not response.ok:
                with response:
                    raise from_response(response, model)
        except requests.RequestException as error:
            raise from_exception(error, model, url) from None
        return response

    @staticmethod
    def _json(response: requests.Response) -> dict[str, Any]:
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise ServerUnavailable(
                f"{response.url} answered something that is not Xinference's: "
                "check that the server URL is that of a Xinference server."
            )
        return answer


@contextmanager
def _reading(model: str, url: str) -> Iterator[None]:
    """Name what goes wrong while a body is read, where ``requests`` does not look any more."""
    try:
        yield
    except ReadTimeoutError:
        raise from_exception(requests.ReadTimeout(), model, url) from None
    except (HTTPError, OSError):
        broken = requests.exceptions.ChunkedEncodingError()
        raise from_exception(broken, model, url) from None


@cache
def _session(max_retries: int) -> requests.Session:
    """Share connections: one pool for each number of retries, of which there are few."""
    session = requests.Session()
    retries = Retry(
        max_retries, read=0, status=0, other=0, backoff_factor=0.2, raise_on_status=False
    )
    adapter = HTTPAdapter(pool_connections=32, pool_maxsize=256, max_retries=retries)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _chunk(answer: Mapping[str, Any], *, part: str) -> ChatChunk:
    """Read one piece, or a whole answer, in OpenAI's shape; what is absent is empty."""
    choice = next(iter(answer.get("choices") or ()), None) or {}
    content = (choice.get(part) or {}).get("content")
    usage = answer.get("usage")
    return ChatChunk(
        text=content if isinstance(content, str) else "",
        finish_reason=choice.get("finish_reason"),
        usage=Usage(int(usage["prompt_tokens"]), int(usage["completion_tokens"]))
        if isinstance(usage, dict)
        and isinstance(usage.get("prompt_tokens"), int)
        and isinstance(usage.get("completion_tokens"), int)
        else None,
    )
