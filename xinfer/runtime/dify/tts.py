"""Text to speech: mp3 in pieces, as the server makes it."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping
from typing import Any

import dify_plugin
from attrs import evolve

from xinfer.runtime.dify.call import ModelCall
from xinfer.runtime.dify.errors import mapped
from xinfer.runtime.dify.model import ServedModel
from xinfer.runtime.dify.outgoing import measured
from xinfer.runtime.dify.parameters import added
from xinfer.runtime.dify.sentences import sentences
from xinfer.runtime.dify.voices import DEFAULT, voices
from xinfer.runtime.openai import (
    BadRequest,
    CallError,
    ConnectionFailed,
    ServerUnavailable,
    limits,
)
from xinfer.spec import Credentials, Speech
from xinfer.spec.clones import ClonedVoice, cloned_voices
from xinfer.spec.conditions import value_of
from xinfer.spec.runtime import matching

_DEFAULT = Speech()


class TTSModel[C: Credentials](ServedModel[C], dify_plugin.TTSModel):
    """A speech model."""

    def probe(self, call: ModelCall[C]) -> None:
        """Ask for a word in the default voice."""
        chosen = _spoken(call, _first_voice(call))
        next(_speech(call, "Hi.", chosen, self._body(call)))
        call.description = evolve(call.description, sound=_types[_key(call)])

    def _invoke(
        self,
        model: str,
        tenant_id: str,
        credentials: dict[str, Any],
        content_text: str,
        voice: str,
        user: str | None = None,
    ) -> Generator[bytes, None, None]:
        """Speak a text; a voice that is not listed is passed on."""
        with mapped():
            call = self.call(model, credentials, user)
            chosen = _spoken(call, voice or _first_voice(call))
            limit = call.declared.model_properties.word_limit
            body = self._body(call)
            with self.diagnose(call):
                for part in sentences(content_text, limit or len(content_text)):
                    yield from _speech(call, part, chosen, body)

    def get_tts_model_voices(
        self, model: str, credentials: dict[str, Any], language: str | None = None
    ) -> list[dict[str, Any]]:
        """List the declared voices, else those that the model's family has for a language."""
        with mapped():
            listed = _voices(self.call(model, credentials), language)
            measured(f"{value}{name}" for value, name in listed.items())
        return [{"name": name, "value": value} for value, name in listed.items()]

    def get_tts_model_mime_type(self, model: str, credentials: dict[str, Any]) -> str | None:
        """Return the type of the model's speech: that of its last answer, else the declared one.

        The SDK asks before the model speaks, so validation stores the type, too.
        """
        with mapped():
            call = self.call(model, credentials)
            kind = _types.get(_key(call)) or call.description.sound
            return _MIME_TYPES.get(kind or call.declared.model_properties.audio_type or "mp3")

    def _body(self, call: ModelCall[C]) -> dict[str, Any]:
        kind = call.declared.model_properties.audio_type
        return {
            **({"response_format": kind} if kind else {}),
            **added(self.runtime, self.kind, call.names),
            **call.settings.body,
        }


def _voices(call: ModelCall[Any], language: str | None = None) -> dict[str, str]:
    own = call.declared.model_properties.voices or ()
    clones = {name: name for name in _clones(call)}
    if clones and not own:
        return clones
    return clones | voices(call.description, own, language)


def _policy(call: ModelCall[Any]) -> Speech:
    return matching(call.runtime.speech, call.names, _DEFAULT)


def _clones(call: ModelCall[Any]) -> dict[str, ClonedVoice]:
    """Return the voices that are taken from recordings, by name."""
    text = value_of(_policy(call).clones, call.info)
    return {voice.name: voice for voice in cloned_voices(text)} if text else {}


def _options(call: ModelCall[Any]) -> dict[str, str]:
    """Return the model's own options: how to speak, by the name that its family has for it."""
    words = value_of(_policy(call).instructions, call.info)
    names, family = call.dialect.instructions, call.description.family
    name = next((name for begin, name in names.items() if family.startswith(begin)), None)
    return {name: words} if words and name else {}


def _first_voice(call: ModelCall[Any]) -> str:
    declared = call.declared.model_properties.default_voice
    listed = _voices(call)
    return declared if declared in listed else next(iter(listed))


