"""Credentials as the SDK's OpenAI-compatible classes read them."""

from typing import Any


def compatible(credentials: dict[str, Any]) -> dict[str, Any]:
    """Write credentials as the SDK's OpenAI-compatible classes read them, once."""
    if "endpoint_url" in credentials:
        return credentials
    return {
        "endpoint_url": f"{credentials['server_url']}/v1",
        "endpoint_model_name": credentials["model_uid"],
        "mode": "chat",
        # Without this the class shows nothing of a stream whose lines end in CR LF.
        "stream_mode_delimiter": "\r\n\r\n",
        "max_chunks": "64",
    }
