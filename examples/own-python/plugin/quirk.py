"""What is odd about the service: it has its own place for parameters and its own word for text."""

from typing import Any

from provider_spec import QuirkCredentials

# The module, not the class: the SDK takes every model class that it finds by name in a module.
from xinfer.runtime.dify import llm
from xinfer.runtime.dify.call import ModelCall

_PARAMETERS = ("temperature", "max_tokens", "stop")


class QuirkModel(llm.LargeLanguageModel[QuirkCredentials]):
    def request(self, body: dict[str, Any], call: ModelCall[QuirkCredentials]) -> dict[str, Any]:
        """Send parameters in an object of their own, and the account's region."""
        options = {name: body.pop(name) for name in _PARAMETERS if name in body}
        region = call.credentials.key.reveal().partition("-")[0]
        return body | {"options": options, "region": region}

    def chunk(self, event: dict[str, Any]) -> dict[str, Any]:
        """Read text under ``say``, which the service has in place of ``content``."""
        for choice in event.get("choices") or ():
            for message in (choice.get("delta"), choice.get("message")):
                if message and "say" in message:
                    message["content"] = message.pop("say")
        return event
