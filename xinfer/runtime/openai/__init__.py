"""Xinference's REST API over ``requests``; the only place that does HTTP, and it knows no Dify."""

from xinfer.runtime.openai.answers import ChatChunk, Embeddings, ModelDescription, Usage
from xinfer.runtime.openai.client import Client, Input
from xinfer.runtime.openai.connection import Server
from xinfer.runtime.openai.errors import (
    BadRequest,
    ConnectionFailed,
    NotAuthorized,
    RateLimited,
    ServerUnavailable,
    Unintelligible,
    XinferenceError,
)
from xinfer.runtime.openai.tool_calls import ToolCall, ToolCalls, ToolCallText

__all__ = [
    "BadRequest",
    "ChatChunk",
    "Client",
    "ConnectionFailed",
    "Embeddings",
    "Input",
    "ModelDescription",
    "NotAuthorized",
    "RateLimited",
    "Server",
    "ServerUnavailable",
    "ToolCall",
    "ToolCallText",
    "ToolCalls",
    "Unintelligible",
    "Usage",
    "XinferenceError",
]
