"""The least version of Dify: what the build writes, a spec overrides and import preserves."""

from datetime import UTC, datetime

import pytest
from importer.small import SMALL, imported, write_files

from xinfer.build.load import load_spec
from xinfer.importer import write_spec
from xinfer.spec import (
    CustomizableModel,
    Feature,
    I18n,
    Manifest,
    Meta,
    Model,
    ModelProperties,
    ModelType,
    Project,
    ability,
)
from xinfer.spec.dify_versions import features_used, minimum_dify_version
from xinfer.spec.project import complete


def project(*models, customizable=(), **manifest):
    return Project(
        manifest=Manifest(
            version="0.0.1",
            author="acme",
            name="acme",
            label=I18n("Acme"),
            description=I18n("Models."),
            icon="icon.svg",
            created_at=datetime(2026, 1, 31, tzinfo=UTC),
            **manifest,
        ),
        models=models,
        customizable_models=customizable,
    )


def model(model_type, *features):
    properties = ModelProperties(mode="chat", context_size=8192)
    return Model(model="m", model_type=model_type, model_properties=properties, features=features)


STRUCTURED = model(ModelType.LLM, Feature.TOOL_CALL, Feature.STRUCTURED_OUTPUT)
SEES = model(ModelType.TEXT_EMBEDDING, Feature.VISION)
POLLS = model(ModelType.LLM, Feature.POLLING)


@pytest.mark.parametrize(
    ("declared", "least", "names"),
    [
        (project(model(ModelType.LLM, Feature.VISION, Feature.TOOL_CALL)), None, []),
        (project(STRUCTURED), "1.5.1", ["structured output"]),
        (project(STRUCTURED, icon_dark="d.svg"), "1.6.0", ["structured output", "icon_dark"]),
        (project(SEES, STRUCTURED), "1.11.0", ["structured output", "vision in embedding"]),
        (project(model(ModelType.RERANK, Feature.VISION)), "1.11.0", ["vision in embedding"]),
        (project(POLLS, SEES), "1.14.2", ["vision in embedding", "polling"]),
        (
            project(
                customizable=(
                    CustomizableModel(
                        model_type=ModelType.LLM,
                        features={Feature.STRUCTURED_OUTPUT: ability("chat")},
                    ),
                )
            ),
            "1.5.1",
            ["structured output"],
        ),
    ],
)
def test_the_newest_feature_decides(declared, least, names):
    assert minimum_dify_version(declared) == least
    used = [feature.name for feature, _ in features_used(declared)]
    assert [name.removesuffix(" and rerank") for name in used] == names
    assert complete(declared).manifest.meta.minimum_dify_version == least
    assert complete(complete(declared)) == complete(declared)


@pytest.mark.parametrize("version", ["1.4.0", "1.15.0", None])
def test_what_the_spec_says_is_written(version):
    declared = project(STRUCTURED, meta=Meta(minimum_dify_version=version))
    assert complete(declared).manifest.meta.minimum_dify_version == version


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("", None),
        ("  minimum_dify_version:\n", None),
        ("  minimum_dify_version: 1.5.1\n", "1.5.1"),
        ("  minimum_dify_version: 1.0.0\n", "1.0.0"),
    ],
)
def test_an_imported_plugin_names_the_version_that_it_named(tmp_path, line, version):
    files = dict(SMALL)
    for path, old, new in (
        ("manifest.yaml", "meta:\n", f"meta:\n{line}"),
        ("models/llm/first.yaml", "features: [vision]", "features: [structured-output]"),
    ):
        assert files[path].count(old) == 1
        files[path] = files[path].replace(old, new)
    spec = write_spec(imported(write_files(tmp_path / "acme", files)), tmp_path / "out")
    written = load_spec(spec).project
    assert minimum_dify_version(written) == "1.5.1"
    assert complete(written).manifest.meta.minimum_dify_version == version
