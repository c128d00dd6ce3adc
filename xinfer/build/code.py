"""The Python modules of a plugin whose models the runtime serves: bindings, no logic."""

from __future__ import annotations

import re
from collections.abc import Iterator
from string import Template

from xinfer.spec import ModelType, Project
from xinfer.spec.project import model_source

_HEADER = (
    '"""$what. Made from provider_spec.py by xinfer; edit that file, then run xinfer build."""\n\n'
)

_MAIN = Template(
    _HEADER
    + """from dify_plugin import DifyPluginEnv, Plugin

plugin = Plugin(DifyPluginEnv(MAX_REQUEST_TIMEOUT=$timeout))

if __name__ == "__main__":
    plugin.run()
"""
)
# Modules are imported, not classes: the SDK registers every class that it finds by name.
_PROVIDER = Template(
    _HEADER
    + """from xinfer.runtime.dify import provider

import provider_spec


class $name(provider.ModelProvider):
    project = provider_spec.project
"""
)
_MODEL = Template(
    _HEADER
    + """$imports


class $name($base):
    project = provider_spec.project
"""
)

RUNTIME_CLASSES: dict[ModelType, tuple[str, str]] = {
    ModelType.LLM: ("llm", "LargeLanguageModel"),
    ModelType.TEXT_EMBEDDING: ("text_embedding", "TextEmbeddingModel"),
    ModelType.RERANK: ("rerank", "RerankModel"),
    ModelType.SPEECH2TEXT: ("speech2text", "Speech2TextModel"),
    ModelType.TTS: ("tts", "TTSModel"),
}
"""The runtime's module and class for each model type it serves."""

_REQUEST_TIMEOUT = 120


def _class_name(provider: str) -> str:
    """Turn ``my-provider`` into ``MyProvider``, and what begins with a digit into a name too."""
    name = "".join(part.capitalize() for part in re.split(r"\W|_", provider))
    return name if name.isidentifier() else f"Provider{name}"


def code_files(project: Project) -> Iterator[tuple[str, str]]:
    """Yield path and text of each module; without a runtime, ``main.py`` alone."""
    provider = project.provider.provider
    name = _class_name(provider)
    yield "main.py", _MAIN.substitute(what="Starts the plugin", timeout=_REQUEST_TIMEOUT)
    if project.runtime is None:
        return
    yield (
        f"provider/{provider}.py",
        _PROVIDER.substitute(what=f"The provider {provider}", name=f"{name}Provider"),
    )
    for kind in project.model_types:
        own = project.runtime.classes.get(kind)
        if kind not in RUNTIME_CLASSES and own is None:
            continue  # the project's own code serves it, or a check reports that nothing does
        module, base = RUNTIME_CLASSES.get(kind, ("", "Model"))
        imports = f"from xinfer.runtime.dify import {module}\n\nimport provider_spec"
        served_by = f"{module}.{base}"
        if own is not None:
            own_module, _, own_class = own.partition(":")
            imports = f"import {own_module}\nimport provider_spec"
            served_by = f"{own_module}.{own_class}"
        yield (
            model_source(kind),
            _MODEL.substitute(
                what=f"Models of type {kind}", imports=imports, base=served_by, name=name + base
            ),
        )
