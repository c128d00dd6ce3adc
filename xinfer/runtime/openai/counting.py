"""A conversation's tokens as the server counts them, before it answers."""

from __future__ import annotations

import json
from typing import Any

from attrs import evolve

from xinfer.runtime.openai.answers import is_count
from xinfer.runtime.openai.client import Client
from xinfer.runtime.openai.connection import Server
from xinfer.runtime.openai.errors import CallError
from xinfer.spec import Secret

_VERSION = ("anthropic-version", Secret("2023-06-01"))
_LARGEST_CACHE = 256
"""Conversations; forgotten when they become more."""
_counted: dict[tuple[Server, str, str], int | None] = {}


def count_tokens(client: Client, model: str, messages: list[dict[str, Any]]) -> int | None:
    """Have the server count a conversation of texts; ``None`` where it cannot.

    The request has the form of Anthropic's protocol. The answer is cached.
    """
    path = client.dialect.count_tokens
    if path is None:
        return None
    system = "\n\n".join(m["content"] for m in messages if m["role"] == "system")
    others = [
        {"role": message["role"], "content": message["content"]}
        for message in messages
        if message["role"] != "system"
    ]
    body = {"model": model, "messages": others, **({"system": system} if system else {})}
    key = (client.server, path, json.dumps(body))
    if key not in _counted:
        if len(_counted) >= _LARGEST_CACHE:
            _counted.clear()
        _counted[key] = _count(client, path, body)
    return _counted[key]


def _count(client: Client, path: str, body: dict[str, Any]) -> int | None:
    server = evolve(client.server, headers=(*client.server.headers, _VERSION))
    try:
        tokens = evolve(client, server=server).ask(path, body).get("input_tokens")
    except CallError:
        return None
    return tokens if is_count(tokens) else None
