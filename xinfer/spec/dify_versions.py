"""The versions of Dify that a plugin needs, by what it declares."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from attrs import frozen

from xinfer.spec.models import Feature, ModelType

if TYPE_CHECKING:
    from xinfer.spec.declaration import Declaration
    from xinfer.spec.models import CustomizableModel, Model
    from xinfer.spec.project import Project

type _Users = Callable[[Project], Iterator[Declaration]]


@frozen
class DifyFeature:
    """Something that Dify has since a version.

    :param since: the first version of Dify with it.
    :param users: yields the declared objects that use it.

    Source: README of the SDK, "Meta.MinimumDifyVersion Reference".
    """

    name: str
    since: str
    users: _Users


def _models_with(feature: Feature, *model_types: ModelType) -> _Users:
    def users(project: Project) -> Iterator[Declaration]:
        models: tuple[Model | CustomizableModel, ...]
        models = (*project.models, *project.customizable_models)
        for model in models:
            is_of_type = not model_types or model.model_type in model_types
            if is_of_type and feature in model.features:
                yield model

    return users


def _with_dark_icon(project: Project) -> Iterator[Declaration]:
    if project.manifest.icon_dark:
        yield project.manifest


DIFY_FEATURES = (
    DifyFeature("structured output", "1.5.1", _models_with(Feature.STRUCTURED_OUTPUT)),
    DifyFeature("icon_dark", "1.6.0", _with_dark_icon),
    DifyFeature(
        "vision in embedding and rerank",
        "1.11.0",
        _models_with(Feature.VISION, ModelType.TEXT_EMBEDDING, ModelType.RERANK),
    ),
    DifyFeature("polling", "1.14.2", _models_with(Feature.POLLING)),
)
"""What a plugin can declare that the first Dify with plugins does not have, oldest first."""


def features_used(project: Project) -> Iterator[tuple[DifyFeature, Declaration]]:
    """Yield what a plugin uses of :data:`DIFY_FEATURES`, each with the first object that does."""
    for feature in DIFY_FEATURES:
        if (user := next(feature.users(project), None)) is not None:
            yield feature, user


def minimum_dify_version(project: Project) -> str | None:
    """Return the least version of Dify that has all that a plugin uses; ``None`` if any does."""
    versions = [feature.since for feature, _ in features_used(project)]
    return versions[-1] if versions else None
