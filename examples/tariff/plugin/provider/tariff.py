"""The provider: says whether an account is good before Dify stores it."""

from typing import Any

import dify_plugin
from dify_plugin.errors.model import CredentialsValidateFailedError, InvokeError
from tariff_api import Service

from provider_spec import TariffCredentials
from xinfer.spec import FormError


class TariffProvider(dify_plugin.ModelProvider):
    def validate_provider_credentials(self, credentials: dict[str, Any]) -> None:
        try:
            Service(TariffCredentials.from_form(credentials)).models()
        except (FormError, InvokeError) as error:
            raise CredentialsValidateFailedError(str(error)) from error
