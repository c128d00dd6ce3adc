"""The emitted plugin, called as Dify's daemon calls it, in classes like those of the SDK.

What :mod:`under_sdk` runs in this process runs here in the plugin's own: a test takes its classes
from either.
"""

import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from dify_plugin.entities.model import AIModelEntity, EmbeddingInputType
from dify_plugin.entities.model.llm import LLMResultChunk
from dify_plugin.entities.model.rerank import MultiModalRerankResult, RerankResult
from dify_plugin.entities.model.text_embedding import (
    MultiModalEmbeddingResult,
    TextEmbeddingResult,
)
from dify_plugin.errors import model as errors

from xinfer.build.preparation import prepare
from xinfer.daemon.process import CallError, PluginProcess
from xinfer.plugin.writer import write_tree
from xinfer.testing.server import FakeServer, Served

SPEC = Path(__file__).parent.parent / "provider_spec.py"


log: deque[str] = deque(maxlen=1000)
"""The last lines that the plugin wrote for its operator."""


running = ExitStack()
"""What runs until the last test."""


@cache
def plugin() -> PluginProcess:
    """Start the plugin of this repository; it ends with the tests."""
    folder = Path(running.enter_context(tempfile.TemporaryDirectory())) / "xinference"
    write_tree(prepare(SPEC).tree, folder)
    environment = {"NO_PROXY": "127.0.0.1", "XINFER_DEBUG": "1"}
    return running.enter_context(
        PluginProcess.start(folder, environment=environment, listen=log.append)
    )


_used: set[str] = set()


@contextmanager
def fresh_server(models: Iterable[Served], version: str = "4.1.0") -> Iterator[FakeServer]:
    """Run a fake server at an address that no test has used.

    The plugin remembers by the address what a server refuses.
    """
    with ExitStack() as stack:
        while (server := stack.enter_context(FakeServer(models, version=version))).url in _used:
            continue  # it keeps its port until the block ends
        _used.add(server.url)
        yield server


class _Emitted:
    model_type: str

    def __init__(self, _: object) -> None:
        pass

    def _call(
        self, action: str, model: str, credentials: dict[str, Any], **fields: Any
    ) -> Iterator[dict[str, Any]]:
        """Yield the parts of an answer.

        :raises Exception: the error of the SDK's that the plugin answers with.
        """
        asked = {"provider": "xinference", "model_type": self.model_type, "model": model}
        try:
            yield from plugin().call(action, credentials=credentials, **asked, **fields)
        except CallError as error:
            kind = getattr(errors, error.kind, None)
            if kind is None:
                raise
            raise kind(error.description or error.message) from None

    def validate_credentials(self, model: str, credentials: dict[str, Any]) -> None:
        (answer,) = self._call("validate_model_credentials", model, credentials)
        credentials.update(answer["credentials"])

    def get_customizable_model_schema(
        self, model: str, credentials: dict[str, Any]
    ) -> AIModelEntity:
        (answer,) = self._call("get_ai_model_schemas", model, credentials)
        return AIModelEntity.model_validate(answer["model_schema"])

    get_model_schema = get_customizable_model_schema


class LLM(_Emitted):
    model_type = "llm"

    def invoke(
        self,
        model,
        credentials,
        messages,
        parameters,
        tools=None,
        stop=None,
        stream=True,
        user="xinfer",
    ):
        answer = self._call(
            "invoke_llm",
            model,
            credentials,
            prompt_messages=_plain(messages),
            model_parameters=parameters,
            tools=_plain(tools or ()),
            stop=stop,
            stream=stream,
            user_id=user,
        )
        return (LLMResultChunk.model_validate(part) for part in answer)

    def get_num_tokens(self, model, credentials, messages, tools=None):
        (answer,) = self._call(
            "get_llm_num_tokens",
            model,
            credentials,
            prompt_messages=_plain(messages),
            tools=_plain(tools or ()),
        )
        return answer["num_tokens"]


class TextEmbedding(_Emitted):
    model_type = "text-embedding"

    def invoke(self, model, credentials, texts, user=None, input_type=EmbeddingInputType.DOCUMENT):
        (answer,) = self._call(
            "invoke_text_embedding", model, credentials, texts=texts, input_type=input_type.value
        )
        return TextEmbeddingResult.model_validate(answer)

    def get_num_tokens(self, model, credentials, texts):
        (answer,) = self._call("get_text_embedding_num_tokens", model, credentials, texts=texts)
        return answer["num_tokens"]

    def invoke_multimodal(self, model, credentials, documents):
        (answer,) = self._call(
            "invoke_multimodal_embedding", model, credentials, documents=_plain(documents)
        )
        return MultiModalEmbeddingResult.model_validate(answer)


class Rerank(_Emitted):
    model_type = "rerank"

    def invoke(self, model, credentials, query, docs, score_threshold=None, top_n=None):
        limits = {"score_threshold": score_threshold, "top_n": top_n}
        (answer,) = self._call(
            "invoke_rerank", model, credentials, query=query, docs=docs, **limits
        )
        return RerankResult.model_validate(answer)

    def invoke_multimodal(self, model, credentials, query, docs):
        (answer,) = self._call(
            "invoke_multimodal_rerank",
            model,
            credentials,
            query=query.model_dump(mode="json"),
            docs=_plain(docs),
            score_threshold=None,
            top_n=None,
        )
        return MultiModalRerankResult.model_validate(answer)


class Speech2Text(_Emitted):
    model_type = "speech2text"

    def invoke(self, model, credentials, file):
        (answer,) = self._call("invoke_speech2text", model, credentials, file=file.read().hex())
        return answer["result"]


class TTS(_Emitted):
    model_type = "tts"

    def invoke(self, model, tenant_id, credentials, text, voice, user=None):
        answer = self._call(
            "invoke_tts",
            model,
            credentials,
            tenant_id=tenant_id,
            content_text=text,
            voice=voice,
        )
        for part in answer:
            self.mime_type = part.get("mime_type")
            yield bytes.fromhex(part["result"])

    def get_tts_model_voices(self, model, credentials, language=None):
        (answer,) = self._call("get_tts_model_voices", model, credentials, language=language)
        return answer["voices"]


def _plain(entities) -> list[Any]:
    return [entity.model_dump(mode="json") for entity in entities]
