"""A real Xinference that asks for keys: every type of model with one, and none without."""

import pytest
from representatives import ALL

import provider_spec
from live.added import HELLO, ONE_CALL, TYPES, Model
from live.conftest import LIVE, WITH_KEYS
from xinfer.cli.diagnosis import diagnose
from xinfer.spec import Secret

pytestmark = [*LIVE, ALL]
WRONG = "sk-this-was-never-a-key"


@pytest.mark.parametrize("uid", WITH_KEYS)
def test_a_key_opens_every_type(plugin, server_with_keys, uid):
    model = Model(plugin, server_with_keys, uid, api_key=server_with_keys.keys["all"])
    assert ONE_CALL[TYPES[uid]](model.validate())


@pytest.mark.parametrize("uid", WITH_KEYS)
def test_without_a_key_nothing_is_added_or_called(plugin, server_with_keys, uid):
    model = Model(plugin, server_with_keys, uid)
    assert "Enter a valid API key" in model.refused(Model.validate)
    assert model.refused(ONE_CALL[TYPES[uid]]).startswith("InvokeAuthorizationError: ")


@pytest.mark.parametrize("uid", WITH_KEYS)
def test_a_wrong_key_is_refused_and_not_shown(plugin, server_with_keys, uid):
    model = Model(plugin, server_with_keys, uid, api_key=WRONG)
    added, called = model.refused(Model.validate), model.refused(ONE_CALL[TYPES[uid]])
    assert called.startswith("InvokeAuthorizationError: ")
    for error in (added, called):
        assert "Enter a valid API key" in error
        assert WRONG not in error


def test_a_key_has_the_rights_it_was_given(plugin, server_with_keys):
    key = server_with_keys.keys["chat"]
    assert Model(plugin, server_with_keys, "chat", api_key=key).validate().chat("Hi").text == HELLO


@pytest.mark.parametrize("uid", WITH_KEYS[1:])
def test_a_key_without_right_is_refused(plugin, server_with_keys, uid):
    model = Model(plugin, server_with_keys, uid, api_key=server_with_keys.keys["chat"])
    called = model.refused(ONE_CALL[TYPES[uid]])
    assert called.startswith("InvokeAuthorizationError: ")
    assert "Give the API key the right to use this model" in called
    if TYPES[uid] != "speech2text":  # whose validation calls nothing but the description
        assert "Give the API key the right" in model.refused(Model.validate)


def examined(server, key):
    return diagnose(server.url, Secret(key) if key else None, project=provider_spec.project)


def test_doctor_opens_the_server_with_its_key(server_with_keys):
    diagnosis = examined(server_with_keys, server_with_keys.keys["all"])
    assert diagnosis.healthy, diagnosis
    assert diagnosis.dialect == "xinference"
    assert set(WITH_KEYS) <= {model.name for model in diagnosis.models}


@pytest.mark.parametrize("key", [None, WRONG])
def test_doctor_tells_a_missing_and_a_wrong_key(server_with_keys, key):
    diagnosis = examined(server_with_keys, key)
    (step,) = [step for step in diagnosis.steps if step.outcome == "failed"]
    assert "Enter a valid API key" in step.english
    assert "API 密钥" in step.chinese
    assert WRONG not in repr(diagnosis)
