"""Transcriptions and speech."""

from __future__ import annotations

import json
import re
from itertools import batched

from xinfer.testing.server.answer import WHERE, Answer, as_json, refusal, stream, whole
from xinfer.testing.server.arrived import Arrived, Upload
from xinfer.testing.server.fields import SPEECH, checked
from xinfer.testing.server.models import Models
from xinfer.testing.server.served import Served
from xinfer.testing.server.silence import mp3, wav

_RECORDING = re.compile(rb"RIFF|ID3|\xff[\xe2-\xfb]|fLaC|OggS|\x1aE\xdf\xa3|.{4}ftyp", re.DOTALL)
"""How WAV, MP3, FLAC, Ogg, WebM and MP4 files begin."""
_KOKORO_VOICE = re.compile(r"[a-z][fm]_[a-z]+")
"""Kokoro's voices: a language, female or male, a name."""
_SECONDS_A_CHARACTER = 0.06
_PIECE = 4096
"""Bytes of a chunk of streamed speech."""

_MALFORMED = (
    "Soundfile is either not in the correct format or is malformed. Ensure that the soundfile "
    "has a valid audio file extension (e.g. wav, flac or mp3) and is not corrupted. If reading "
    "from a remote URL, ensure that the URL is the full address to **download** the audio file."
)
_UNKNOWN_VOICE = (
    "An error happened while trying to locate the file on the Hub and we cannot find the "
    "requested files in the local cache. Please check your connection and try again or make "
    "sure your Internet connection is on."
)
_FORMATS = {"mp3": (mp3, "audio/mpeg"), "wav": (wav, "audio/wav")}
"""Those that can be made without an encoder; Kokoro writes flac and ogg too."""


def transcribe(models: Models, arrived: Arrived) -> Answer:
    """Answer ``POST /v1/audio/transcriptions``."""
    return _recognized(models, arrived, "transcribe", "Hello! I heard")


def translate(models: Models, arrived: Arrived) -> Answer:
    """Answer ``POST /v1/audio/translations``."""
    return _recognized(models, arrived, "translate", "This is a translation of")


def _recognized(models: Models, arrived: Arrived, task: str, words: str) -> Answer:
    form = arrived.body if isinstance(arrived.body, dict) else {}
    missing = [
        {"type": "missing", "loc": ["body", name], "msg": "Field required", "input": None}
        for name in ("model", "file")
        if name not in form
    ]
    if missing:
        return refusal(422, missing)
    model = models.model(form["model"])
    if "audio2text" not in model.abilities:
        return refusal(500, f"{WHERE}'{model.name}' object has no attribute 'model_spec'")
    upload = form["file"]
    recording = upload.content if isinstance(upload, Upload) else b""
    if not _RECORDING.match(recording):
        return refusal(500, f"{WHERE}{_MALFORMED}")
    format_ = form.get("response_format", "json")
    text = _transcript(model, recording, words)
    if format_ == "json":
        return as_json({"text": text})
    if format_ == "verbose_json":
        return as_json(_verbose(task, text))
    return refusal(500, f"{WHERE}Unsupported response format: {format_}")


def _transcript(model: Served, recording: bytes, words: str) -> str:
    if model.answer is None:
        return f" {words} {len(recording)} bytes."
    return str(model.answer(recording)) if callable(model.answer) else model.answer


def _verbose(task: str, text: str) -> dict[str, object]:
    span = {"start": 0.0, "end": 2.0, "text": text, "tokens": list[int]()}
    doubts = {"avg_logprob": 0.0, "compression_ratio": 0.0, "no_speech_prob": 0.0}
    segment = {"id": 0, "seek": 0, **span, "temperature": 0.0, **doubts}
    head = {"task": task, "language": "english", "duration": 2.0}
    return {**head, "text": text, "segments": [segment]}


def speak(models: Models, arrived: Arrived) -> Answer:
    """Answer ``POST /v1/audio/speech``: silence, the longer the text the longer."""
    body = checked(arrived, "SpeechRequest", SPEECH)
    model = models.model(body["model"])
    if "text2audio" not in model.abilities:
        return refusal(500, f"{WHERE}'{model.name}' object has no attribute 'model_spec'")
    options = json.loads(body.get("kwargs") or "{}")
    clones = isinstance(body.get("prompt_speech"), Upload)
    if model.family == "Kokoro" and (options or clones):
        unknown = next(iter(options), "prompt_speech")
        words = f"KPipeline.__call__() got an unexpected keyword argument '{unknown}'"
        return refusal(500, f"{WHERE}{words}")
    if not (clones or "text2audio_zero_shot" in model.abilities or len(model.abilities) == 1):
        return refusal(500, f"{WHERE}{model.family} model expect a prompt_speech")
    streaming = bool(body.get("stream"))
    if streaming and not model.streams:
        return refusal(500, f"{WHERE}{model.family} does not support stream mode.")
    voice = body.get("voice") or ""
    if voice and model.family == "Kokoro" and not _KOKORO_VOICE.fullmatch(voice):
        return refusal(500, f"{WHERE}{_UNKNOWN_VOICE}")
    format_ = body.get("response_format") or "mp3"
    if format_ not in _FORMATS:
        return refusal(500, f"{WHERE}Unknown format: '{format_.upper()}'")
    make, content_type = _FORMATS[format_]
    speed = float(body.get("speed") or 1.0)
    sound = make(len(str(body["input"])) * _SECONDS_A_CHARACTER / speed)
    if streaming:
        # Xinference names no audio type here.
        pieces = (bytes(piece) for piece in batched(sound, _PIECE))
        return stream(pieces, "application/octet-stream")
    return whole(sound, content_type)
