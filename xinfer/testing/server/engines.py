"""How the engines write an answer: the same tokens, said in the words of each.

An engine turns what was generated into the body of an answer sent at once, or into the events of
a stream. Transformers and llama.cpp differ in almost every key.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from attrs import frozen

from xinfer.testing.server.served import Served
from xinfer.testing.server.tokens import Generated

type JSON = dict[str, Any]


@frozen(kw_only=True)
class Run:
    """What an engine has to write.

    :param thinking: whether thoughts come first.
    :param with_tools: the request names tools, even none.
    :param parses_calls: of llama.cpp: the request lets it call them.
    :param include_usage: by ``stream_options``.
    """

    model: Served
    generated: Generated
    prompt_tokens: int
    thinking: bool = False
    with_tools: bool = False
    parses_calls: bool = False
    include_usage: bool = False

    def usage(self, completion_tokens: int) -> JSON:
        """Return OpenAI's ``usage``."""
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": self.prompt_tokens + completion_tokens,
        }


@frozen(kw_only=True)
class Engine:
    """The four ways an engine writes.

    :param completes: whether a chat model of it answers ``/v1/completions`` too.
    :param cuts: an over-long prompt, silently; otherwise it fails.
    """

    chat: Callable[[Run], JSON]
    chat_events: Callable[[Run], Iterator[JSON | str]]
    completion: Callable[[Run], JSON]
    completion_events: Callable[[Run], Iterator[JSON]]
    completes: bool
    cuts: bool


def now() -> int:
    """Return the seconds since 1970, for ``created``."""
    return int(time.time())


def new_id(prefix: str = "") -> str:
    """Return an id that nothing else has."""
    return f"{prefix}{uuid.uuid4()}"


def text_choice(text: str, finish_reason: str | None) -> JSON:
    """Return the one choice of a text completion."""
    return {"text": text, "index": 0, "logprobs": None, "finish_reason": finish_reason}
