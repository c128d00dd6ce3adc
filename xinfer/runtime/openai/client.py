"""The client: one object for one server and key, a method for each thing a model does.

Every method raises :class:`~xinfer.runtime.openai.errors.XinferenceError`, whose text names
the model, the server, what went wrong and what to do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import Any
from urllib.parse import quote

import requests
from attrs import frozen

from xinfer.runtime.openai import answers
from xinfer.runtime.openai.answers import (
    ChatChunk,
    Embeddings,
    ModelDescription,
    Unreadable,
)
from xinfer.runtime.openai.connection import Server, reading
from xinfer.runtime.openai.descriptions import DescriptionCache
from xinfer.runtime.openai.errors import (
    BadRequest,
    XinferenceError,
    broken_off,
    from_answer,
    from_event,
    of_no_xinference,
)
from xinfer.runtime.openai.events import Events
from xinfer.runtime.openai.reasoning import Reasoning, answered

type Input = str | Mapping[str, str]
"""A text, or ``{"image": …}`` with a URL or data URL, for models that take one."""

_described = DescriptionCache()
_MOST_NAMED = 20
_REMEMBERED = "(cached, retry after"
"""Said instead of what runs, to who asks for the same unknown uid again."""
_LARGEST_ANSWER = 16 * 1024 * 1024
"""Bytes of an answer that should have been a stream."""


@frozen
class Client:
    """Talks to one server about its models, which are named by uid."""

    server: Server

    def describe(self, model: str, *, fresh: bool = False) -> ModelDescription:
        """Ask what a model is; the answer is kept for a minute.

        :param fresh: ask anew, as when a user adds the model.
        """
        if fresh:
            return self._describe(model)
        return _described.get((self.server, model), lambda: self._describe(model))

    def _describe(self, model: str) -> ModelDescription:
        try:
            response = self.server.send("GET", f"/v1/models/{quote(model, safe='')}", model)
        except BadRequest as error:
            # A path with an encoded slash leads nowhere on the server, though it runs such models.
            listed = self._what_runs()
            if listed is None:
                raise _explained(error) from None
            if model in listed:
                return ModelDescription.from_json(listed[model])
            raise error.adding(*_enumerated(listed)) from None
        return ModelDescription.from_json(_object(response, model))

    def _use(self, path: str, model: str, **more: Any) -> requests.Response:
        """Have a model do something."""
        try:
            return self.server.send("POST", path, model, **more)
        except BadRequest as error:
            # The server says itself what runs, but for ten seconds no second time.
            listed = self._what_runs() if _REMEMBERED in str(error) else None
            if listed is None:
                raise _explained(error) from None
            raise error.adding(*_enumerated(listed)) from None

    def _what_runs(self) -> dict[str, Mapping[str, Any]] | None:
        """List what runs, for a user who entered a uid that the server does not know."""
        try:
            return self._listed()
        except XinferenceError:
            return None

    def _listed(self) -> dict[str, Mapping[str, Any]]:
        response = self.server.send("GET", "/v1/models", "")
        return answers.listed(_object(response, ""))

    def chat(
        self, model: str, messages: list[dict[str, Any]], parameters: Mapping[str, Any]
    ) -> ChatChunk:
        """Ask for an answer at once."""
        return self._whole("/v1/chat/completions", model, {"messages": messages, **parameters})

    def complete(self, model: str, prompt: str, parameters: Mapping[str, Any]) -> ChatChunk:
        """Ask for the continuation of a text at once."""
        return self._whole("/v1/completions", model, {"prompt": prompt, **parameters})

    def stream_chat(
        self, model: str, messages: list[dict[str, Any]], parameters: Mapping[str, Any]
    ) -> Iterator[list[ChatChunk]]:
        """Ask for an answer in pieces; those that arrived together are yielded together.

        The request is made before the first piece is taken: what refuses it is raised here, and
        what breaks the answer off while iterating.
        """
        return self._stream("/v1/chat/completions", model, {"messages": messages, **parameters})

    def stream_complete(
        self, model: str, prompt: str, parameters: Mapping[str, Any]
    ) -> Iterator[list[ChatChunk]]:
        """Ask for the continuation of a text in pieces, like :meth:`stream_chat`."""
        return self._stream("/v1/completions", model, {"prompt": prompt, **parameters})

    def embed(self, model: str, inputs: list[Input], *, task: str | None = None) -> Embeddings:
        """Turn texts, or images, into vectors.

        :param task: what the vectors are for, to models that tell queries from documents.
        """
        # In Base64 a vector is a quarter of what it is in digits, and the same to the last bit. A
        # server too old for that sends digits all the same.
        body = {"model": model, "input": inputs, "encoding_format": "base64"}
        body |= {"task": task} if task else {}
        response = self._use("/v1/embeddings", model, json=body)
        try:
            return answers.embeddings(_object(response, model), len(inputs))
        except Unreadable as error:
            raise from_answer(str(error), model, response.url) from None

    def rerank(
        self, model: str, query: Input, documents: list[Input], *, top_n: int | None = None
    ) -> list[tuple[int, float]]:
        """Score documents against a query: index and score of each, the best first."""
        body: dict[str, Any] = {"model": model, "query": query, "documents": documents}
        if top_n is not None:
            body["top_n"] = top_n
        response = self._use("/v1/rerank", model, json=body)
        try:
            return answers.scores(_object(response, model), len(documents))
        except Unreadable as error:
            raise from_answer(str(error), model, response.url) from None

    def transcribe(self, model: str, file_name: str, audio: bytes, **form: str) -> str:
        """Write down what is said in a recording, of any container the server reads.

        :param form: ``language``, ``prompt``, ``temperature``, where they are known.
        """
        # verbose_json loses sentences on some models.
        data = {"model": model, "response_format": "json", **form}
        files = {"file": (file_name, audio)}
        response = self._use("/v1/audio/transcriptions", model, data=data, files=files)
        text = _object(response, model).get("text")
        if not isinstance(text, str):
            raise from_answer("a transcription without text", model, response.url)
        return text

    def speak(self, model: str, text: str, voice: str, *, stream: bool) -> Iterator[bytes]:
        """Say a text as mp3, in pieces of at most 64 KiB; the request is made at once.

        :param voice: empty for the model's own.
        :param stream: have the server hand on speech while it goes on speaking; models that
            cannot do so refuse.
        """
        body: dict[str, Any] = {
            "model": model,
            "input": text,
            "voice": voice,
            "response_format": "mp3",
            **({"stream": True} if stream else {}),
        }
        response = self._use("/v1/audio/speech", model, json=body, stream=True)
        return self._audio(response, model)

    def _audio(self, response: requests.Response, model: str) -> Iterator[bytes]:
        with reading(response, model) as pieces:
            if _media_type(response) in ("application/json", "text/html"):
                raise from_answer("something else than speech", model, response.url)
            yield from filter(None, pieces)

    def _whole(self, path: str, model: str, body: Mapping[str, Any]) -> ChatChunk:
        response = self._use(path, model, json={"model": model, **body})
        return _answer(_object(response, model), model, response)

    def _stream(self, path: str, model: str, body: Mapping[str, Any]) -> Iterator[list[ChatChunk]]:
        asked = {
            "model": model,
            **body,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        response = self._use(path, model, json=asked, stream=True)
        return self._pieces(response, model, Reasoning(body.get("enable_thinking") is False))

    def _pieces(
        self, response: requests.Response, model: str, reasoning: Reasoning
    ) -> Iterator[list[ChatChunk]]:
        with reading(response, model) as pieces:
            if _media_type(response) == "application/json":
                body = _bounded(pieces)
                yield [_answer(_parsed(body, response, model), model, response)]
                return
            events = Events()
            began = finished = False
            for arrived in chain(pieces, (None,)):
                values = events.close() if arrived is None else events.feed(arrived)
                chunks = _chunks(values, model, response)
                if chunks:
                    began = True
                    finished = finished or any(chunk.finish_reason for chunk in chunks)
                    yield [reasoning.sort(chunk) for chunk in chunks]
                if events.ended:
                    return
            if not began:
                raise from_answer("without any event of a stream", model, response.url)
            if not finished:
                raise broken_off(model, response.url)


def _explained(error: XinferenceError) -> XinferenceError:
    """Tell a wrong URL from a wrong uid: of an address that it does not know, a server says so."""
    return of_no_xinference(error) if _NO_ROUTE.search(error.english) else error


_NO_ROUTE = re.compile(r"answered 404: (?!.*\bmodel\b.*not found)", re.IGNORECASE)


def _enumerated(listed: Mapping[str, Mapping[str, Any]]) -> tuple[str, str]:
    """Say what runs, in English and in Chinese."""
    if not listed:
        return "No model runs there yet.", "该服务器上尚未运行任何模型。"
    named = [
        f"{uid} ({ModelDescription.from_json(row).task or row.get('model_type') or 'unknown'})"
        for uid, row in islice(listed.items(), _MOST_NAMED)
    ]
    names = ", ".join([*named, *(["…"] if len(listed) > _MOST_NAMED else [])])
    return f"These models run there: {names}.", f"未运行该 UID 的模型。正在运行：{names}。"


def _chunks(values: list[Any], model: str, response: requests.Response) -> list[ChatChunk]:
    """Read events; text that arrived together, with nothing in between, is one chunk."""
    chunks: list[ChatChunk] = []
    said: list[str] = []
    for value in values:
        if not isinstance(value, dict):
            continue
        if value.get("error"):
            raise from_event(value["error"], model, response)
        text = answers.plain_text(value)
        if text is not None:
            said.append(text)
            continue
        if said:
            chunks.append(ChatChunk(text="".join(said)))
            said.clear()
        chunks.append(answers.chat_chunk(value))
    if said:
        chunks.append(ChatChunk(text="".join(said)))
    return chunks


def _answer(answer: Mapping[str, Any], model: str, response: requests.Response) -> ChatChunk:
    if answer.get("error"):
        raise from_event(answer["error"], model, response)
    if not isinstance(answer.get("choices"), list):
        raise from_answer("without choices", model, response.url)
    return answered(answers.chat_chunk(answer))


def _object(response: requests.Response, model: str) -> dict[str, Any]:
    return _parsed(response.content, response, model)


def _parsed(body: bytes, response: requests.Response, model: str) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise from_answer("something that is not Xinference's", model, response.url)
    return answer


def _bounded(pieces: Iterator[bytes]) -> bytes:
    body = b""
    for piece in pieces:
        body += piece
        if len(body) > _LARGEST_ANSWER:
            break
    return body


def _media_type(response: requests.Response) -> str:
    return str(response.headers.get("Content-Type", "")).partition(";")[0].strip().lower()
