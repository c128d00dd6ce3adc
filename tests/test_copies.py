"""Declared objects and credentials can be evolved, copied, compared, hashed and pickled."""

import copy
import pickle

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import provider_spec
from provider_spec import XinferenceCredentials
from xinfer.schema import ListOf, Object, in_yaml, yaml_fields
from xinfer.spec import (
    Credentials,
    FormError,
    I18n,
    Invalid,
    Model,
    ModelProperties,
    Provider,
    Secret,
    secret_input,
    text_input,
)
from xinfer.spec.project import complete
from xinfer.testing.strategies import specs
from xinfer.yaml import read_spec, to_data, to_yaml
from xinfer.yaml.json_schema import KINDS


def held_by(kind):
    """Yield a class of the YAML and those of the objects in it."""
    yield kind
    for field in yaml_fields(kind).values():
        for alternative in in_yaml(field.type):
            inner = alternative.item if isinstance(alternative, ListOf) else alternative
            if isinstance(inner, Object):
                yield from held_by(inner.kind)


WRITTEN = list(dict.fromkeys(kind for file in KINDS.values() for kind in held_by(file)))


@pytest.mark.parametrize("kind", WRITTEN)
@given(data=st.data())
def test_a_copy_is_equal_and_writes_the_same(kind, data):
    spec = data.draw(specs(kind))
    for copied in (
        attrs.evolve(spec),
        copy.copy(spec),
        copy.deepcopy(spec),
        pickle.loads(pickle.dumps(spec)),
    ):
        assert copied == spec
        assert hash(copied) == hash(spec)
        assert copied.explicit == spec.explicit
        assert to_data(copied) == to_data(spec)


def test_a_whole_project_is_copied():
    project = complete(provider_spec.project)
    for copied in (attrs.evolve(project), copy.copy(project), copy.deepcopy(project)):
        assert copied == project
        assert copied.customizable_models[0].span == project.customizable_models[0].span
        assert to_yaml(copied.provider, source="x") == to_yaml(project.provider, source="x")


def test_evolve_writes_what_was_changed_and_what_was_written_before():
    text = "model: m\nmodel_type: llm\nmodel_properties: {mode: chat}\ndeprecated: false\n"
    model = read_spec(text, Model, file="m.yaml")
    changed = attrs.evolve(model, label=I18n("M"))
    assert list(to_data(changed)) == [
        "model", "label", "model_type", "model_properties", "deprecated",
    ]  # fmt: skip
    assert changed != model
    assert attrs.evolve(changed, label=None) == model


def test_evolved_objects_are_completed_as_the_original():
    project = provider_spec.project
    evolved = attrs.evolve(project, provider=attrs.evolve(project.provider))
    assert to_data(complete(evolved).provider) == to_data(complete(project).provider)
    bare = attrs.evolve(project.provider, help=None)
    assert "help" not in to_data(bare)
    assert isinstance(bare, Provider)


def test_an_evolved_object_refuses_what_its_class_does_not_have():
    with pytest.raises(TypeError, match="contextsize"):
        attrs.evolve(ModelProperties(mode="chat"), contextsize=1)


def raw(**changes):
    return {"server_url": "http://h:9997/v1", "model_uid": "m", "api_key": "sk-1", **changes}


def test_credentials_are_copied_compared_and_pickled():
    credentials = XinferenceCredentials.from_form(raw())
    for copied in (
        attrs.evolve(credentials),
        copy.copy(credentials),
        copy.deepcopy(credentials),
        pickle.loads(pickle.dumps(credentials)),
        XinferenceCredentials.from_form(credentials.to_form()),
    ):
        assert copied == credentials
        assert hash(copied) == hash(credentials)
        assert copied.api_key.reveal() == "sk-1"
    changed = attrs.evolve(credentials, server_url="http://other:1/")
    assert changed != credentials
    assert changed.server_url == "http://other:1"
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        credentials.server_url = "http://other:1"


def test_a_refusal_can_be_pickled():
    with pytest.raises(FormError) as caught:
        XinferenceCredentials.from_form(raw(server_url="h"))
    loaded = pickle.loads(pickle.dumps(caught.value))
    assert (str(loaded), loaded.problems) == (str(caught.value), caught.value.problems)
    invalid = pickle.loads(pickle.dumps(Invalid("a", "甲", fields=("x",))))
    assert (str(invalid), invalid.message.chinese, invalid.fields) == ("a", "甲", ("x",))


class Counted(Credentials):
    """What its conversions were given, in order."""

    url: str = text_input(
        label=I18n("URL", zh_Hans="网址"), converter=lambda value: log(value) or f"{value}!"
    )
    key: Secret | None = secret_input(label=I18n("Key", zh_Hans="密钥"), default=None)
    token: Secret | None = secret_input(label=I18n("Token", zh_Hans="令牌"), default=None)

    def __attrs_post_init__(self):
        log(self)
        if self.key and self.token:
            raise Invalid("use one of them", "只能填写其中一个", fields=("key", "token"))
        if self.url == "odd!":
            raise ValueError("is odd")
        if self.url == "leak!":
            raise ValueError(f"{self.key.reveal()} is wrong")


calls: list[object] = []
log = calls.append


def test_a_form_goes_through_init_once():
    calls.clear()
    credentials = Counted.from_form({"url": "a"})
    assert calls == ["a", credentials]
    assert credentials.url == "a!"
    calls.clear()
    assert Counted(url="a") == credentials
    assert calls == ["a", credentials]


def test_a_check_across_fields_names_them():
    with pytest.raises(FormError) as caught:
        Counted.from_form({"url": "a", "key": "k", "token": "t"})
    assert str(caught.value).splitlines() == [
        "2 credential fields must be corrected:",
        "- Key (key), Token (token): use one of them",
        "有 2 个凭据字段需要更正：",
        "- 「密钥」「令牌」：只能填写其中一个",
    ]
    with pytest.raises(Invalid, match="use one of them"):
        Counted(url="a", key=Secret("k"), token=Secret("t"))


def test_a_check_across_fields_waits_until_each_is_right():
    with pytest.raises(FormError) as caught:
        Counted.from_form({"key": "k", "token": "t"})
    assert [problem.variable for problem in caught.value.problems] == ["url"]


def test_a_check_that_names_no_field_is_shown_as_it_is():
    with pytest.raises(FormError) as caught:
        Counted.from_form({"url": "odd"})
    assert str(caught.value).splitlines()[:2] == [
        "1 credential field must be corrected:",
        "- is odd",
    ]


def test_a_check_across_fields_repeats_no_secret():
    with pytest.raises(FormError) as caught:
        Counted.from_form({"url": "leak", "key": "sk-12345"})
    assert "sk-12345" not in str(caught.value)
    assert caught.value.__context__ is None
