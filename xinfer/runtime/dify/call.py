"""One call of a model by Dify, as hooks get it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from attrs import define, field

from xinfer.runtime.openai import Client, ModelDescription
from xinfer.spec import Credentials, Model, ModelType, OpenAICompatible
from xinfer.spec.conditions import ModelInfo
from xinfer.spec.dialects import Dialect
from xinfer.spec.targets import ConnectionSettings


def model_info(description: ModelDescription, credentials: Credentials) -> ModelInfo:
    """Join what the server reports and what the user entered."""
    return ModelInfo(
        abilities=description.abilities,
        lacks=description.lacks,
        engine=description.engine,
        limits=description.limits,
        settings=vars(credentials),
    )


@define(kw_only=True, slots=False, eq=False)
class ModelCall[C: Credentials]:
    """A call of one model.

    :ivar model: its name in Dify.
    :ivar name: its name on the server.
    :ivar kind: its type.
    :ivar credentials: what the user entered.
    :ivar settings: what that sets of the requests.
    :ivar user: who calls, as Dify identifies them; ``None`` where Dify does not tell.
    """

    model: str
    name: str
    kind: ModelType
    credentials: C
    settings: ConnectionSettings
    runtime: OpenAICompatible
    user: str | None = None
    _connect: Callable[[], Client] = field(repr=False)
    _describe: Callable[[], ModelDescription] = field(repr=False)
    _resolve: Callable[[ModelDescription], Model] = field(repr=False)

    @cached_property
    def client(self) -> Client:
        """The client of the server; made when first needed."""
        return self._connect()

    @property
    def dialect(self) -> Dialect:
        """The server's dialect."""
        return self.client.dialect

    @cached_property
    def description(self) -> ModelDescription:
        """What the server reports of the model; requested when first needed."""
        return self._describe()

    @cached_property
    def declared(self) -> Model:
        """The declared model, completed for this call."""
        return self._resolve(self.description)

    @property
    def info(self) -> ModelInfo:
        """What conditions and expressions of the declaration are evaluated against."""
        return model_info(self.description, self.credentials)

    @property
    def names(self) -> tuple[str, ...]:
        """What the model is called: in Dify, on the server, by its makers."""
        return (self.model, self.name, self.description.name)