def _spoken(call: ModelCall[Any], voice: str) -> str | ClonedVoice:
    return "" if voice == DEFAULT else _clones(call).get(voice, voice)


type _Key = tuple[str, str]
"""The base URL of a server and the name of a model on it."""
_refuse_streaming: dict[_Key, None] = {}
_types: dict[_Key, str] = {}
"""The MIME type of each model's last answer."""
_AT_ONCE = 200
"""Letters that a model speaks at once when it cannot stream: nobody waits for more than those."""
_CANNOT_STREAM = re.compile(r"stream|ffmpeg", re.IGNORECASE)
_BEGINNINGS: Mapping[str, bytes] = {
    "wav": b"RIFF",
    "ogg": b"OggS",
    "flac": b"fLaC",
    "mp3": b"ID3",
}


def _key(call: ModelCall[Any]) -> _Key:
    return call.client.server.base_url, call.name


def _remember[V](memory: dict[_Key, V], key: _Key, value: V) -> None:
    if key not in memory and len(memory) >= limits.DESCRIPTIONS:
        memory.clear()
    memory[key] = value


def _speech(
    call: ModelCall[Any], text: str, voice: str | ClonedVoice, body: Mapping[str, Any]
) -> Iterator[bytes]:
    """Speak one part; models that cannot stream are asked again without, and once only."""
    client, name, options = call.client, call.name, _options(call)
    key = _key(call)
    if key not in _refuse_streaming:
        try:
            pieces = client.speak(name, text, voice, body, options, stream=True)
        except (ServerUnavailable, BadRequest) as error:
            if not _CANNOT_STREAM.search(error.words.replace(name, "")):
                raise _with_voice(error, voice) from None
        else:
            try:
                first = next(pieces, b"")
            except ConnectionFailed:
                first = b""  # it broke off before any speech
            if first:
                yield _recognised(call, first, body)
                yield from pieces
                return
        _remember(_refuse_streaming, key, None)
    for sentence in sentences(text, _AT_ONCE):
        try:
            pieces = client.speak(name, sentence, voice, body, options, stream=False)
        except ServerUnavailable as error:
            raise _with_voice(error, voice) from None
        first = next(pieces, b"")
        if not first:
            raise ServerUnavailable(
                f"The model {name!r} answered without any sound. Look at the server's log.",
                f"模型“{name}”未返回任何音频：请查看服务器日志。",
            )
        yield _recognised(call, first, body)
        yield from pieces


def _recognised(call: ModelCall[Any], first: bytes, body: Mapping[str, Any]) -> bytes:
    """Note the type of a sound, which its first bytes tell.

    :raises ServerUnavailable: it is another than was asked for, and this SDK cannot tell Dify so.
    """
    expected = str(body.get("response_format") or "mp3")
    kind = next((kind for kind, begin in _BEGINNINGS.items() if first.startswith(begin)), expected)
    if kind != expected and not _HAS_MIME_TYPE:
        raise ServerUnavailable(
            f"The model {call.name!r} answers {kind} instead of {expected}: declare audio_type "
            f"{kind}, or have the server answer {expected}.",
            f"模型“{call.name}”返回的是 {kind} 而不是 {expected}：请将 audio_type 声明为 "
            f"{kind}，或让服务器返回 {expected}。",
        )
    _remember(_types, _key(call), kind)
    return first


_HAS_MIME_TYPE = hasattr(dify_plugin.TTSModel, "get_tts_model_mime_type")
"""Whether this SDK tells Dify the type of a sound."""
_MIME_TYPES: Mapping[str, str] = {
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "ogg": "audio/ogg",
    "flac": "audio/flac",
}


def _with_voice(error: CallError, chosen: str | ClonedVoice) -> CallError:
    """Add the voice to the error: for an unknown voice, a model reports a missing file."""
    voice = chosen.name if isinstance(chosen, ClonedVoice) else chosen
    if not voice or error.has_fix or not isinstance(error, ServerUnavailable):
        return error
    return error.adding(
        f"The voice was {voice!r}: see whether the model has it.",
        f"所用音色为“{voice}”：请确认该模型支持此音色。",
    )
