"""The emitted plugin calls in for remote debugging: TCP, with the daemon's side played here."""

import copy

import pytest
import yaml
from daemon_rules import broken
from every_type import EVERY_TYPE, check, check_calls_at_once, check_stream, llm_call, text_of
from peers.remote import Declared, RemotePlugin

from xinfer.daemon.session import CallError, PluginError
from xinfer.testing.server import FakeServer

KEY = "1b4e28ba-2fa1-41d2-883f-0016d3cca427"


@pytest.fixture(scope="module")
def plugin(xinference_folder):
    with RemotePlugin.start(
        xinference_folder, key=KEY, environment={"NO_PROXY": "127.0.0.1"}
    ) as running:
        yield running


@pytest.fixture
def server():
    with FakeServer() as running:
        yield running


def test_it_shows_its_key_and_declares_itself(plugin):
    declared = plugin.declared
    assert declared.key == KEY
    assert declared.manifest["name"] == "xinference"
    assert [provider["provider"] for provider in declared.providers] == ["xinference"]


def test_the_assets_arrive_whole(plugin, xinference_folder):
    files = (xinference_folder / "_assets").iterdir()
    assert plugin.declared.assets == {file.name: file.read_bytes() for file in files}


def test_the_daemon_takes_what_is_declared(plugin):
    (provider,) = plugin.declared.providers
    assert broken(plugin.declared.manifest, provider, plugin.declared.assets) == []


def test_the_form_arrives_as_it_was_declared(plugin, xinference_folder):
    written = yaml.safe_load((xinference_folder / "provider/xinference.yaml").read_text("utf-8"))
    (arrived,) = plugin.declared.providers
    for form in ("provider_credential_schema", "model_credential_schema"):
        ours = written[form]["credential_form_schemas"]
        theirs = arrived[form]["credential_form_schemas"]
        for field, arrived_field in zip(ours, theirs, strict=True):
            plain = {name: field[name] for name in ("variable", "type", "required")}
            assert plain == {name: arrived_field[name] for name in plain}
            assert field["label"].items() <= arrived_field["label"].items()
            assert field.get("default") == arrived_field["default"]
            assert field.get("show_on", []) == arrived_field["show_on"]
            values = [option["value"] for option in field.get("options", ())]
            assert values == [option["value"] for option in arrived_field["options"] or ()]


def _without_models(manifest, provider):
    del provider["models"]


def _unknown_method(manifest, provider):
    provider["configurate_methods"] = ["custom"]


def _number_as_default(manifest, provider):
    provider["model_credential_schema"]["credential_form_schemas"][0]["default"] = 3


def _empty_label(manifest, provider):
    provider["model_credential_schema"]["model"]["label"]["en_US"] = ""


def _too_many_fields(manifest, provider):
    provider["provider_credential_schema"]["credential_form_schemas"] *= 3


def _author_with_capitals(manifest, provider):
    manifest["author"] = "Xinfer"


def _no_memory(manifest, provider):
    manifest["resource"]["memory"] = 0


def _time_of_python(manifest, provider):
    manifest["created_at"] = "2026-01-01 00:00:00+00:00"


def _icon_that_is_not_there(manifest, provider):
    provider["icon_small"]["zh_Hans"] = "elsewhere.svg"


@pytest.mark.parametrize(
    ("break_it", "place"),
    [
        (_without_models, "models"),
        (_unknown_method, "configurate_methods.0"),
        (_number_as_default, "model_credential_schema.credential_form_schemas.0.default"),
        (_empty_label, "model_credential_schema.model.label.en_US"),
        (_too_many_fields, "provider_credential_schema.credential_form_schemas"),
        (_author_with_capitals, "author"),
        (_no_memory, "resource.memory"),
        (_time_of_python, "created_at"),
        (_icon_that_is_not_there, "elsewhere.svg"),
    ],
)
def test_the_rules_of_the_daemon_can_be_broken(plugin, break_it, place):
    manifest = copy.deepcopy(plugin.declared.manifest)
    provider = copy.deepcopy(plugin.declared.providers[0])
    break_it(manifest, provider)
    (fault,) = broken(manifest, provider, plugin.declared.assets)
    assert fault.startswith(f"{place}: ")


@pytest.mark.parametrize("kind", EVERY_TYPE)
def test_every_type_is_validated_and_answers(plugin, server, kind, tmp_path):
    check(plugin, server, kind, tmp_path)
    assert plugin.heartbeats
    assert plugin.unreadable == []


def test_a_piece_is_handed_on_while_the_server_has_not_done(plugin):
    check_stream(plugin)


def test_an_error_ends_its_session_and_no_other(plugin, server):
    going_on = plugin.call("invoke_llm", **llm_call(server, "count to 9"))
    first = next(going_on)
    with pytest.raises(CallError, match="nowhere") as error:
        list(plugin.call("invoke_llm", **llm_call(server, "Hi", uid="nowhere")))
    assert error.value.kind == "InvokeBadRequestError"
    assert text_of([first, *going_on]) == "1 2 3 4 5 6 7 8 9"


def test_sessions_at_the_same_time_keep_their_answers_apart(plugin, server):
    check_calls_at_once(plugin, server)
    assert plugin.unreadable == []


HANDSHAKE = {"type": "handshake", "data": {"key": KEY}}
MANIFEST = {"type": "manifest_declaration", "data": {"name": "x"}}
MODELS = {"type": "model_declaration", "data": [{"provider": "x"}]}
END = {"type": "end", "data": {}}


def test_chunks_of_an_asset_are_joined():
    chunks = [
        {"type": "asset_chunk", "data": {"filename": "a", "data": data, "end": end}}
        for data, end in (("YWJj", False), ("ZGU=", True))
    ]
    read = Declared.read([HANDSHAKE, MANIFEST, MODELS, *chunks, END])
    assert read.assets == {"a": b"abcde"}


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([MANIFEST, HANDSHAKE, MODELS, END], "manifest_declaration before the handshake"),
        ([HANDSHAKE, MANIFEST, MANIFEST, MODELS, END], "manifest_declaration twice"),
        ([HANDSHAKE, MANIFEST, END], "no model_declaration"),
        ([HANDSHAKE, MANIFEST, MODELS], "before the end"),
    ],
)
def test_a_declaration_that_the_daemon_refuses_is_an_error(messages, words):
    with pytest.raises(PluginError, match=words):
        Declared.read(messages)


def test_a_plugin_that_does_not_start_says_why(tmp_path):
    (tmp_path / "main.py").write_text("raise SystemExit('no more disk')\n")
    with (
        pytest.raises(PluginError, match=r"did not start \(exit code 1\):\nno more disk"),
        RemotePlugin.start(tmp_path),
    ):
        pass
