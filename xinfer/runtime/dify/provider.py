"""The provider: says whether its credentials work before Dify stores them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import dify_plugin
from dify_plugin.errors.model import CredentialsValidateFailedError

from xinfer.spec import Project


class ModelProvider(dify_plugin.ModelProvider):
    """The provider of a project; the plugin's own module names the project."""

    project: ClassVar[Project]

    def validate_provider_credentials(self, credentials: Mapping[str, Any]) -> None:
        """Refuse credentials that belong to no model.

        :raises CredentialsValidateFailedError: a provider of customizable models only has none.
        """
        raise CredentialsValidateFailedError(
            "This provider has no credentials of its own: add a model instead.\n"
            "此供应商没有统一的凭据：请直接添加模型。"
        )
