"""A provider without its service: the plugin runs as Dify runs it, a fake server answers it.

.. code-block:: python

    with ProviderUnderTest.start(Path("provider_spec.py")) as provider:
        call = provider.invocation(ModelType.LLM, "Hello")
        for piece in call.run(provider.plugin):
            ...
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from attrs import NOTHING, frozen

from xinfer.build.preparation import Prepared, prepare
from xinfer.daemon.invocation import Invocation
from xinfer.daemon.process import PluginProcess
from xinfer.plugin.writer import write_tree
from xinfer.spec import (
    Feature,
    FormType,
    Model,
    ModelType,
    Project,
    Xinference,
    api_key,
    base_url,
    max_retries,
    model,
)
from xinfer.spec.credential_field import CredentialField
from xinfer.spec.credentials import fields
from xinfer.spec.targets import Target
from xinfer.testing.server import MODELS, FakeServer, Served, silence


class NoServerField(Exception):
    """No field holds the server's URL, so the fake server cannot replace it."""


@frozen(kw_only=True)
class ProviderUnderTest:
    """A running plugin and the fake server that it talks to.

    :param folder: the plugin's files, as they are packed.
    :param log: what the plugin logged, printed or wrote to stderr.
    """

    prepared: Prepared
    plugin: PluginProcess
    server: FakeServer
    folder: Path
    log: list[str]

    @classmethod
    @contextmanager
    def start(cls, spec: Path, *, key: str | None = None) -> Iterator[Self]:
        """Build the plugin in a folder of its own, start it and the server, and stop both.

        :param key: an API key that the server demands.
        :raises PluginError: the plugin does not start.
        """
        prepared = prepare(spec)
        log: list[str] = []
        with (
            FakeServer(served_models(prepared.project), key=key) as server,
            written(prepared, server=server) as folder,
            PluginProcess.start(folder, listen=log.append) as plugin,
        ):
            yield cls(prepared=prepared, plugin=plugin, server=server, folder=folder, log=log)

    @property
    def project(self) -> Project:
        """What the spec declares."""
        return self.prepared.project

    def credentials(self, model_type: ModelType, key: str | None = None) -> dict[str, str]:
        """Return what a user would enter to use the fake server, see :func:`credentials_for`."""
        return credentials_for(self.project, self.server.url, model_type, key=key)

    def invocation(self, model_type: ModelType, *inputs: str, **options: Any) -> Invocation:
        """Make a call of the first model of a type, with inputs that suit it.

        :param options: of the :class:`~xinfer.daemon.invocation.Invocation`, to replace others.
        """
        name, customizable = model_of(self.project, model_type)
        return Invocation(
            **{
                "provider": self.project.provider.provider,
                "model_type": model_type,
                "model": name,
                "customizable": customizable,
                "credentials": self.credentials(model_type),
                "inputs": inputs or self.inputs(model_type),
                **options,
            }
        )

    def inputs(self, model_type: ModelType) -> tuple[str, ...]:
        """Return inputs that a model of a type takes."""
        if model_type is ModelType.SPEECH2TEXT:
            recording = self.folder.parent / "recording.wav"
            recording.write_bytes(silence.wav(0.5))
            return (str(recording),)
        return _INPUTS[model_type]


_INPUTS: Mapping[ModelType, tuple[str, ...]] = {
    ModelType.LLM: ("count to 5",),
    ModelType.TEXT_EMBEDDING: ("a cat", "a dog"),
    ModelType.RERANK: ("a cat", "a dog", "a cat"),
    ModelType.TTS: ("Hello.",),
    ModelType.MODERATION: ("Hello.",),
}

FAKE_MODELS: Mapping[ModelType, str] = {
    ModelType.LLM: "chat",
    ModelType.TEXT_EMBEDDING: "embed",
    ModelType.RERANK: "rerank",
    ModelType.SPEECH2TEXT: "whisper",
    ModelType.TTS: "kokoro",
}
"""The fake server's model for each type that users add by hand."""


