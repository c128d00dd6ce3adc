"""The provider xinference. Made from provider_spec.py by xinfer; edit that file, then run xinfer build."""

import dify_plugin


class XinferenceProvider(dify_plugin.ModelProvider):
    def validate_provider_credentials(self, credentials: dict) -> None:
        # Every model brings its own credentials, and is checked with them when it is added.
        pass
