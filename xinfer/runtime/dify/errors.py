"""The client's errors as Dify's five invoke errors; unexpected exceptions are logged."""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dify_plugin.config.logger_format import plugin_logger_handler
from dify_plugin.errors.model import (
    CredentialsValidateFailedError,
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

INVOKE_ERROR_MAPPING: dict[type[InvokeError], list[type[Exception]]] = {
    InvokeConnectionError: [InvokeConnectionError, ConnectionFailed],
    InvokeServerUnavailableError: [InvokeServerUnavailableError, ServerUnavailable],
    InvokeRateLimitError: [InvokeRateLimitError, RateLimited],
    InvokeAuthorizationError: [InvokeAuthorizationError, NotAuthorized],
    InvokeBadRequestError: [InvokeBadRequestError, BadRequest, FormError, ValueError],
}

DEBUG = "XINFER_DEBUG"
"""The environment variable that logs each call of a server: path, model, status, time."""

logger = logging.getLogger("xinfer")
"""Writes to Dify's log of the plugin: the SDK's handler puts each line into the daemon's form."""
if plugin_logger_handler not in logger.handlers:
    logger.addHandler(plugin_logger_handler)
    logger.setLevel(logging.INFO)
if os.environ.get(DEBUG):
    logger.setLevel(logging.DEBUG)
    plugin_logger_handler.setLevel(logging.DEBUG)

_EXPECTED = (CallError, FormError, InvokeError, CredentialsValidateFailedError)


def invoke_error(error: Exception) -> InvokeError:
    """Turn an error into Dify's, with its whole message; log the traceback of an unexpected one."""
    if not isinstance(error, _EXPECTED):
        log_traceback(error)
    for kind, errors in INVOKE_ERROR_MAPPING.items():
        if isinstance(error, tuple(errors)):
            return kind(str(error))
    if isinstance(error, InvokeError):
        return error
    return InvokeError(_with_place(error))


def log_traceback(error: Exception) -> None:
    """Write the traceback of an error in the plugin's own Python to the log.

    Lines of code are in it, values of variables are not.
    """
    logger.error("%s", "".join(traceback.format_exception(error)).rstrip())


def _with_place(error: Exception) -> str:
    """Describe an unexpected error: what it is, and where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"


@contextmanager
def mapped() -> Iterator[None]:
    """Map errors where the SDK does not: in a generator, once the first piece is out."""
    try:
        yield
    except InvokeError:
        raise
    except Exception as error:
        raise invoke_error(error) from error


@contextmanager
def validating() -> Iterator[None]:
    """Refuse credentials with the message of whatever is raised."""
    try:
        yield
    except CredentialsValidateFailedError:
        raise
    except (FormError, CallError, InvokeError) as error:
        raise CredentialsValidateFailedError(str(error)) from error
    except Exception as error:
        log_traceback(error)
        raise CredentialsValidateFailedError(_with_place(error)) from error
