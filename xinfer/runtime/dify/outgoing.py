"""The size of what leaves the plugin: Dify's daemon stops reading at a line over 5 MiB.

A message that exceeds it would end the plugin for all its users. Text is split where Dify joins
it, an echo of the input is shortened, and whatever else is too large becomes an error.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final

from xinfer.runtime.openai import ServerUnavailable
from xinfer.runtime.openai.text import whole

_MIB = 1024 * 1024
LARGEST: Final = 4 * _MIB
"""Bytes of JSON that a message may hold; what the SDK writes around it fits into the rest."""
_WIDEST = 6
"""Bytes that a character may take in JSON: ``\\u0000``."""


def size(text: str) -> int:
    """Return the bytes of a text in JSON; of short texts an upper bound, without measuring."""
    if len(text) * _WIDEST <= LARGEST // 64:
        return len(text) * _WIDEST
    return len(json.dumps(text, ensure_ascii=False).encode("utf-8", "replace"))


def split(text: str) -> Sequence[str]:
    """Cut a text into pieces that each fit into a message."""
    if size(text) <= LARGEST:
        return (text,)
    step = LARGEST // _WIDEST
    return [text[start : start + step] for start in range(0, len(text), step)]


def measured(texts: Iterable[str]) -> None:
    """Refuse texts that do not fit into one message.

    :raises ServerUnavailable: they are larger.
    """
    total = sum(map(size, texts))
    if total > LARGEST:
        mib, most = total / _MIB, LARGEST // _MIB
        raise ServerUnavailable(
            f"The model answered {mib:,.1f} MiB, and Dify can receive {most} MiB at once: limit "
            "the answer with Max Tokens, or send less.",
            f"模型返回了 {mib:.1f} MiB 的内容，而 Dify 单次最多接收 {most} MiB："
            "请调低最大生成长度，或减少发送的内容。",
        )


def shortened(texts: Sequence[str]) -> list[str]:
    """Shorten texts that are an echo of the input, the longest most, until they fit together."""
    if sum(map(size, texts)) <= LARGEST:
        return [whole(text) for text in texts]
    available = LARGEST // _WIDEST
    longest = 0
    for position, length in enumerate(sorted(map(len, texts))):
        # The shorter ones stay whole; the rest share what is left.
        longest = available // (len(texts) - position)
        if length > longest:
            break
        available -= length
    return [whole(text[:longest]) for text in texts]
