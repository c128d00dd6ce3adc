"""The client: one object for one server and key, a method for each thing a model does.

Every method raises :class:`~xinfer.runtime.openai.errors.CallError`, whose text names the server,
the model, what went wrong and what to do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import IO, Any

import requests
from attrs import evolve, frozen

from xinfer.runtime.openai import answers, fixes, limits
from xinfer.runtime.openai.answers import ChatChunk, Embeddings, Unreadable
from xinfer.runtime.openai.body import json_value, read, reading
from xinfer.runtime.openai.cache import Cache
from xinfer.runtime.openai.calls import Call
from xinfer.runtime.openai.catalog import Catalog, read_object, read_value
from xinfer.runtime.openai.errors import BadRequest
from xinfer.runtime.openai.fixes import Text
from xinfer.runtime.openai.multipart import Form
from xinfer.runtime.openai.streams import Reader, joined, pieces_of, whole_answer
from xinfer.runtime.openai.text import whole
from xinfer.runtime.openai.ways import Attempts
from xinfer.spec.clones import ClonedVoice
from xinfer.spec.errors import quoted

type Input = str | Mapping[str, str]
"""A text, or ``{"image": …}`` with a URL or data URL, for models that take one."""

_recordings: Cache[bytes] = Cache(limits.RECORDINGS)


@frozen
class Client(Catalog):
    """Talks to one server: asks about its models, and has them answer, embed, rank and speak."""

    def _path(self, kind: str, model: str) -> str:
        return self.hooks.path(kind, model) or getattr(self.dialect, kind) or kind

    def _use(
        self,
        kind: str,
        model: str,
        body: dict[str, Any],
        file: tuple[str, str, bytes | IO[bytes]] | None = None,
    ) -> tuple[requests.Response, Call]:
        """Call a model.

        :param kind: the name of its path in the dialect.
        :param file: field, name and content of a file that is sent in a form, with the body as
            its other fields.
        """
        call = self._call(self._path(kind, model), model, kind)
        body = self.hooks.request(body)
        form = Form(body, *file) if file else None
        try:
            return self.server.send("POST", call, json=None if form else body, form=form), call
        except BadRequest as error:
            lists_models = self.lists_models and self.lists_models.search(error.words)
            rows = self._models_or_none() if lists_models else None
            if rows is None:
                raise self._explained(error, call) from None
            raise self._naming(error, rows) from None

    def chat(
        self,
        model: str,
        messages: list[dict[str, Any]],
        parameters: Mapping[str, Any],
    ) -> ChatChunk:
        """Ask for an answer at once."""
        body = {"messages": messages, **parameters}
        return joined(self._ask("chat", model, body, stream=False))

    def complete(self, model: str, prompt: str, parameters: Mapping[str, Any]) -> ChatChunk:
        """Ask for the continuation of a text at once."""
        body = {"prompt": prompt, **parameters}
        return joined(self._ask("completions", model, body, stream=False))

    def stream_chat(
        self,
        model: str,
        messages: list[dict[str, Any]],
        parameters: Mapping[str, Any],
        *,
        always_thinks: bool = False,
    ) -> Iterator[list[ChatChunk]]:
        """Ask for an answer in pieces; those that arrived together are yielded together.

        The request is made before the first piece is taken: what refuses it is raised here, and
        what breaks the answer off while iterating.

        :param always_thinks: the model thinks before every answer, so that one that begins
            without a tag begins inside a thought.
        """
        body = {"messages": messages, **parameters}
        return self._ask("chat", model, body, stream=True, always_thinks=always_thinks)

    def stream_complete(
        self, model: str, prompt: str, parameters: Mapping[str, Any]
    ) -> Iterator[list[ChatChunk]]:
        """Ask for the continuation of a text in pieces, like :meth:`stream_chat`."""
        return self._ask("completions", model, {"prompt": prompt, **parameters}, stream=True)

    def embed(
        self, model: str, inputs: list[Input], more: Mapping[str, Any] | None = None
    ) -> Embeddings:
        """Turn texts, or images, into vectors; what mixes both is sent in a request of each.

        :param more: what else the server is told, such as the task that the vectors are for.
        """
        texts = [place for place, item in enumerate(inputs) if isinstance(item, str)]
        if 0 < len(texts) < len(inputs):
            images = [place for place, item in enumerate(inputs) if not isinstance(item, str)]
            parts = [self.embed(model, [inputs[p] for p in kind], more) for kind in (texts, images)]
            vectors = dict(zip([*texts, *images], parts[0].vectors + parts[1].vectors, strict=True))
            return Embeddings(
                vectors=[vectors[place] for place in range(len(inputs))],
                tokens=parts[0].tokens + parts[1].tokens,
            )
        body: dict[str, Any] = {"model": model, "input": inputs, **(more or {})}
        # In Base64 a vector is a quarter of what it is in digits, and the same to the last bit. A
        # server too old for that sends digits all the same.
        if self.dialect.encoding_format:
            body.setdefault("encoding_format", self.dialect.encoding_format)
        response, call = self._use("embeddings", model, body)
        try:
            answer = read_value(response, call, limits.VECTORS, numbers=True)
            return answers.embeddings(answer, len(inputs))
        except Unreadable as error:
            raise call.unreadable(error.english, error.chinese) from None

    def rerank(
        self,
        model: str,
        query: Input,
        documents: list[Input],
        more: Mapping[str, Any] | None = None,
        *,
        top_n: int | None = None,
    ) -> list[tuple[int, float]]:
        """Score documents against a query: index and score of each, the best first.

        :param more: what else the server is told.
        :param top_n: how many results are wanted; servers may give more.
        """
        body: dict[str, Any] = {
            "model": model,
            "query": query,
            self.dialect.documents: documents,
            **self.dialect.rerank_body,
            **(more or {}),
        }
        # Left out where all are wanted: servers refuse null, or give none for 0.
        if self.dialect.top_n and top_n and top_n < len(documents):
            body[self.dialect.top_n] = top_n
        response, call = self._use("rerank", model, body)
        try:
            return answers.scores(read_value(response, call, limits.RANKING), len(documents))
        except Unreadable as error:
            raise call.unreadable(error.english, error.chinese) from None

    def transcribe(self, model: str, file_name: str, audio: bytes | IO[bytes], **form: str) -> str:
        """Write down what is spoken in a recording, of any container the server reads.

        :param form: ``language``, ``prompt``, ``temperature``, where they are known.
        """
        # verbose_json loses sentences on some models.
        body = {"model": model, "response_format": "json", **form}
        response, call = self._use("transcriptions", model, body, ("file", file_name, audio))
        text = read_object(response, call, limits.ANSWER).get("text")
        if not isinstance(text, str):
            raise call.unreadable("a transcription without text", "不含文字的转写结果")
        return whole(text).strip()

    def speak(
        self,
        model: str,
        text: str,
        voice: str | ClonedVoice,
        more: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
        *,
        stream: bool,
    ) -> Iterator[bytes]:
        """Speak a text, in pieces of at most 16 KiB; the request is made at once.

        :param voice: empty for the model's own.
        :param more: what else the server is told, such as a ``response_format`` other than mp3.
        :param options: of the model, which some servers take under a key of their own.
        :param stream: have the server hand on speech while it goes on speaking; models that
            cannot do so refuse.
        """
        body: dict[str, Any] = {
            "model": model,
            "input": text,
            "voice": voice if isinstance(voice, str) else "",
            "response_format": "mp3",
            **(more or {}),
            **({"stream": True} if stream and self.dialect.speech_stream else {}),
        }
        options, file = dict(options or {}), None
        if isinstance(voice, ClonedVoice) and self.dialect.clone:
            recording, words = self.dialect.clone
            options |= {words: voice.text} if voice.text else {}
            file = (recording, "recording", self.recording(voice))
        if options and self.dialect.speech_options:
            body[self.dialect.speech_options] = json.dumps(options, ensure_ascii=False)
        else:
            body |= options
        response, call = self._use("speech", model, body, file)
        return self._audio(response, call)

    def recording(self, voice: ClonedVoice) -> bytes:
        """Return the recording of a voice; one at a URL is cached for a minute.

        Its host learns neither the key nor the headers for this server.
        """
        if (data := voice.data) is not None:
            return data
        return _recordings.get((self.server, voice.recording), lambda: self._fetched(voice))

    def _fetched(self, voice: ClonedVoice) -> bytes:
        host = evolve(self.server, base_url=voice.recording, api_key=None, headers=(), query=())
        name = quoted(voice.name)
        label = Text(f"The host of the voice '{name}'", f"音色“{name}”所在的服务器")
        call = Call(label=label, url=voice.recording, cases=fixes.RECORDING, secrets=host.secrets)
        return read(host.send("GET", call), call, limits.RECORDING)

    def _audio(self, response: requests.Response, call: Call) -> Iterator[bytes]:
        with reading(response, call, limits.SPEECH) as body:
            if _media_type(response) in ("application/json", "text/html"):
                raise call.unreadable("something else than speech", "非音频内容")
            for piece in body:
                body.content()
                yield piece

    def _ask(
        self,
        kind: str,
        model: str,
        body: Mapping[str, Any],
        *,
        stream: bool,
        always_thinks: bool = False,
    ) -> Iterator[list[ChatChunk]]:
        """Have a model answer, in other ways too where it refuses the first."""

        def begin(body: dict[str, Any], stream: bool) -> Iterator[list[ChatChunk]]:
            return self._begin(kind, model, body, stream=stream, always_thinks=always_thinks)

        payload = {"model": model, **body}
        if self.dialect.stream_options:
            payload["stream_options"] = {"include_usage": True}
        attempts = Attempts(
            begin, payload, stream, self.server.base_url, model, self.server.max_retries
        )
        return attempts.answer(attempts.begun())

    def _begin(
        self, kind: str, model: str, body: dict[str, Any], *, stream: bool, always_thinks: bool
    ) -> Iterator[list[ChatChunk]]:
        reader = Reader(body, always_thinks=always_thinks)
        if stream:
            response, call = self._use(kind, model, {**body, "stream": True})
            return pieces_of(response, call, self.hooks.chunks, reader)
        payload = {key: value for key, value in body.items() if key != "stream_options"}
        response, call = self._use(kind, model, payload)
        answer = json_value(read(response, call, limits.ANSWER), call)
        return iter([[whole_answer(answer, call, self.hooks.chunks, reader)]])


def _media_type(response: requests.Response) -> str:
    return str(response.headers.get("Content-Type", "")).partition(";")[0].strip().lower()
