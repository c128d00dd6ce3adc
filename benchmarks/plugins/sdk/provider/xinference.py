"""The provider: accepts whatever is entered."""

from typing import Any

import dify_plugin


class Provider(dify_plugin.ModelProvider):
    def validate_provider_credentials(self, credentials: dict[str, Any]) -> None:
        pass
