"""Dify's own entities read what a build emits and what the runtime answers."""

from pathlib import Path

import pytest
from every_type import EVERY_TYPE, recording
from graphon.model_runtime.entities.llm_entities import LLMResultChunk
from graphon.model_runtime.entities.model_entities import AIModelEntity
from graphon.model_runtime.entities.model_entities import ModelType as TheirModelType
from graphon.model_runtime.entities.provider_entities import ModelCredentialSchema, ProviderEntity
from graphon.model_runtime.entities.rerank_entities import RerankResult
from graphon.model_runtime.entities.text_embedding_entities import EmbeddingResult
from graphon.model_runtime.schema_validators.model_credential_schema_validator import (
    ModelCredentialSchemaValidator,
)
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from representatives import examples

from xinfer.build.load import load_spec
from xinfer.daemon.invocation import Invocation
from xinfer.daemon.process import PluginProcess
from xinfer.rules.parameters import TEMPLATES
from xinfer.spec import FormError, FormType, ModelType, Template
from xinfer.spec.credentials import fields, model_form
from xinfer.spec.project import complete
from xinfer.testing import raw_credentials
from xinfer.testing.server import FakeServer
from xinfer.testing.strategies import credentials_classes, projects
from xinfer.yaml import to_data

ROOT = Path(__file__).parent.parent
SPECS = [ROOT / "provider_spec.py", *sorted(ROOT.glob("examples/*/provider_spec.py"))]


def read_as_dify(project):
    """Read provider and models as Dify's API does, once the daemon has put them together."""
    project = complete(project)
    declared = to_data(project.provider)
    for key in ("models", "extra", "position"):
        declared.pop(key, None)
    models = [filled_in(to_data(model)) for model in project.models]
    return ProviderEntity.model_validate({**declared, "models": models})


def filled_in(model):
    """Add what the daemon adds before Dify's API reads a model: defaults, and its templates."""
    model.setdefault("label", {"en_US": model["model"]})
    model.setdefault("fetch_from", "predefined-model")
    for rule in model.get("parameter_rules", ()):
        rule.setdefault("label", {"en_US": rule["name"]})
        if "use_template" in rule:
            rule.setdefault("type", TEMPLATES[Template(rule["use_template"])][0].value)
    return model


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.parent.name)
def test_dify_reads_what_a_spec_declares(spec):
    project = complete(load_spec(spec).project)
    entity = read_as_dify(project)
    assert [model.model for model in entity.models] == [model.model for model in project.models]
    schema = project.provider.model_credential_schema
    if schema is not None:
        variables = [entry.variable for entry in schema.credential_form_schemas]
        read = entity.model_credential_schema.credential_form_schemas
        assert [entry.variable for entry in read] == variables


@settings(max_examples=examples(30), deadline=None, suppress_health_check=list(HealthCheck))
@given(project=projects())
def test_dify_reads_any_provider(project):
    entity = read_as_dify(project)
    assert entity.label.en_us == project.provider.label.en_US
    for theirs, ours in zip(entity.models, project.models, strict=True):
        assert theirs.model == ours.model
        rules = [rule.name for rule in ours.parameter_rules]
        assert [rule.name for rule in theirs.parameter_rules] == rules


@pytest.fixture(scope="module")
def answers(xinference_folder, tmp_path_factory):
    """Call a model of each type through the plugin; return schemas and answers by type."""
    results = {}
    with FakeServer() as server, PluginProcess.start(xinference_folder) as plugin:
        for kind, (uid, inputs, _) in EVERY_TYPE.items():
            call = Invocation(
                provider="xinference",
                model_type=kind,
                model="mine",
                credentials={"server_url": server.url, "model_uid": uid},
                inputs=inputs or (recording(tmp_path_factory.mktemp("audio")),),
            ).validated(plugin)
            results[kind] = call.schema(plugin), list(call.call(plugin))
    return results


@pytest.mark.parametrize("kind", EVERY_TYPE, ids=str)
def test_dify_reads_every_schema_of_the_runtime(answers, kind):
    schema, _ = answers[kind]
    entity = AIModelEntity.model_validate(schema)
    assert entity.model == "mine"
    assert entity.model_type == TheirModelType(kind.value)
    if kind is ModelType.LLM:
        assert entity.model_properties["context_size"] == 4096
        assert entity.parameter_rules


def test_dify_reads_every_answer_of_the_runtime(answers):
    chunks = [LLMResultChunk.model_validate(piece) for piece in answers[ModelType.LLM][1]]
    assert "".join(str(chunk.delta.message.content) for chunk in chunks) == "1 2 3 4 5"
    assert chunks[-1].delta.usage.completion_tokens > 0
    (vectors,) = answers[ModelType.TEXT_EMBEDDING][1]
    assert len(EmbeddingResult.model_validate(vectors).embeddings) == 2
    (ranking,) = answers[ModelType.RERANK][1]
    assert len(RerankResult.model_validate(ranking).docs) == 2


def stored(credentials, raw):
    """Return what Dify stores of what a user entered, or raise what its server answers."""
    schema = ModelCredentialSchema.model_validate(to_data(model_form(credentials)))
    validator = ModelCredentialSchemaValidator(TheirModelType.LLM, schema)
    return validator.validate_and_filter(dict(raw))


@settings(max_examples=examples(100), deadline=None, suppress_health_check=list(HealthCheck))
@given(credentials=credentials_classes(), data=st.data())
def test_what_dify_stores_reads_like_what_was_entered(credentials, data):
    raw = data.draw(raw_credentials(credentials))
    # Dify hides a field whose parent was not sent, though the parent's default would show it.
    parents = {c.variable for entry in fields(credentials) for c in entry.form.show_on}
    assume(parents <= {*raw, "__model_type"})
    # A switch of Dify's own keeps true values only, which rule XI327 finds.
    assume(all(entry.form.type is not FormType.SWITCH for entry in fields(credentials)))
    sent = {**raw, "__model_type": "llm"}
    assert credentials.from_form(stored(credentials, raw)) == credentials.from_form(sent)


@settings(max_examples=examples(100), deadline=None, suppress_health_check=list(HealthCheck))
@given(credentials=credentials_classes(), data=st.data())
def test_what_dify_refuses_the_class_refuses(credentials, data):
    raw = dict(data.draw(raw_credentials(credentials)))
    # A switch of Dify's own takes true and false alone; the class reads 1, 0, yes and no as well.
    assume(raw and all(e.form.type is not FormType.SWITCH for e in fields(credentials)))
    variable = data.draw(st.sampled_from(sorted(raw)))
    entry = next((e for e in fields(credentials) if e.form.variable == variable), None)
    assume(entry is not None and not entry.form.show_on)
    raw[variable] = data.draw(st.sampled_from(["", "no such option", "x" * 3000]))
    try:
        stored(credentials, raw)
    except (ValueError, TypeError):
        with pytest.raises(FormError):
            credentials.from_form({**raw, "__model_type": "llm"})
