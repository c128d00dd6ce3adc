"""The peer's way to a server: both public clients, made anew for each call.

This is the path that a plugin takes which asks ``xinference_client`` what a model is and has
``openai`` talk to it. What the server says of a model is kept for five minutes.
"""

import time
from collections.abc import Mapping
from typing import Any

import requests
from dify_plugin.entities import I18nObject
from dify_plugin.entities.model import AIModelEntity, FetchFrom, ModelType, ParameterRule
from dify_plugin.errors.model import (
    CredentialsValidateFailedError,
    InvokeBadRequestError,
    InvokeConnectionError,
)
from openai import APIError, OpenAI
from xinference_client import RESTfulClient

_KEPT = 300
_known: dict[tuple[str, str], tuple[float, dict[str, Any]]] = {}


def handle(credentials: Mapping[str, Any]) -> Any:
    """Make a client and ask it for the model."""
    client = RESTfulClient(credentials["server_url"], api_key=credentials.get("api_key"))
    return client.get_model(credentials["model_uid"])


def talker(credentials: Mapping[str, Any]) -> OpenAI:
    """Make the client that talks to the model."""
    return OpenAI(
        base_url=f"{credentials['server_url']}/v1",
        api_key=credentials.get("api_key") or "none",
        max_retries=3,
        timeout=60,
    )


def described(credentials: Mapping[str, Any]) -> dict[str, Any]:
    """Ask what a model is, unless that is known."""
    key = (credentials["server_url"], credentials["model_uid"])
    until, description = _known.get(key, (0.0, {}))
    if time.monotonic() >= until:
        url = f"{key[0]}/v1/models/{key[1]}"
        description = requests.get(url, timeout=10).json()
        _known[key] = (time.monotonic() + _KEPT, description)
    return description


class Asking:
    """Mixed into each of the SDK's classes: asks the server for the model's schema."""

    kind: ModelType
    rules: tuple[ParameterRule, ...] = ()

    def validate_credentials(self, model: str, credentials: dict[str, Any]) -> None:
        try:
            described(credentials)
            handle(credentials)
        except (RuntimeError, OSError) as error:
            raise CredentialsValidateFailedError(str(error)) from error

    def get_customizable_model_schema(
        self, model: str, credentials: dict[str, Any]
    ) -> AIModelEntity:
        return AIModelEntity(
            model=model,
            label=I18nObject(en_us=model),
            model_type=self.kind,
            fetch_from=FetchFrom.CUSTOMIZABLE_MODEL,
            model_properties=self.properties(described(credentials)),
            parameter_rules=list(self.rules),
        )

    def properties(self, description: Mapping[str, Any]) -> dict[str, Any]:
        return {"context_size": description.get("context_length", 512)}

    @property
    def _invoke_error_mapping(self) -> dict[type, list[type]]:
        return {
            InvokeConnectionError: [requests.RequestException, APIError],
            InvokeBadRequestError: [RuntimeError, KeyError, ValueError],
        }
