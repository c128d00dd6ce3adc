"""The language models: Dify's calls in, the service's answers out, paid by the price list."""

from collections.abc import Generator, Mapping
from typing import Any

# Modules, not classes: the SDK takes every model class that it finds by name in here for ours.
import dify_plugin
from dify_plugin.entities.model.llm import LLMResult, LLMResultChunk, LLMResultChunkDelta, LLMUsage
from dify_plugin.entities.model.message import (
    AssistantPromptMessage,
    PromptMessage,
    PromptMessageTool,
)
from dify_plugin.errors.model import (
    CredentialsValidateFailedError,
    InvokeAuthorizationError,
    InvokeBadRequestError,
    InvokeConnectionError,
    InvokeError,
    InvokeRateLimitError,
    InvokeServerUnavailableError,
)
from models.llm import messages
from tariff_api import Service

from provider_spec import TariffCredentials
from xinfer.spec import FormError


class TariffLanguageModel(dify_plugin.LargeLanguageModel):
    def validate_credentials(self, model: str, credentials: Mapping[str, Any]) -> None:
        try:
            offered = Service(TariffCredentials.from_form(credentials)).models()
        except (FormError, InvokeError) as error:
            raise CredentialsValidateFailedError(str(error)) from error
        if model not in offered:
            raise CredentialsValidateFailedError(
                f"This account has no access to {model}, only to {', '.join(offered)}."
            )

    def _invoke(
        self,
        model: str,
        credentials: dict[str, Any],
        prompt_messages: list[PromptMessage],
        model_parameters: dict[str, Any],
        tools: list[PromptMessageTool] | None = None,
        stop: list[str] | None = None,
        stream: bool = True,
        user: str | None = None,  # noqa: ARG002 (the service is not told who asks)
    ) -> LLMResult | Generator[LLMResultChunk, None, None]:
        service = Service(TariffCredentials.from_form(credentials))
        body = {
            "model": model,
            "messages": [messages.message(said) for said in prompt_messages],
            **model_parameters,
            **({"tools": [messages.tool(offered) for offered in tools]} if tools else {}),
            **({"stop": stop} if stop else {}),
        }
        answer = self._in_pieces if stream else self._at_once
        return answer(service, model, credentials, body)

    def _at_once(
        self, service: Service, model: str, credentials: dict[str, Any], body: dict[str, Any]
    ) -> LLMResult:
        answer = service.complete(body)
        said = _choice(answer).get("message") or {}
        calls = messages.ToolCalls()
        calls.take(said.get("tool_calls"))
        return LLMResult(
            model=model,
            message=AssistantPromptMessage(
                content=said.get("content") or "", tool_calls=calls.whole()
            ),
            usage=self._usage(model, credentials, answer),
        )

    def _in_pieces(
        self, service: Service, model: str, credentials: dict[str, Any], body: dict[str, Any]
    ) -> Generator[LLMResultChunk, None, None]:
        # The SDK no longer maps errors in here; those that the service raises are Dify's already.
        calls = messages.ToolCalls()
        finish_reason: str | None = None
        usage: LLMUsage | None = None
        for piece in service.stream(body):
            choice = _choice(piece)
            said = choice.get("delta") or {}
            calls.take(said.get("tool_calls"))
            finish_reason = choice.get("finish_reason") or finish_reason
            if piece.get("usage"):
                usage = self._usage(model, credentials, piece)
            if text := said.get("content"):
                yield _chunk(model, AssistantPromptMessage(content=text))
        yield _chunk(
            model,
            AssistantPromptMessage(content="", tool_calls=calls.whole()),
            usage=usage,
            finish_reason=finish_reason or "stop",
        )

    def _usage(
        self, model: str, credentials: dict[str, Any], answer: Mapping[str, Any]
    ) -> LLMUsage:
        """Take the service's own count, which is the one it bills."""
        counted = answer.get("usage") or {}
        return self._calc_response_usage(
            model,
            credentials,
            counted.get("prompt_tokens", 0),
            counted.get("completion_tokens", 0),
        )

    def get_num_tokens(
        self,
        model: str,  # noqa: ARG002 (both models count alike)
        credentials: dict[str, Any],  # noqa: ARG002
        prompt_messages: list[PromptMessage],
        tools: list[PromptMessageTool] | None = None,
    ) -> int:
        """Estimate, before a call: a token is some four bytes of any language."""
        texts = [said.get_text_content() for said in prompt_messages]
        texts += [offered.model_dump_json() for offered in tools or ()]
        return sum(len(text.encode()) // 4 + 4 for text in texts)

    @property
    def _invoke_error_mapping(self) -> dict[type[InvokeError], list[type[Exception]]]:
        return {
            InvokeAuthorizationError: [InvokeAuthorizationError],
            InvokeBadRequestError: [InvokeBadRequestError, ValueError],
            InvokeConnectionError: [InvokeConnectionError],
            InvokeRateLimitError: [InvokeRateLimitError],
            InvokeServerUnavailableError: [InvokeServerUnavailableError],
        }


def _choice(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    return next(iter(answer.get("choices") or ()), {})


def _chunk(
    model: str,
    message: AssistantPromptMessage,
    *,
    usage: LLMUsage | None = None,
    finish_reason: str | None = None,
) -> LLMResultChunk:
    return LLMResultChunk(
        model=model,
        delta=LLMResultChunkDelta(
            index=0, message=message, usage=usage, finish_reason=finish_reason
        ),
    )
