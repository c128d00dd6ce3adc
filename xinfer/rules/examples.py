"""The file that an example of a rule is laid over, where the example is a text alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xinfer.spec import (
    CustomizableModel,
    Manifest,
    Meta,
    Model,
    ModelProperties,
    ParameterRule,
    Permission,
    Pricing,
    Resource,
    Runner,
    StoragePermission,
    Voice,
)

if TYPE_CHECKING:
    from xinfer.rules.rule import Rule

MANIFEST, PROVIDER, MODEL = "manifest.yaml", "provider/acme.yaml", "models/llm/acme-1.yaml"
PYTHON, SPEC, PYPROJECT = "models/llm/llm.py", "provider_spec.py", "pyproject.toml"

_OF_MANIFEST = (Manifest, Meta, Runner, Resource, Permission, StoragePermission)
_OF_MODEL = (Model, ModelProperties, ParameterRule, Pricing, Voice)
_FILES = {
    **{kind.__name__: MANIFEST for kind in _OF_MANIFEST},
    **{kind.__name__: MODEL for kind in _OF_MODEL},
    CustomizableModel.__name__: SPEC,
    "PluginCode": PYTHON,
    "Project": PYPROJECT,
    "Plugin": MODEL,
    "Review": MANIFEST,
}


def own_file(rule: Rule) -> str:
    """Return the file that holds what a rule looks at; the provider's, if no other does."""
    return _FILES.get(rule.on[0].__name__, PROVIDER)
