"""What the models of every type share: credentials, their validation, the schema, the errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, ClassVar

from dify_plugin.entities.model import AIModelEntity
from dify_plugin.errors.model import CredentialsValidateFailedError, InvokeError

from xinfer.runtime.dify.errors import MAPPING, invoke_error
from xinfer.runtime.dify.schema import entity
from xinfer.runtime.openai import (
    TASKS,
    BadRequest,
    CallError,
    Client,
    ModelDescription,
    Server,
    ServerUnavailable,
)
from xinfer.runtime.xinference import XinferenceClient
from xinfer.spec import Credentials, CustomizableModel, FormError, Model, ModelInfo

_LEARNED = "xinfer_learned"
"""The key in the stored credentials that keeps what validation learned of the model, so that a
question for the schema costs no HTTP. Dify stores what ``validate_credentials`` leaves there."""

_OF_SERVER: Mapping[str, str] = {
    "api_key": "api_key",
    "timeout": "invoke_timeout",
    "max_retries": "max_retries",
    "verify_tls": "verify_tls",
    "ca_certificate": "ca_certificate",
}
"""How to reach the server, and the fields that say so; a provider need not ask for all of it."""

_MOST_KEPT = 256
"""Schemas of models."""


class XinferenceModel:
    """Mixed into one of the SDK's model classes, in front of it.

    The plugin's own module names the two declarations it works by; the runtime's class names the
    ``task`` that the server reports of such models.
    """

    credentials_class: ClassVar[type[Credentials]]
    declared: ClassVar[CustomizableModel]
    task: ClassVar[str]
    client_class: ClassVar[type[Client]] = XinferenceClient

    def entered(self, credentials: Mapping[str, Any]) -> Any:
        """Read the stored credentials; raise ``FormError`` where they are wrong."""
        return self.credentials_class.from_form(credentials)

    def client(self, entered: Any) -> Client:
        """Make the client that these credentials describe."""
        settings = {name: getattr(entered, field, None) for name, field in _OF_SERVER.items()}
        known = {name: value for name, value in settings.items() if value is not None}
        return self.client_class(Server(base_url=entered.server_url, label="Xinference", **known))

    def validate_credentials(self, model: str, credentials: Mapping[str, Any]) -> None:
        """Ask the server for the model, try it, and keep what was learned.

        :raises CredentialsValidateFailedError: names every wrong field, or what the server said.
        """
        try:
            entered = self.entered(credentials)
            client = self.client(entered)
            described = client.describe(entered.model_uid, fresh=True)
            self._expect_task(described, entered.model_uid)
            self.try_out(client, entered, described)
        except (FormError, CallError) as error:
            raise CredentialsValidateFailedError(str(error)) from error
        if isinstance(credentials, dict):
            learned = {**described.to_json(), "of": _identity(entered)}
            credentials[_LEARNED] = json.dumps(learned)

    def try_out(self, client: Client, entered: Any, described: ModelDescription) -> None:
        """Make the smallest call of its kind: a key may describe a model and not use it."""
        raise NotImplementedError

    def described(self, credentials: Mapping[str, Any], entered: Any) -> ModelDescription:
        """Say what the model is: as validation learned, else as the server says."""
        client = self.client(entered)
        return _learned(credentials, entered, client) or client.describe(entered.model_uid)

    def known(self, model: str, credentials: Mapping[str, Any], entered: Any) -> Model:
        """Complete the declaration for this model."""
        return _known(type(self), model, self.described(credentials, entered), entered)

    def get_customizable_model_schema(
        self, model: str, credentials: Mapping[str, Any]
    ) -> AIModelEntity | None:
        """Describe a model to Dify."""
        try:
            entered = self.entered(credentials)
            return _schema(type(self), model, self.described(credentials, entered), entered)
        except (FormError, CallError) as error:
            # The SDK asks this before every call, outside the place where it maps errors.
            raise invoke_error(error) from error

    @property
    def _invoke_error_mapping(self) -> dict[type[InvokeError], list[type[Exception]]]:
        return MAPPING

    def _transform_invoke_error(self, error: Exception) -> InvokeError:
        """Keep the words whole: the SDK's own way drops those of a refused key."""
        return invoke_error(error)

    @contextmanager
    def explained(self, client: Client, entered: Any) -> Iterator[None]:
        """Say of a call that fails when its uid has become that of a model of another type.

        :raises CallError: that, or what the server said.
        """
        try:
            yield
        except ServerUnavailable as error:
            if error.has_fix:
                raise
            try:
                described = client.describe(entered.model_uid, fresh=True)
            except CallError:
                raise error from None
            self._expect_task(described, entered.model_uid)
            raise

    def _expect_task(self, described: ModelDescription, uid: str) -> None:
        if described.task in ("", self.task):
            return
        is_for, wanted = TASKS.get(described.task), TASKS[self.task]
        if is_for is None:
            raise BadRequest(
                f"The model {uid!r} is for {described.task}, for which Dify has no use.",
                f"模型 {uid!r} 用于 {described.task}，Dify 不支持此类模型。",
            )
        raise BadRequest(
            f"The model {uid!r} is for {is_for}, not for {wanted}. "
            f"Add it under the model type {is_for}.",
            f"模型 {uid!r} 的类型是 {is_for}，而不是 {wanted}：请在模型类型 {is_for} 下添加。",
        )


def _kept[*A, R](make: Callable[[*A], R]) -> Callable[[*A], R]:
    """Keep what was made; not of credentials that hold something without a hash, such as a list."""
    kept = lru_cache(maxsize=_MOST_KEPT)(make)

    def made(*arguments: *A) -> R:
        try:
            hash(arguments)
        except TypeError:
            return make(*arguments)
        return kept(*arguments)

    return made


# The SDK asks for the schema three times a call: before it, and for the price of what goes in and
# of what comes out.
@_kept
def _schema(
    kind: type[XinferenceModel], model: str, described: ModelDescription, entered: Credentials
) -> AIModelEntity:
    return entity(_known(kind, model, described, entered))


@_kept
def _known(
    kind: type[XinferenceModel], model: str, described: ModelDescription, entered: Credentials
) -> Model:
    facts = ModelInfo(
        abilities=described.abilities, limits=described.limits, settings=vars(entered)
    )
    return kind.declared.known(model, facts)


def _identity(entered: Any) -> list[str]:
    return [entered.server_url, entered.model_uid]


def _learned(
    credentials: Mapping[str, Any], entered: Any, client: Client
) -> ModelDescription | None:
    """Read what validation stored, unless it is of another model or server."""
    try:
        learned = json.loads(credentials.get(_LEARNED) or "null")
    except (TypeError, ValueError):
        return None
    if not isinstance(learned, dict) or learned.get("of") != _identity(entered):
        return None
    if "task" not in learned:  # stored by version 0.1.0, in the server's own form
        return client.read_description(learned)
    return ModelDescription.from_json(learned)
