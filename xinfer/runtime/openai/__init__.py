"""A client for any OpenAI-compatible server over ``requests``; it knows neither Dify nor pydantic.

What differs between servers is data, a :class:`~xinfer.spec.dialects.Dialect`: where to ask and
what to send. Answers are read alike, whichever server gives them.
"""

from xinfer.runtime.openai.answers import ChatChunk, Embeddings, Usage
from xinfer.runtime.openai.client import Client, Input
from xinfer.runtime.openai.connection import Server
from xinfer.runtime.openai.descriptions import TASKS, ModelDescription
from xinfer.runtime.openai.errors import (
    BadRequest,
    CallError,
    ConnectionFailed,
    NotAuthorized,
    RateLimited,
    ServerUnavailable,
    Unintelligible,
)
from xinfer.runtime.openai.tool_calls import ToolCall, ToolCalls

__all__ = [
    "TASKS",
    "BadRequest",
    "CallError",
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
    "ToolCalls",
    "Unintelligible",
    "Usage",
]
