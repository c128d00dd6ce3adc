"""Which of Dify's five errors each of the client's means."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dify_plugin.errors.model import (
    InvokeAuthorizationError,
    InvokeBadRequestError,
    InvokeConnectionError,
    InvokeError,
    InvokeRateLimitError,
    InvokeServerUnavailableError,
)

from xinfer.runtime.openai import (
    BadRequest,
    CallError,
    ConnectionFailed,
    NotAuthorized,
    RateLimited,
    ServerUnavailable,
)
from xinfer.spec import FormError

MAPPING: dict[type[InvokeError], list[type[Exception]]] = {
    InvokeConnectionError: [InvokeConnectionError, ConnectionFailed],
    InvokeServerUnavailableError: [InvokeServerUnavailableError, ServerUnavailable],
    InvokeRateLimitError: [InvokeRateLimitError, RateLimited],
    InvokeAuthorizationError: [InvokeAuthorizationError, NotAuthorized],
    InvokeBadRequestError: [InvokeBadRequestError, BadRequest, FormError, ValueError],
}


def invoke_error(error: Exception) -> InvokeError:
    """Turn an error of ours into Dify's, with its words whole."""
    for kind, ours in MAPPING.items():
        if isinstance(error, tuple(ours)):
            return kind(str(error))
    return InvokeError(str(error) or type(error).__name__)


@contextmanager
def mapped() -> Iterator[None]:
    """Map errors where the SDK does not: in a generator, once the first piece is out."""
    try:
        yield
    except (CallError, FormError, ValueError) as error:
        raise invoke_error(error) from error
