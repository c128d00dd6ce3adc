"""A plugin of Python that is right in all that the rules of code look at, to be made wrong."""

from pathlib import Path

import provider_spec
from xinfer.spec import (
    ConfigurateMethod,
    FormField,
    FormType,
    I18n,
    Model,
    ModelProperties,
    ModelType,
    ParameterRule,
    ParameterType,
    Provider,
    ProviderExtra,
    PythonSources,
)
from xinfer.spec.declaration import evolve
from xinfer.spec.project import complete

ROOT = Path(__file__).parents[2]
MAIN, PROVIDER = "main.py", "provider/acme.py"
LLM, EMBEDDING = "models/llm/llm.py", "models/text_embedding/text_embedding.py"
RERANK, TTS = "models/rerank/rerank.py", "models/tts/tts.py"
COMMON = "models/common.py"

SOURCES = {
    MAIN: """\
from dify_plugin import DifyPluginEnv, Plugin

plugin = Plugin(DifyPluginEnv(MAX_REQUEST_TIMEOUT=120))

if __name__ == "__main__":
    plugin.run()
""",
    PROVIDER: """\
from dify_plugin import ModelProvider


class AcmeProvider(ModelProvider):
    def validate_provider_credentials(self, credentials: dict) -> None:
        pass
""",
    COMMON: """\
import requests
from dify_plugin.errors.model import (
    CredentialsValidateFailedError,
    InvokeAuthorizationError,
    InvokeBadRequestError,
    InvokeConnectionError,
    InvokeError,
)


class _CommonAcme:
    def _ask(self, credentials, **body):
        url = credentials["server_url"]
        return requests.post(url, json=body, timeout=credentials.get("timeout", 60), stream=True)

    def validate_credentials(self, model: str, credentials: dict) -> None:
        try:
            self._ask(credentials, model=model).raise_for_status()
        except Exception as error:
            raise CredentialsValidateFailedError(str(error)) from error

    def get_customizable_model_schema(self, model: str, credentials: dict):
        return self.model_schemas[0]

    @property
    def _invoke_error_mapping(self) -> dict[type[InvokeError], list[type[Exception]]]:
        return {
            InvokeConnectionError: [requests.ConnectionError],
            InvokeAuthorizationError: [],
            InvokeBadRequestError: [ValueError],
        }
""",
    LLM: """\
from collections.abc import Generator

import requests
from dify_plugin import LargeLanguageModel
from dify_plugin.entities.model.llm import LLMResult, LLMResultChunk, LLMResultChunkDelta
from dify_plugin.entities.model.message import AssistantPromptMessage
from dify_plugin.errors.model import InvokeConnectionError

from models.common import _CommonAcme


class AcmeLargeLanguageModel(_CommonAcme, LargeLanguageModel):
    def _invoke(
        self, model, credentials, prompt_messages, model_parameters, tools=None, stop=None,
        stream=True, user=None,
    ):
        response = self._ask(credentials, model=model, **model_parameters)
        if stream:
            return self._stream(model, credentials, response)
        return self._whole(model, credentials, response)

    def _whole(self, model, credentials, response) -> LLMResult:
        usage = self._calc_response_usage(model, credentials, 1, len(response.text) // 4)
        message = AssistantPromptMessage(content=response.text)
        return LLMResult(model=model, message=message, usage=usage)

    def _stream(self, model, credentials, response) -> Generator:
        try:
            for line in response.iter_lines():
                message = AssistantPromptMessage(content=line.decode())
                delta = LLMResultChunkDelta(index=0, message=message)
                yield LLMResultChunk(model=model, delta=delta)
        except requests.RequestException as error:
            raise InvokeConnectionError(str(error)) from error

    def get_num_tokens(self, model, credentials, prompt_messages, tools=None) -> int:
        return sum(len(said.get_text_content()) for said in prompt_messages) // 4
""",
    EMBEDDING: """\
from decimal import Decimal

from dify_plugin.entities.model.text_embedding import EmbeddingUsage, TextEmbeddingResult
from dify_plugin.interfaces.model.text_embedding_model import TextEmbeddingModel

from ..common import _CommonAcme


class AcmeTextEmbeddingModel(_CommonAcme, TextEmbeddingModel):
    def _invoke(self, model, credentials, texts, user=None, input_type=None):
        numbers = self._ask(credentials, input=texts).json()
        usage = EmbeddingUsage(
            tokens=1, total_tokens=1, unit_price=Decimal(0), price_unit=Decimal(0),
            total_price=Decimal(0), currency="USD", latency=0.0,
        )
        return TextEmbeddingResult(model=model, embeddings=numbers, usage=usage)

    def get_num_tokens(self, model, credentials, texts) -> list[int]:
        return [len(text) // 4 for text in texts]
""",
    RERANK: """\
import dify_plugin
from dify_plugin.entities.model.rerank import RerankDocument, RerankResult
from models import common


class AcmeRerankModel(common._CommonAcme, dify_plugin.RerankModel):
    def _invoke(
        self, model, credentials, query, docs, score_threshold=None, top_n=None, user=None
    ):
        scores = self._ask(credentials, query=query, docs=docs).json()
        ranked = [
            RerankDocument(index=index, text=docs[index], score=score)
            for index, score in enumerate(scores)
        ]
        return RerankResult(model=model, docs=ranked[: top_n or None])
""",
    TTS: """\
from dify_plugin import TTSModel
from models.common import _CommonAcme


class AcmeTTSModel(_CommonAcme, TTSModel):
    def _invoke(self, model, tenant_id, credentials, content_text, voice, user=None):
        response = self._ask(credentials, text=content_text, voice=voice)
        return response.iter_content(8192)

    def get_tts_model_voices(self, model, credentials, language=None):
        return [{"name": "Ann", "value": "ann"}]
""",
}

