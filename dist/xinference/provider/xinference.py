"""The provider xinference. Made from provider_spec.py by xinfer; edit that file, then run xinfer build."""

from xinfer.runtime.dify import provider

import provider_spec


class XinferenceProvider(provider.ModelProvider):
    project = provider_spec.project
