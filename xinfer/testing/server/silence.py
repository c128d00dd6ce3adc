"""Silence as bytes: recordings that players open, made without an encoder."""

from __future__ import annotations

import io
import wave

RATE = 24_000
"""Samples a second."""

_HEADER = bytes([0xFF, 0xF3, 0x44, 0xC4])
"""MPEG-2 layer III without checksum, 32 kbit/s, 24 kHz, one channel."""
_FRAME = 96
"""Bytes of a frame: 72 x 32000 / 24000. Zeros after its header mean that it holds no sound."""
_SAMPLES = 576
"""A frame lasts as many samples."""


def mp3(seconds: float) -> bytes:
    """Return an MP3 recording, at least one frame long."""
    frame = _HEADER + bytes(_FRAME - len(_HEADER))
    return frame * max(1, round(seconds * RATE / _SAMPLES))


def wav(seconds: float) -> bytes:
    """Return a WAV recording of 16-bit samples."""
    file = io.BytesIO()
    with wave.open(file, "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(RATE)
        recording.writeframes(bytes(2 * round(seconds * RATE)))
    return file.getvalue()
