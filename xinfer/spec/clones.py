"""Cloned voices as users enter them: a name, a recording of the voice, and what is spoken in it."""

from __future__ import annotations

import base64
import binascii
import json
import re
from itertools import batched
from typing import Any

from attrs import frozen

from xinfer.spec.errors import Invalid, quoted

_EXAMPLE = "Anna = https://files.example/anna.wav | The words that she speaks"
_ENTRY = re.compile(
    r"(?:^|[;；\n])\s{0,9}([^\s=＝;；|｜][^=＝;；\n|｜]{0,99}?)\s{0,9}[=＝]\s{0,9}(?=https?://|data:)"
)
"""How an entry begins; a semicolon elsewhere is part of a URL or of the spoken words.

The repetitions are bounded: a recording in a URL is long, and each semicolon is looked at.
"""
_RECORDING = re.compile(r"https?://[^\s/]+\S*$|data:[^,]*;base64,")


@frozen
class ClonedVoice:
    """A voice that a model takes from a recording.

    :param recording: its URL, or a ``data:`` URL that holds it.
    :param text: what is spoken in it; empty if unknown, which some models refuse.
    """

    name: str
    recording: str
    text: str = ""

    @property
    def data(self) -> bytes | None:
        """The bytes of the recording; ``None`` if the URL leads elsewhere.

        :raises ValueError: it is not Base64.
        """
        if not self.recording.startswith("data:"):
            return None
        return base64.b64decode(self.recording.partition(",")[2], validate=True)


def cloned_voices(text: str) -> tuple[ClonedVoice, ...]:
    """Read ``name = URL | words``, several separated by ``;``, or a JSON object by name.

    A value of the object is a URL, or ``{"audio": URL, "text": words}``.

    :raises Invalid: names the voice and what is wrong with it.
    """
    voices = _of_json(text) if text.lstrip().startswith("{") else _of_text(text)
    names = [voice.name for voice in voices]
    for voice in voices:
        if names.count(voice.name) > 1:
            raise Invalid(
                f"the voice '{quoted(voice.name)}' is there twice",
                f"音色“{quoted(voice.name)}”重复",
            )
        _check(voice)
    return voices


def _of_text(text: str) -> tuple[ClonedVoice, ...]:
    before, *parts = _ENTRY.split(text)
    if before.strip() or not parts:
        raise Invalid(
            f"must be a name and the URL of a recording, e.g. {_EXAMPLE}",
            f"应为名称和参考音频的 URL，例如 {_EXAMPLE}",
        )
    split = ((name, *re.split(r"[|｜]", rest, maxsplit=1), "") for name, rest in batched(parts, 2))
    return tuple(
        ClonedVoice(name, url.strip(" \n;；"), text.strip()) for name, url, text, *_ in split
    )


def _of_json(text: str) -> tuple[ClonedVoice, ...]:
    try:
        entries: dict[str, Any] = json.loads(text)
        values = {
            name: value if isinstance(value, dict) else {"audio": value}
            for name, value in entries.items()
        }
        voices = tuple(
            ClonedVoice(name.strip(), value["audio"].strip(), value.get("text", "").strip())
            for name, value in values.items()
        )
    except (ValueError, RecursionError, KeyError, AttributeError):
        voices = ()
    if not voices:
        raise Invalid(
            'must be a JSON object, e.g. {"Anna": {"audio": "https://…", "text": "…"}}',
            '应为 JSON 对象，例如 {"Anna": {"audio": "https://…", "text": "…"}}',
        )
    return voices


def _check(voice: ClonedVoice) -> None:
    name = quoted(voice.name)
    if not voice.name or not _RECORDING.match(voice.recording):
        raise Invalid(
            f"the recording of '{name}' must be a URL that begins with http://, https:// or data:",
            f"“{name}”的参考音频应为以 http://、https:// 或 data: 开头的 URL",
        )
    try:
        _ = voice.data
    except (ValueError, binascii.Error):
        raise Invalid(
            f"the recording of '{name}' is not whole: it must be Base64 after the comma",
            f"“{name}”的参考音频不完整：逗号之后应为 Base64",
        ) from None