_PROJECT = complete(provider_spec.project)
_EXTRA = ProviderExtra(
    python=PythonSources(provider_source=PROVIDER, model_sources=(LLM, EMBEDDING, RERANK, TTS))
)
_TYPES = tuple(kind for kind in _PROJECT.provider.supported_model_types if kind != "speech2text")


def form(*variables):
    fields = tuple(
        FormField(variable=name, type=FormType.TEXT_INPUT, label=I18n(name), required=False)
        for name in variables
    )
    return evolve(_PROJECT.provider.model_credential_schema, credential_form_schemas=fields)


def project(**changes):
    """Make the project that goes with :data:`SOURCES`; of its provider, what is said else."""
    values = {
        "extra": _EXTRA,
        "supported_model_types": _TYPES,
        "provider_credential_schema": None,
        "model_credential_schema": form("server_url", "timeout"),
        **changes,
    }
    provider: Provider = evolve(_PROJECT.provider, **values)
    return evolve(_PROJECT, provider=provider)


def sources_of(*names, provider_source=PROVIDER):
    """Name other modules than those of :data:`SOURCES` in the provider's YAML."""
    python = PythonSources(provider_source=provider_source, model_sources=names)
    return project(extra=ProviderExtra(python=python))


def edited(path, old, new, *more):
    """Exchange a text in one of the files, and others in others."""
    assert old in SOURCES[path]
    others = dict(zip(more[::2], more[1::2], strict=True))
    return {**SOURCES, path: SOURCES[path].replace(old, new), **others}


def above(path, text):
    return {**SOURCES, path: text + SOURCES[path]}


def under(path, text):
    return {**SOURCES, path: SOURCES[path] + text}


def written(path, text):
    return {**SOURCES, path: text}


def led(path, text, sources):
    return {**sources, path: text + sources[path]}


def requiring(*lines, **changes):
    return evolve(project(**changes), requirements=lines)


def predefined(*names):
    rules = tuple(ParameterRule(name=name, type=ParameterType.INT) for name in names)
    model = Model(
        model="m",
        model_type=ModelType.LLM,
        model_properties=ModelProperties(mode="chat", context_size=4096),
        parameter_rules=rules,
    )
    methods = (ConfigurateMethod.PREDEFINED_MODEL,)
    return evolve(project(configurate_methods=methods), models=(model,))


def twice():
    other = SOURCES[LLM].replace("AcmeLargeLanguageModel", "OtherLanguageModel")
    return {**SOURCES, "models/llm/other.py": other}


# Pieces of it, to be exchanged.

SHALLOW = "from dify_plugin import OAICompatProvider\n\n\nclass P(OAICompatProvider):\n    pass\n"
LAZY = "\n\ndef later():\n    import helper\n\n    return helper\n"
CLASS_LLM = "class AcmeLargeLanguageModel(_CommonAcme, LargeLanguageModel):\n"
INVOKE_TTS = "return response.iter_content(8192)"
ASKS = "response = self._ask(credentials, model=model, **model_parameters)\n"
GUARDED = "        try:\n            for line in response.iter_lines():\n"
TOKENS = "return sum(len(said.get_text_content()) for said in prompt_messages) // 4"
COUNT = "return [len(text) // 4 for text in texts]"
VALIDATES = "self._ask(credentials, model=model).raise_for_status()"
MAPPED = """\
        with mapping_errors():
            for line in response.iter_lines():
                yield line
"""
