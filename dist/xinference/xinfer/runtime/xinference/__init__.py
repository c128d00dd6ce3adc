"""Xinference's REST API over ``requests``; the only place that does HTTP, and it knows no Dify."""

from xinfer.runtime.xinference.answers import ChatChunk, Embeddings, ModelDescription, Usage
from xinfer.runtime.xinference.client import Client, Input
from xinfer.runtime.xinference.errors import (
    BadRequest,
    ConnectionFailed,
    NotAuthorized,
    RateLimited,
    ServerUnavailable,
    Unintelligible,
    XinferenceError,
)
from xinfer.runtime.xinference.tool_calls import ToolCall, ToolCalls, ToolCallText
from xinfer.runtime.xinference.transport import Server

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
