"""What must hold of any provider whatever, drawn by Hypothesis."""

import logging
import traceback
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from dify_plugin.entities.model import AIModelEntity
from dify_plugin.entities.model.provider import ModelProviderConfiguration
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from representatives import examples
from sdk import Oracle

import provider_spec
from xinfer.build.emit import emit
from xinfer.build.sources import runtime_files
from xinfer.plugin.writer import write_tree
from xinfer.spec import (
    Credentials,
    FormError,
    FormType,
    I18n,
    Manifest,
    Model,
    Provider,
    provider_form,
    text_input,
)
from xinfer.spec.credentials import fields
from xinfer.spec.declaration import evolve
from xinfer.spec.project import complete
from xinfer.testing import (
    broken_credentials,
    credentials_classes,
    projects,
    raw_credentials,
    specs,
    texts,
)
from xinfer.testing.strategies.projects import ICON
from xinfer.yaml import read_spec, to_data, to_yaml

# The drawn project has no source; what the modules look up in it when they are loaded is here.
SPEC = b"""from types import SimpleNamespace
project = SimpleNamespace(credentials=None, customizable_model=str)
"""
CERTIFICATE = (Path(__file__).parent / "data/ca.pem").read_text()
slow = settings(max_examples=examples(25), deadline=None, suppress_health_check=list(HealthCheck))


def files_of(project):
    carried = {f"_assets/{ICON}": b"<svg xmlns='http://www.w3.org/2000/svg'/>"}
    modules = {"provider_spec.py": SPEC}
    return emit(project, modules=modules, carried=carried, runtime=runtime_files(project, {}))


@pytest.mark.parametrize("kind", [Manifest, Provider, Model])
@given(data=st.data())
@settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_any_spec_reads_back_equal_and_every_yaml_reader_sees_the_same(kind, data):
    declared = data.draw(specs(kind))
    text = to_yaml(declared, source="provider_spec.py")
    assert read_spec(text, kind, file="it.yaml") == declared
    assert yaml.safe_load(text) == to_data(declared)


def agree(declared, loaded):
    """Everything declared is in what the SDK read, value for value."""
    if isinstance(declared, dict):
        for key, value in declared.items():
            assert key in loaded, key
            agree(value, loaded[key])
    elif isinstance(declared, list):
        assert len(declared) == len(loaded)
        for declared_item, loaded_item in zip(declared, loaded, strict=True):
            agree(declared_item, loaded_item)
    elif isinstance(loaded, str) and not isinstance(declared, str):
        assert Decimal(str(declared)) == Decimal(loaded)
    elif isinstance(declared, str) and declared != loaded:
        assert Decimal(declared) == Decimal(str(loaded))
    else:
        assert declared == loaded


@given(project=projects())
@slow
def test_the_sdk_reads_the_provider_and_the_models_as_they_are_declared(project):
    provider = yaml.safe_load(to_yaml(complete(project).provider, source="s.py"))
    provider.pop("models", None)  # the SDK puts the models themselves in place of their globs
    loaded = ModelProviderConfiguration(**provider).model_dump(mode="json", by_alias=True)
    agree(provider, loaded)
    for model in project.models:
        data = yaml.safe_load(to_yaml(model, source="s.py"))
        entity = AIModelEntity(**{**data, "fetch_from": "predefined-model"})
        agree(data, entity.model_dump(mode="json", by_alias=True))


@given(credentials=credentials_classes(), data=st.data())
@slow
def test_valid_credentials_are_accepted_and_survive_being_stored(credentials, data):
    filled_in = credentials.from_form(data.draw(raw_credentials(credentials)))
    assert credentials.from_form(filled_in.to_form()) == filled_in


@given(credentials=credentials_classes(), data=st.data())
@slow
def test_a_wrong_field_is_named_and_no_other(credentials, data):
    broken = data.draw(broken_credentials(credentials))
    with pytest.raises(FormError) as caught:
        credentials.from_form(broken.raw)
    assert [problem.variable for problem in caught.value.problems] == [broken.variable]


@given(data=st.data())
@slow
def test_the_same_holds_of_our_own_credentials(data):
    declared = provider_spec.XinferenceCredentials
    certificate = st.sampled_from([CERTIFICATE, CERTIFICATE.replace("\n", " "), CERTIFICATE * 2])
    filled_in = declared.from_form(data.draw(raw_credentials(declared, ca_certificate=certificate)))
    assert declared.from_form(filled_in.to_form()) == filled_in
    assert filled_in.ca_certificate in (None, CERTIFICATE, CERTIFICATE * 2)
    broken = data.draw(broken_credentials(declared, ca_certificate=certificate))
    with pytest.raises(FormError) as caught:
        declared.from_form(broken.raw)
    assert broken.variable in [problem.variable for problem in caught.value.problems]


SECRET = "sk-verysecretindeed"


@given(credentials=credentials_classes(), data=st.data())
@slow
def test_a_secret_is_never_shown(credentials, data):
    secrets = [f.form.variable for f in fields(credentials) if f.form.type is FormType.SECRET_INPUT]
    raw = data.draw(raw_credentials(credentials)) | dict.fromkeys(secrets, SECRET)
    filled_in = credentials.from_form(raw)
    record = logging.LogRecord("x", 0, "x", 0, "%s %r", (filled_in, filled_in), None)
    texts = [
        repr(filled_in),
        str(filled_in),
        f"{filled_in}",
        record.getMessage(),
        f"{vars(filled_in)}",
    ]
    broken = data.draw(broken_credentials(credentials)).raw | dict.fromkeys(secrets, f"{SECRET}\n")
    try:
        credentials.from_form({**broken, "of_another": []})
    except FormError as error:
        report = traceback.TracebackException.from_exception(error, capture_locals=True)
        ours = [frame for frame in report.stack if "test_properties" not in frame.filename]
        report.stack = traceback.StackSummary.from_list(ours)
        texts += [str(error), repr(error), "".join(report.format())]
    assert not [text for text in texts if SECRET in text]


@given(label=texts(), default=texts())
@slow
def test_no_text_whatever_in_a_label_or_default_breaks_the_yaml(label, default):
    class Drawn(Credentials):
        field: str = text_input(label=I18n(label), default=default)

    provider = evolve(
        provider_spec.project.provider, provider_credential_schema=provider_form(Drawn)
    )
    (field,) = yaml.safe_load(to_yaml(provider, source="s.py"))["provider_credential_schema"][
        "credential_form_schemas"
    ]
    assert (field["label"]["en_US"], field["default"]) == (label, default)


@given(project=projects())
@slow
def test_building_twice_gives_the_same_bytes(project):
    assert files_of(project) == files_of(project)


def test_every_drawn_provider_loads_in_the_sdk(tmp_path):
    with Oracle.start() as oracle:

        @given(project=projects())
        @settings(max_examples=examples(30), deadline=None, suppress_health_check=list(HealthCheck))
        def loads(project):
            folder = tmp_path / "plugin"
            write_tree(files_of(project), folder)
            loaded = oracle.load(folder)
            assert "error" not in loaded, loaded
            assert loaded["provider"]["provider"] == project.provider.provider
            assert sorted(model["model"] for model in loaded["provider"]["models"]) == sorted(
                model.model for model in project.models
            )

        loads()
