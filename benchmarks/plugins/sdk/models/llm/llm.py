"""A language model, by way of the SDK's OpenAI-compatible class."""

from typing import Any

import dify_plugin
from compatible import compatible


class Compatible(dify_plugin.OAICompatLargeLanguageModel):
    def _invoke(self, model: str, credentials: dict[str, Any], *args: Any, **options: Any) -> Any:
        return super()._invoke(model, compatible(credentials), *args, **options)

    def validate_credentials(self, model: str, credentials: dict[str, Any]) -> None:
        super().validate_credentials(model, compatible(credentials))

    def get_customizable_model_schema(self, model: str, credentials: dict[str, Any]) -> Any:
        return super().get_customizable_model_schema(model, compatible(credentials))

    def get_num_tokens(self, *_: Any) -> int:
        return 1

    def _get_num_tokens_by_gpt2(self, text: str) -> int:
        return len(text) // 4  # the SDK's own way downloads a vocabulary
