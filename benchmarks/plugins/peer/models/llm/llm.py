"""A language model, by way of ``openai``."""

from collections.abc import Iterator
from typing import Any

import dify_plugin
import model_server
from dify_plugin.entities import I18nObject
from dify_plugin.entities.model import ModelType, ParameterRule, ParameterType
from dify_plugin.entities.model.llm import LLMResult, LLMResultChunk, LLMResultChunkDelta
from dify_plugin.entities.model.message import AssistantPromptMessage


class Peer(model_server.Asking, dify_plugin.LargeLanguageModel):
    kind = ModelType.LLM
    rules = (
        ParameterRule(name="max_tokens", type=ParameterType.INT, label=I18nObject(en_us="Most")),
        ParameterRule(
            name="temperature", type=ParameterType.FLOAT, label=I18nObject(en_us="Temperature")
        ),
    )

    def properties(self, description: Any) -> dict[str, Any]:
        return {"mode": "chat", "context_size": description.get("context_length", 2048)}

    def _invoke(
        self,
        model: str,
        credentials: dict[str, Any],
        prompt_messages: list[Any],
        model_parameters: dict[str, Any],
        tools: list[Any] | None = None,
        stop: list[str] | None = None,
        stream: bool = True,
        user: str | None = None,
    ) -> Any:
        client = model_server.talker(credentials)
        model_server.handle(credentials)  # which says whether it chats
        answer = client.chat.completions.create(
            model=credentials["model_uid"],
            messages=[
                {"role": message.role.value, "content": message.content}
                for message in prompt_messages
            ],
            stream=stream,
            **model_parameters,
        )
        if stream:
            return self._pieces(model, credentials, answer)
        usage = self._calc_response_usage(
            model, credentials, answer.usage.prompt_tokens, answer.usage.completion_tokens
        )
        message = AssistantPromptMessage(content=answer.choices[0].message.content or "")
        return LLMResult(model=model, message=message, usage=usage)

    def _pieces(self, model: str, credentials: dict[str, Any], answer: Any) -> Iterator[Any]:
        for piece in answer:
            if not piece.choices:
                continue
            choice = piece.choices[0]
            usage = None
            if piece.usage:
                usage = self._calc_response_usage(
                    model, credentials, piece.usage.prompt_tokens, piece.usage.completion_tokens
                )
            yield LLMResultChunk(
                model=model,
                delta=LLMResultChunkDelta(
                    index=0,
                    message=AssistantPromptMessage(content=choice.delta.content or ""),
                    usage=usage,
                    finish_reason=choice.finish_reason,
                ),
            )

    def get_num_tokens(self, *_: Any) -> int:
        return 1
