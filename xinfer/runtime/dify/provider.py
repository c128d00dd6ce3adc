"""The provider: validates its credentials before Dify stores them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import resolve_name
from typing import Any, ClassVar

import dify_plugin
from dify_plugin.errors.model import CredentialsValidateFailedError

from xinfer.runtime.dify.call import ModelCall
from xinfer.runtime.dify.errors import validating
from xinfer.runtime.dify.learned import Learned
from xinfer.runtime.dify.model import ServedModel
from xinfer.runtime.openai import CallError
from xinfer.spec import Endpoint, ModelList, ModelType, OpenAICompatible, Project
from xinfer.spec.conditions import ModelInfo, value_of

_CLASSES: Mapping[ModelType, str] = {
    ModelType.LLM: "llm:LargeLanguageModel",
    ModelType.TEXT_EMBEDDING: "text_embedding:TextEmbeddingModel",
    ModelType.RERANK: "rerank:RerankModel",
    ModelType.SPEECH2TEXT: "speech2text:Speech2TextModel",
    ModelType.TTS: "tts:TTSModel",
}
_MOST_TRIED = 3
"""The number of models to try if the declaration names none."""


class ModelProvider(dify_plugin.ModelProvider):
    """The provider of a project; the plugin's own module names the project."""

    project: ClassVar[Project]

    def validate_provider_credentials(self, credentials: Mapping[str, Any]) -> None:
        """Try the credentials as the declaration says, and keep the base URL that works.

        :raises CredentialsValidateFailedError: they do not work, or belong to no model.
        """
        runtime = self.project.runtime
        if not self.project.models or runtime is None:
            raise CredentialsValidateFailedError(
                "This provider has no credentials of its own: add a model instead.\n"
                "此供应商没有统一的凭据：请直接添加模型。"
            )
        with validating():
            kind, model = next(self._tried(runtime, credentials))
            call = self._served(kind).first_that_works(
                model, credentials, lambda call: self._validate(runtime, call, credentials)
            )
            if isinstance(credentials, dict):
                learned = Learned(base_url=call.client.server.base_url, dialect=call.dialect)
                learned.write(credentials, (call.settings.base_url or "", ""))

    def _validate(
        self, runtime: OpenAICompatible, call: ModelCall[Any], credentials: Mapping[str, Any]
    ) -> None:
        if isinstance(runtime.validated_by, ModelList):
            call.client.models()
        elif isinstance(runtime.validated_by, Endpoint):
            call.client.reach(runtime.validated_by.path)
        else:
            self._validate_by_model(call, self._tried(runtime, credentials))

    def _validate_by_model(
        self, call: ModelCall[Any], tried: Iterator[tuple[ModelType, str]]
    ) -> None:
        """Try models in order: a key that may not use one of them is good all the same."""
        refused: CallError | None = None
        for kind, model in tried:
            served = self._served(kind)
            try:
                served.probe(served.renamed(call, model))
            except CallError as error:
                if error.status == 401 or error.status not in _OF_THE_MODEL:
                    raise
                refused = refused or error
            else:
                return
        try:
            call.client.models()
        except CallError:
            if refused is not None:
                raise refused from None
            raise

    def _tried(
        self, runtime: OpenAICompatible, credentials: Mapping[str, Any]
    ) -> Iterator[tuple[ModelType, str]]:
        """Yield type and name of the models to try; one not declared is of the first type."""
        models = self.project.models
        declared = runtime.validated_by if isinstance(runtime.validated_by, tuple) else ()
        served = self._served(models[0].model_type)
        info = ModelInfo(settings=vars(served.credentials(credentials)))
        names = [str(name) for each in declared if (name := value_of(each, info))]
        for name in names:
            kinds = [model.model_type for model in models if model.model == name]
            yield (kinds[0] if kinds else models[0].model_type), name
        if not names:
            yield from ((model.model_type, model.model) for model in models[:_MOST_TRIED])

    def _served(self, kind: ModelType) -> ServedModel[Any]:
        """Make what serves a model type, of the plugin's own class where there is one."""
        runtime = self.project.runtime
        own = runtime.classes.get(kind) if runtime else None
        base: Any = resolve_name(own) if own else _runtime_class(kind)
        served: ServedModel[Any] = type(base.__name__, (base,), {"project": self.project})([])
        return served


_OF_THE_MODEL = (400, 403, 404, 422)
"""Statuses that may be about the model rather than the key."""


def _runtime_class(kind: ModelType) -> Any:
    # Imported by name, when needed: the SDK registers the model classes of a module it loads.
    module, _, name = _CLASSES[kind].partition(":")
    return getattr(import_module(f"xinfer.runtime.dify.{module}"), name)
