"""A declaration that binds: mixed into the SDK's model classes, in front of them.

For a plugin with classes of its own, also on the SDK's OpenAI-compatible ones:

.. code-block:: python

    class Chat(declared.DeclaredModel[Account], OAICompatLargeLanguageModel):
        project = provider_spec.project
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ClassVar, cast

from dify_plugin.entities.model import AIModelEntity, ModelType
from dify_plugin.errors.model import InvokeError

from xinfer import spec
from xinfer.runtime.dify.errors import INVOKE_ERROR_MAPPING, invoke_error, validating
from xinfer.runtime.dify.schema import entity
from xinfer.runtime.openai.tokens import count
from xinfer.spec import Credentials, Model, Project
from xinfer.spec.conditions import ModelInfo


class DeclaredModel[C: Credentials]:
    """What a project declares of its models of one type, as the SDK asks for it.

    Wrong credentials fail a validation and a call; tokens are counted without a download. A
    subclass names its ``project``.
    """

    project: ClassVar[Project]
    model_type: ModelType

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if own := cls.__dict__.get("validate_credentials"):
            cls.validate_credentials = _refusing(own)  # type: ignore[method-assign]

    @property
    def kind(self) -> spec.ModelType:
        """The model type, in the words of the declaration."""
        return spec.ModelType(self.model_type.value)

    def credentials(self, stored: Mapping[str, Any]) -> C:
        """Read what Dify stored.

        :raises FormError: names every field that is wrong.
        """
        declared = self.project.credentials
        if declared is None:
            raise TypeError("the project declares no credentials")
        return cast("C", declared.from_form(stored))

    def predefined(self, model: str) -> Model | None:
        """Find the declaration of a predefined model."""
        return self.project.predefined_model(self.kind, model)

    def resolve(self, model: str, info: ModelInfo) -> Model:
        """Complete the declaration for a model.

        :raises KeyError: nothing is declared for it.
        """
        return self.predefined(model) or self.project.customizable_model(self.kind).resolve(
            model, info
        )

    def get_customizable_model_schema(
        self, model: str, credentials: Mapping[str, Any]
    ) -> AIModelEntity | None:
        """Describe a model to Dify as it is declared."""
        try:
            info = ModelInfo(settings=vars(self.credentials(credentials)))
            return entity(self.resolve(model, info))
        except Exception as error:
            # The SDK asks this before every call, outside the place where it maps errors.
            raise invoke_error(error) from error

    def validate_credentials(self, model: str, credentials: Mapping[str, Any]) -> None:
        """Refuse credentials that no form of the declaration can hold, then ask the next class.

        :raises CredentialsValidateFailedError: names every wrong field.
        """
        with validating():
            self.credentials(credentials)
            super().validate_credentials(model, credentials)  # type: ignore[misc]

    @property
    def _invoke_error_mapping(self) -> dict[type[InvokeError], list[type[Exception]]]:
        return INVOKE_ERROR_MAPPING

    def _transform_invoke_error(self, error: Exception) -> InvokeError:
        """Keep the whole message; the SDK drops that of a refused key."""
        return invoke_error(error)

    def _get_num_tokens_by_gpt2(self, text: str) -> int:
        """Estimate, where the SDK would download a vocabulary."""
        return count(text)


def _refusing(validate: Callable[..., None]) -> Callable[..., None]:
    """Wrap a validation: whatever it raises becomes the error that Dify shows."""

    @wraps(validate)
    def refusing(self: Any, model: str, credentials: Mapping[str, Any]) -> None:
        with validating():
            validate(self, model, credentials)

    return refusing