def model_of(project: Project, model_type: ModelType) -> tuple[str, bool]:
    """Choose a model of a type: its name, and whether it is a customizable one."""
    for declared in project.models:
        if declared.model_type is model_type:
            return declared.model, False
    return FAKE_MODELS.get(model_type, "model"), True


@contextmanager
def written(prepared: Prepared, *, server: FakeServer | None = None) -> Iterator[Path]:
    """Write the plugin into a temporary folder.

    :param server: takes the place of a base URL that the spec itself names.
    """
    tree = dict(prepared.tree)
    runtime = prepared.project.runtime
    if server and runtime and runtime.base_url and not _field_for(prepared.project, base_url):
        url = _base_url(prepared.project, server.url)
        tree["provider_spec.py"] += _REDIRECTED.format(url=url).encode()
    with tempfile.TemporaryDirectory(prefix="xinfer-") as folder:
        plugin = Path(folder) / prepared.name
        write_tree(tree, plugin)
        yield plugin


_REDIRECTED = """

import attrs

project = attrs.evolve(project, runtime=attrs.evolve(project.runtime, base_url={url!r}))
"""


def credentials_for(
    project: Project, server: str, model_type: ModelType, *, key: str | None = None
) -> dict[str, str]:
    """Return what a user would enter to use a server: the required fields, and its URL.

    :param server: the URL of a fake server.
    :param key: for the field that sets the API key.
    :raises NoServerField: neither a field nor the runtime says where the server is.
    """
    fixed = project.runtime is not None and project.runtime.base_url
    if not fixed and not _field_for(project, base_url):
        raise NoServerField(
            "No credentials field holds the server's URL: declare it with sets=base_url."
        )
    values: dict[Target, str | None] = {
        base_url: _base_url(project, server),
        model: model_of(project, model_type)[0],
        api_key: key,
        max_retries: "0",
    }
    form = {}
    for declared in fields(project.credentials):
        if declared.asked_by_dify or not declared.is_for(model_type):
            continue
        value = next((values[to] for to in declared.sets if to in values), None)
        if value is None and declared.default is NOTHING:
            value = _sample(declared)
        if value is not None:
            form[declared.form.variable] = value
    return form


def served_models(project: Project) -> tuple[Served, ...]:
    """Return the models for a fake server to serve: those that are declared, and the usual."""
    served = (_served(model) for model in project.models if model.model_type in _TYPES)
    return (*MODELS, *served)


def _served(declared: Model) -> Served:
    kind, abilities = _TYPES[declared.model_type]
    features = {_ABILITIES[feature] for feature in declared.features if feature in _ABILITIES}
    size = declared.model_properties.context_size
    return Served(
        uid=declared.model,
        model_type=kind,
        abilities=(*abilities, *sorted(features)),
        limits={"context_length": size} if size and kind == "LLM" else {},
    )


_TYPES: Mapping[ModelType, tuple[str, tuple[str, ...]]] = {
    ModelType.LLM: ("LLM", ("chat",)),
    ModelType.TEXT_EMBEDDING: ("embedding", ("embed",)),
    ModelType.RERANK: ("rerank", ("rerank",)),
    ModelType.SPEECH2TEXT: ("audio", ("audio2text",)),
    ModelType.TTS: ("audio", ("text2audio", "text2audio_zero_shot")),
}
_ABILITIES = {
    Feature.TOOL_CALL: "tools",
    Feature.VISION: "vision",
    Feature.AUDIO: "audio",
}


def _field_for(project: Project, target: Target) -> CredentialField | None:
    return next((field for field in fields(project.credentials) if target in field.sets), None)


def _base_url(project: Project, server: str) -> str:
    return server if isinstance(project.runtime, Xinference) else f"{server}/v1"


def _sample(declared: CredentialField) -> str:
    """Find a text that a required field takes."""
    options = [option.value for option in declared.form.options]
    secret = declared.form.type is FormType.SECRET_INPUT
    for text in (*options, *(["sk-example"] if secret else []), *_SAMPLES):
        try:
            declared.read(text)
        except ValueError:
            continue
        return text
    raise ValueError(
        f"No sample is accepted by the field {declared.form.variable}: enter its value."
    )


_SAMPLES = ("example", "1", "true", "https://example.com")
