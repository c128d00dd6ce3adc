"""What the models of every type share: credentials, their validation, the schema, the errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from dify_plugin.entities.model import AIModelEntity
from dify_plugin.errors.model import CredentialsValidateFailedError, InvokeError

from xinfer.runtime.dify.errors import MAPPING, invoke_error
from xinfer.runtime.dify.schema import entity
from xinfer.runtime.xinference import Client, ModelDescription, XinferenceError
from xinfer.spec import Credentials, CustomizableModel, Facts, FormError

_LEARNED = "xinfer_learned"
"""The key in the stored credentials that keeps what validation learned of the model, so that a
question for the schema costs no HTTP. Dify stores what ``validate_credentials`` leaves there."""


class XinferenceModel:
    """Mixed into one of the SDK's model classes, in front of it.

    The plugin's own module names the two declarations it works by; the runtime's class names the
    ``model_type`` that the server reports of such models.
    """

    credentials_class: ClassVar[type[Credentials]]
    declared: ClassVar[CustomizableModel]
    server_type: ClassVar[str]

    def entered(self, credentials: Mapping[str, Any]) -> Any:
        """Read the stored credentials; raise ``FormError`` where they are wrong."""
        return self.credentials_class.from_form(credentials)

    def client(self, entered: Any) -> Client:
        """Make the client that these credentials describe."""
        return Client(
            base_url=entered.server_url,
            api_key=entered.api_key,
            timeout=entered.invoke_timeout,
            max_retries=entered.max_retries,
        )

    def validate_credentials(self, model: str, credentials: Mapping[str, Any]) -> None:
        """Ask the server for the model and keep what it says.

        :raises CredentialsValidateFailedError: names every wrong field, or what the server said.
        """
        try:
            entered = self.entered(credentials)
            described = self.client(entered).describe(entered.model_uid)
        except (FormError, XinferenceError) as error:
            raise CredentialsValidateFailedError(str(error)) from error
        if described.model_type not in ("", self.server_type):
            raise CredentialsValidateFailedError(
                f"The model {entered.model_uid!r} is of type {described.model_type}, "
                f"not {self.server_type}: add it under its own model type."
            )
        if isinstance(credentials, dict):
            credentials[_LEARNED] = json.dumps({**described.to_json(), "of": _identity(entered)})

    def get_customizable_model_schema(
        self, model: str, credentials: Mapping[str, Any]
    ) -> AIModelEntity | None:
        """Describe a model by what validation learned of it; ask the server only without that."""
        try:
            entered = self.entered(credentials)
            described = _learned(credentials, entered) or self.client(entered).describe(
                entered.model_uid
            )
        except (FormError, XinferenceError) as error:
            # The SDK asks this before every call, outside the place where it maps errors.
            raise invoke_error(error) from error
        facts = Facts(
            abilities=described.abilities, limits=described.limits, settings=vars(entered)
        )
        return entity(self.declared.known(model, facts))

    @property
    def _invoke_error_mapping(self) -> dict[type[InvokeError], list[type[Exception]]]:
        return MAPPING


def _identity(entered: Any) -> list[str]:
    return [entered.server_url, entered.model_uid]


def _learned(credentials: Mapping[str, Any], entered: Any) -> ModelDescription | None:
    """Read what validation stored, unless it is of another model or server."""
    try:
        learned = json.loads(credentials.get(_LEARNED) or "null")
    except (TypeError, ValueError):
        return None
    if not isinstance(learned, dict) or learned.get("of") != _identity(entered):
        return None
    return ModelDescription.from_json(learned)
