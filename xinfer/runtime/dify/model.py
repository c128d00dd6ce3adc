"""What the runtime's models of every type share: the call, validation, the schema, the hooks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from attrs import evolve
from dify_plugin.entities.model import AIModelEntity

from xinfer.runtime.dify.call import ModelCall, model_info
from xinfer.runtime.dify.declared import DeclaredModel
from xinfer.runtime.dify.errors import invoke_error, validating
from xinfer.runtime.dify.hooks import Overridable
from xinfer.runtime.dify.learned import Learned
from xinfer.runtime.dify.schema import entity
from xinfer.runtime.openai import (
    TASKS,
    BadRequest,
    CallError,
    Client,
    ModelDescription,
    NotAuthorized,
    Server,
    ServerUnavailable,
)
from xinfer.runtime.openai.fixes import Text
from xinfer.runtime.servers import client_class, detect
from xinfer.spec import (
    Credentials,
    Endpoint,
    Model,
    ModelList,
    ModelProperties,
    ModelType,
    OpenAICompatible,
    Secret,
)
from xinfer.spec.dialects import DIALECTS, OPENAI, Dialect
from xinfer.spec.targets import ConnectionSettings, connection_settings

_LARGEST_CACHE = 256
"""The number of completed declarations in the cache."""


class ServedModel[C: Credentials](Overridable[C], DeclaredModel[C]):
    """A model of a server that the project's ``runtime`` describes.

    A subclass names its ``project``.
    """

    # The call

    def call(
        self, model: str, credentials: Mapping[str, Any], user: str | None = None
    ) -> ModelCall[C]:
        """Read the credentials and make the client that they describe.

        :raises FormError: the credentials are wrong.
        """
        return self._call(model, credentials, user)

    def _call(
        self,
        model: str,
        stored: Mapping[str, Any],
        user: str | None = None,
        *,
        base_url: str = "",
        fresh: bool = False,
    ) -> ModelCall[C]:
        runtime = self.runtime
        typed, settings, learned = _read(type(self), model, tuple(stored.items()))
        name = settings.model or runtime.model_names.get(model, model)
        learned = None if fresh else learned
        url = base_url or (learned.base_url if learned else "") or _first_url(settings, runtime)
        call: ModelCall[C] = ModelCall(
            model=model,
            name=name,
            kind=self.kind,
            credentials=typed,
            settings=settings,
            runtime=runtime,
            user=user,
            connect=lambda: self._client(url, call, learned, fresh=fresh),
            describe=lambda: self.description(call, learned),
            resolve=lambda description: _resolved(type(self), model, description, typed),
        )
        return call

    def _client(
        self, url: str, call: ModelCall[C], learned: Learned | None, *, fresh: bool
    ) -> Client:
        server = self._server(url, call)
        dialect = learned.dialect if learned else _dialect(self.runtime)
        if dialect is None:
            dialect = detect(server) if fresh else OPENAI
        return client_class(dialect)(server, dialect=dialect, hooks=self.hooks(call))

    def _identity(self, model: str, settings: ConnectionSettings) -> tuple[str, str]:
        """Return the base URL and the model that learned values belong to."""
        name = settings.model or self.runtime.model_names.get(model, model)
        return (settings.base_url or "", "" if self.predefined(model) else name)

    @property
    def runtime(self) -> OpenAICompatible:
        """What the project declares of its server."""
        runtime = self.project.runtime
        if runtime is None:
            raise TypeError("the project declares no runtime")
        return runtime

    def _server(self, url: str, call: ModelCall[C]) -> Server:
        settings = call.settings
        runtime = self.runtime
        headers = {name: Secret(value) for name, value in runtime.headers.items()}
        headers |= settings.headers
        headers |= {name: Secret(value) for name, value in self.headers(call).items()}
        chosen = {
            "timeout": settings.timeout,
            "max_retries": settings.max_retries,
            "verify_tls": settings.verify_tls,
        }
        label = self.project.provider.label
        return Server(
            base_url=url,
            label=Text(label.en_US, label.chinese),
            api_key=settings.api_key,
            ca_certificate=settings.ca_certificate,
            headers=tuple(headers.items()),
            query=tuple({**runtime.query, **settings.query}.items()),
            **{name: value for name, value in chosen.items() if value is not None},  # type: ignore[arg-type]
        )

    def renamed(self, call: ModelCall[Any], model: str) -> ModelCall[Any]:
        """Return the call of another predefined model with the same credentials."""
        name = self.runtime.model_names.get(model, model)
        other: ModelCall[Any] = ModelCall(
            model=model,
            name=name,
            kind=self.kind,
            credentials=call.credentials,
            settings=call.settings,
            runtime=call.runtime,
            connect=lambda: evolve(call.client, hooks=self.hooks(other)),
            describe=ModelDescription,
            resolve=lambda _: self.predefined(model) or _undeclared(model, self.kind),
        )
        return other

    # The model's description

    def description(self, call: ModelCall[C], learned: Learned | None = None) -> ModelDescription:
        """Return the model's description: as validation learned it, else as the server reports it.

        A predefined model is what the declaration says: the server is not asked.
        """
        if self.predefined(call.model):
            return ModelDescription()
        if learned and learned.description:
            return learned.description
        return call.client.describe(call.name)

    def get_customizable_model_schema(
        self, model: str, credentials: Mapping[str, Any]
    ) -> AIModelEntity | None:
        """Describe a model to Dify."""
        try:
            call = self.call(model, credentials)
            return _schema(type(self), model, call.description, call.credentials)
        except Exception as error:
            # The SDK asks this before every call, outside the place where it maps errors.
            raise invoke_error(error) from error

    # Validation

    def validate_credentials(self, model: str, credentials: Mapping[str, Any]) -> None:
        """Ask the server for the model, try it, and store what was learned.

        :raises CredentialsValidateFailedError: names every wrong field, or what the server said.
        """
        with validating():
            call = self.first_that_works(
                model, credentials, lambda call: self._validate(call, credentials)
            )
            learned = Learned(
                base_url=call.client.server.base_url,
                dialect=call.dialect,
                description=None if self.predefined(model) else call.description,
            )
            if isinstance(credentials, dict):
                learned.write(credentials, self._identity(model, call.settings))

    def first_that_works(
        self,
        model: str,
        credentials: Mapping[str, Any],
        validate: Callable[[ModelCall[C]], None],
    ) -> ModelCall[C]:
        """Validate at each base URL in turn; return the call of the first that works.

        :raises CallError: none does; of several errors, one that tells of the key or the model
            rather than one of a server that cannot be reached.
        """
        settings = connection_settings(self.credentials(credentials), self.kind)
        urls = (settings.base_url,) if settings.base_url else self.runtime.base_urls
        failed: CallError | None = None
        for url in urls:
            try:
                call = self._call(model, credentials, base_url=url, fresh=True)
                validate(call)
            except CallError as error:
                failed = error if failed is None or error.status else failed
            else:
                return call
        if failed is None:
            raise BadRequest("No base URL is set.", "未设置服务器 URL。")
        raise failed

    def _validate(self, call: ModelCall[C], credentials: Mapping[str, Any]) -> None:
        if isinstance(self.runtime.validated_by, ModelList) and self.predefined(call.model):
            self._expect_listed(call)
            return
        if isinstance(self.runtime.validated_by, Endpoint):
            call.client.reach(self.runtime.validated_by.path)
        call.description = self._description_from_server(call)
        self._expect_task(call)
        try:
            self.probe(call)
        except BadRequest as error:
            raise _at_other_url(call, error) from None
        if call.dialect.loads_on_demand:
            call.description = self._description_from_server(call)

    def _description_from_server(self, call: ModelCall[C]) -> ModelDescription:
        if self.predefined(call.model):
            return ModelDescription()
        return call.client.describe(call.name, fresh=True)

    def probe(self, call: ModelCall[C]) -> None:
        """Make the smallest call of the type: a key may have the right to describe a model only."""
        raise NotImplementedError

    def _expect_listed(self, call: ModelCall[C]) -> None:
        names = list(call.client.models())
        if call.name not in names:
            english = ", ".join(names) or "none"
            chinese = "、".join(names) or "无"
            raise BadRequest(
                f"This account has no access to {call.name}, only to {english}.",
                f"此账号无权使用 {call.name}；可用的模型：{chinese}。",
            )

    @contextmanager
    def diagnose(self, call: ModelCall[C]) -> Iterator[None]:
        """Explain a call that fails because its name has become that of another type's model.

        :raises CallError: that, or what the server said.
        """
        try:
            yield
        except ServerUnavailable as error:
            if error.has_fix or self.predefined(call.model):
                raise
            try:
                call.description = call.client.describe(call.name, fresh=True)
            except CallError:
                raise error from None
            self._expect_task(call)
            raise

    def _expect_task(self, call: ModelCall[C]) -> None:
        task, name = map(call.client.hide, (call.description.task, call.name))
        if task in ("", self.kind):
            return
        actual, expected = TASKS.get(task), TASKS[self.kind]
        if actual is None:
            raise BadRequest(
                f"The model {name!r} is for {task}, for which Dify has no use.",
                f"模型“{name}”用于 {task}，Dify 不支持此类模型。",
            )
        raise BadRequest(
            f"The model {name!r} is for {actual}, not for {expected}. "
            f"Add it under the model type {actual}.",
            f"模型“{name}”的类型是 {actual}，而不是 {expected}：请在模型类型 {actual} 下添加。",
        )


def _undeclared(model: str, kind: ModelType) -> Model:
    """Describe a model that only validates credentials."""
    return Model(model=model, model_type=kind, model_properties=ModelProperties(mode="chat"))


def _dialect(runtime: OpenAICompatible) -> Dialect | None:
    """Return the declared dialect; ``None`` where it is to be recognised."""
    if isinstance(runtime.dialect, Dialect):
        return runtime.dialect
    return None if runtime.dialect == "auto" else DIALECTS[runtime.dialect]


def _first_url(settings: ConnectionSettings, runtime: OpenAICompatible) -> str:
    return settings.base_url or next(iter(runtime.base_urls), "")


def _at_other_url[C: Credentials](call: ModelCall[C], error: CallError) -> CallError:
    """Name the URL with or without its version part, if the server answers there."""
    url = call.client.server.base_url.rstrip("/")
    if error.status not in (404, 405) or call.dialect.version:
        return error
    other = url.removesuffix("/v1") if urlsplit(url).path.endswith("/v1") else f"{url}/v1"
    server = Server(base_url=other, api_key=call.settings.api_key, max_retries=0)
    try:
        Client(server).models()
    except NotAuthorized:
        pass  # the server is there all the same
    except CallError:
        return error
    return error.adding(f"Enter {other} as the URL.", f"请将 URL 改为 {other}。")


def _cached[*A, R](make: Callable[[*A], R]) -> Callable[[*A], R]:
    """Cache results, except for credentials that hold an unhashable value, such as a list."""
    cached = lru_cache(maxsize=_LARGEST_CACHE)(make)

    def wrapper(*arguments: *A) -> R:
        try:
            hash(arguments)
        except TypeError:
            return make(*arguments)
        return cached(*arguments)

    return wrapper


# The SDK asks for the schema three times a call: before it, and for the price of what goes in and
# of what comes out. So one call reads the same credentials four times.
@_cached
def _read[C: Credentials](
    kind: type[ServedModel[C]], model: str, stored: tuple[tuple[str, Any], ...]
) -> tuple[C, ConnectionSettings, Learned | None]:
    """Read stored credentials: what the user entered, what that sets, what validation learned."""
    served = kind([])  # type: ignore[call-arg]
    credentials = served.credentials(dict(stored))
    settings = connection_settings(credentials, served.kind)
    of = served._identity(model, settings)  # noqa: SLF001
    return credentials, settings, Learned.read(dict(stored), of, _dialect(served.runtime))


@_cached
def _schema(
    kind: type[ServedModel[Any]],
    model: str,
    description: ModelDescription,
    credentials: Credentials,
) -> AIModelEntity:
    return entity(_resolved(kind, model, description, credentials))


@_cached
def _resolved(
    kind: type[ServedModel[Any]],
    model: str,
    description: ModelDescription,
    credentials: Credentials,
) -> Model:
    return kind([]).resolve(model, model_info(description, credentials))  # type: ignore[call-arg]
