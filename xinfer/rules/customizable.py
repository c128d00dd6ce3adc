"""Rules of customizable models: what is declared of the models that users add by hand."""

from __future__ import annotations

from collections.abc import Iterator

from xinfer.plugin.plugin import Plugin
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.models import PROPERTIES
from xinfer.rules.rule import Problem, rule
from xinfer.rules.values import did_you_mean
from xinfer.schema import dotted, expressions
from xinfer.spec import Condition, CustomizableModel, Feature, ModelType, Project
from xinfer.spec.conditions import LIMITS, Limit, Setting
from xinfer.spec.credentials import fields

_RESOLVE = "xinfer.spec.CustomizableModel.resolve"


def _custom(arguments: str) -> dict[str, str]:
    """Declare customizable models with these arguments, which the runtime resolves."""
    model = f"CustomizableModel(model_type=ModelType.LLM, {arguments})"
    return _declared(f"customizable_models = ({model},)")


def _declared(line: str) -> dict[str, str]:
    runtime = 'runtime = OpenAICompatible(base_url="https://acme.example/v1")'
    return {"provider_spec.py": f"{line}\n{runtime}\n"}


_MODELS = (
    "customizable_models = (CustomizableModel(model_type={}), CustomizableModel(model_type={}))"
)


@rule(
    "XI450",
    Severity.REFUSED,
    Stage.BUILD,
    source=f"{_RESOLVE}; sdk entities/model/schema.py: ModelPropertyKey",
    bad=(_custom('properties={"contextsize": «4096»}'),),
    good=(_custom('properties={"context_size": 4096}'),),
    fix="Use the fields of ModelProperties.",
)
def unknown_property(model: CustomizableModel, _: Plugin) -> Iterator[Problem]:
    """A customizable model has a property that the SDK does not know."""
    for name in model.properties:
        if name not in PROPERTIES:
            near = did_you_mean(name, PROPERTIES) or f"; the properties are {', '.join(PROPERTIES)}"
            yield Problem(f"{name} is not a property of a model{near}", at=f"properties.{name}")


@rule(
    "XI451",
    Severity.REFUSED,
    Stage.BUILD,
    source=_RESOLVE,
    bad=(
        _custom("features=«{Feature.VISION: True}»"),
        _custom('features=«{"visoin": ability("vision")}»'),
    ),
    good=(_custom('features={Feature.VISION: ability("vision")}'),),
    fix='Write a condition, e.g. Feature.VISION: ability("vision").',
)
def feature_without_condition(model: CustomizableModel, _: Plugin) -> Iterator[Problem]:
    """A feature of a customizable model has no condition under which a model has it."""
    for feature, condition in model.features.items():
        if not isinstance(feature, Feature):
            near = (
                did_you_mean(str(feature), list(Feature))
                or f"; the features are {', '.join(Feature)}"
            )
            yield Problem(f"{feature!r} is not a Feature{near}", at="features")
        elif not isinstance(condition, Condition):
            message = f"the feature {feature} has {condition!r}, not a condition"
            yield Problem(message, at="features")


@rule(
    "XI452",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="xinfer.spec.Project.customizable_model",
    bad=(_declared(_MODELS.format("ModelType.LLM", "«ModelType.LLM»")),),
    good=(_declared(_MODELS.format("ModelType.LLM", "ModelType.MODERATION")),),
    fix="Put what differs into conditions of one declaration.",
)
def duplicate_custom_type(project: Project, _: Plugin) -> Iterator[Problem]:
    """Two declarations are for customizable models of the same type, and the first is used."""
    first: dict[ModelType, CustomizableModel] = {}
    for index, model in enumerate(project.customizable_models):
        if other := first.get(model.model_type):
            at = f"customizable_models[{index}].model_type"
            related = (other.span,) if other.span else ()
            message = f"another declaration is for {model.model_type}, too"
            yield Problem(message, at=at, of=model, related=related)
        first.setdefault(model.model_type, model)


@rule(
    "XI453",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=_RESOLVE,
    bad=(_custom('properties={"context_size": «setting("size")»}'),),
    good=(_custom('properties={"context_size": setting("api_key")}'),),
    fix="Use the name of a credentials field.",
)
def unknown_setting(project: Project, _: Plugin) -> Iterator[Problem]:
    """An expression reads a setting that the credentials do not have, so it never has a value."""
    names = [field.name for field in fields(project.credentials)]
    for path, _owner, expression in expressions(project):
        if isinstance(expression, Setting) and expression.name not in names:
            near = did_you_mean(expression.name, names)
            message = f"the credentials have no field {expression.name}{near}"
            yield Problem(message, at=dotted(path))


@rule(
    "XI454",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=_RESOLVE,
    bad=(_custom('properties={"context_size": «limit("context")»}'),),
    good=(_custom('properties={"context_size": limit("context_length")}'),),
    fix=f"Use {', '.join(LIMITS)}.",
)
def unknown_limit(project: Project, _: Plugin) -> Iterator[Problem]:
    """An expression reads a limit that no server reports, so it never has a value."""
    for path, _owner, expression in expressions(project):
        if isinstance(expression, Limit) and expression.name not in LIMITS:
            near = did_you_mean(expression.name, LIMITS)
            message = f"no server reports the limit {expression.name}{near}"
            yield Problem(message, at=dotted(path))


RULES = (
    unknown_property,
    feature_without_condition,
    duplicate_custom_type,
    unknown_setting,
    unknown_limit,
)
