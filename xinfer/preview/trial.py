"""A message through the plugin: built, started as Dify starts it, and answered in pieces."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import frozen

from xinfer.build.preparation import prepare
from xinfer.daemon.invocation import Invocation
from xinfer.daemon.process import CallError, PluginError, PluginProcess
from xinfer.daemon.session import RunningPlugin
from xinfer.spec import ModelType, Project, base_url
from xinfer.spec.credentials import fields
from xinfer.testing.provider import NoServerField, ProviderUnderTest, model_of, written


class TrialError(Exception):
    """The plugin did not answer; ``str`` says why."""


@frozen(kw_only=True)
class Trial:
    """One message to the first language model of a spec.

    :param credentials: what Dify's server would hand to the plugin; where they name no server, a
        fake one is started.
    :param server_url: a model server to name in the credentials.
    """

    spec: Path
    message: str
    credentials: Mapping[str, Any]
    server_url: str | None = None

    def run(self) -> Iterator[dict[str, Any]]:
        """Yield ``text`` and ``note`` events.

        :raises TrialError: the plugin does not start, or refuses the call.
        """
        try:
            with self._running() as (plugin, call, note):
                yield {"note": note}
                yield from _answer(plugin, call)
        except (CallError, PluginError, NoServerField) as error:
            raise TrialError(str(error)) from error

    @contextmanager
    def _running(self) -> Iterator[tuple[RunningPlugin, Invocation, str]]:
        project = prepare(self.spec).project
        if ModelType.LLM not in project.model_types:
            raise TrialError("The provider has no language model to talk to.")
        credentials = self._credentials(project)
        if credentials is None:
            with ProviderUnderTest.start(self.spec) as provider:
                call = provider.invocation(ModelType.LLM, self.message)
                yield provider.plugin, call, f"A fake server answers at {provider.server.url}."
            return
        name, customizable = model_of(project, ModelType.LLM)
        with written(prepare(self.spec)) as folder, PluginProcess.start(folder) as plugin:
            call = Invocation(
                provider=project.provider.provider,
                model_type=ModelType.LLM,
                model=name,
                customizable=customizable,
                credentials=credentials,
                inputs=(self.message,),
            )
            yield plugin, call, "The plugin runs."

    def _credentials(self, project: Project) -> Mapping[str, Any] | None:
        """Return what to call the plugin with; ``None`` where nothing says which server."""
        entries = fields(project.credentials)
        urls = [entry.form.variable for entry in entries if base_url in entry.sets]
        filled = {name: value for name, value in self.credentials.items() if value}
        if self.server_url and urls:
            filled[urls[0]] = self.server_url
        return filled if any(name in filled for name in urls) else None


def _answer(plugin: RunningPlugin, call: Invocation) -> Iterator[dict[str, Any]]:
    """Yield the answer's text as it comes, then tokens and the time to the first of it."""
    began = time.perf_counter()
    first: float | None = None
    usage: Mapping[str, Any] = {}
    for piece in call.run(plugin):
        delta = piece["delta"]
        if text := delta["message"]["content"]:
            first = first or time.perf_counter() - began
            yield {"text": text}
        usage = delta["usage"] or usage
    parts = [f"{usage['prompt_tokens']} + {usage['completion_tokens']} tokens"] if usage else []
    parts += [f"first text after {first * 1000:.0f} ms"] if first else []
    yield {"note": ", ".join(parts) or "The model said nothing."}
