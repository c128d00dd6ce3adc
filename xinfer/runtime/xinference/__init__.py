"""Xinference's REST API over ``requests``; the only place that does HTTP, and it knows no Dify."""

from xinfer.runtime.xinference.client import ChatChunk, Client, ModelDescription, Usage
from xinfer.runtime.xinference.errors import (
    BadRequest,
    ConnectionFailed,
    NotAuthorized,
    RateLimited,
    ServerUnavailable,
    XinferenceError,
)

__all__ = [
    "BadRequest",
    "ChatChunk",
    "Client",
    "ConnectionFailed",
    "ModelDescription",
    "NotAuthorized",
    "RateLimited",
    "ServerUnavailable",
    "Usage",
    "XinferenceError",
]
