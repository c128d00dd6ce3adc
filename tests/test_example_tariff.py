"""The second provider: predefined models, none of its own Python, run as Dify's daemon runs it.

The service it calls is played by a small server on this machine.
"""

import json
import threading
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from sdk import Oracle

from xinfer.build.load import load_spec
from xinfer.build.preparation import prepare
from xinfer.daemon.process import CallError, PluginProcess
from xinfer.plugin.writer import write_tree

SPEC = Path(__file__).parent.parent / "examples/tariff/provider_spec.py"
KEY = "trf-right"
USAGE = {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200}
CALLS = [
    {"index": 0, "id": "call-1", "type": "function"},
    {"index": 1, "id": "call-2", "type": "function"},
]
WEATHER = {
    "name": "weather",
    "description": "Tells the weather.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


class Tariff(BaseHTTPRequestHandler):
    """The service: what it answers depends on the last message."""

    protocol_version = "HTTP/1.1"
    bodies: list[dict] = []  # noqa: RUF012

    def log_message(self, *_):
        pass

    def do_GET(self):
        models = [{"id": "tariff-swift", "object": "model"}]
        if self.authorized() and self.path == "/v1/models":
            self.answer(200, {"object": "list", "data": models})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.bodies.append(body)
        if not self.authorized():
            return
        content = body["messages"][-1]["content"]
        asked = content if isinstance(content, str) else "parts"
        if asked == "too much":
            self.answer(429, {"error": {"message": "Slow down, please"}})
        elif body.get("stream"):
            self.stream(asked)
        else:
            self.answer(200, self.whole(asked))

    def authorized(self):
        if self.headers["Authorization"] == f"Bearer {KEY}":
            return True
        self.answer(401, {"error": {"message": "No such key"}})
        return False

    def whole(self, asked):
        message = {"role": "assistant", "content": f"You said: {asked}"}
        if asked == "weather":
            function = {"name": "weather", "arguments": '{"city": "Oslo"}'}
            call = {"id": "call-1", "type": "function", "function": function}
            message = {"role": "assistant", "content": None, "tool_calls": [call]}
        return {"choices": [{"message": message, "finish_reason": "stop"}], "usage": USAGE}

    def stream(self, asked):
        deltas = [
            {"role": "assistant", "content": ""},
            {"content": "You "},
            {"content": "said: 好"},
        ]
        if asked == "weather":
            begun = [{**call, "function": {"name": "weather", "arguments": ""}} for call in CALLS]
            parts = [(0, '{"city": '), (1, '{"city": "Rome"}'), (0, '"Oslo"}')]
            deltas = [{"tool_calls": begun}] + [
                {"tool_calls": [{"index": index, "function": {"arguments": part}}]}
                for index, part in parts
            ]
        events = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
        ends = {
            "break off": [],
            "fail": [{"error": {"message": "The GPU is on fire"}}],
        }
        finished = {"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]}
        events += ends.get(asked, [finished, {"choices": [], "usage": USAGE}])
        text = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
        text += "" if asked in ends else "data: [DONE]\n\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        whole = text.encode()
        for start in range(0, len(whole), 7):  # events do not come in pieces of their own
            part = whole[start : start + 7]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def answer(self, status, content):
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def serving():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Tariff)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    built = tmp_path_factory.mktemp("dist") / "tariff"
    write_tree(prepare(SPEC).tree, built)
    return built


@pytest.fixture(scope="module")
def plugin(folder):
    with PluginProcess.start(folder, environment={"NO_PROXY": "127.0.0.1"}) as running:
        yield running


@pytest.fixture(scope="module")
def account():
    with serving() as base_url:
        yield {"api_key": KEY, "base_url": base_url + "/"}


@pytest.fixture
def chat(plugin, account):
    """Ask a model something, as Dify does; gives the pieces of its answer."""

    def ask(content, model="tariff-swift", *, stream=True, parameters=None, tools=None, **other):
        Tariff.bodies.clear()
        return list(
            plugin.call(
                "invoke_llm",
                provider="tariff",
                model_type="llm",
                model=model,
                credentials=account | other,
                prompt_messages=[
                    {"role": "system", "content": "Be brief."},
                    {"role": "user", "content": content},
                ],
                model_parameters=parameters or {},
                tools=tools,
                stop=["\n\n"],
                stream=stream,
            )
        )

    return ask


def schema(plugin, model):
    asked = {"provider": "tariff", "model_type": "llm", "model": model, "credentials": {}}
    (answer,) = plugin.call("get_ai_model_schemas", **asked)
    return answer["model_schema"]


def prices(model):
    amounts = (Decimal(model["pricing"][name]) for name in ("input", "output", "unit"))
    return (*amounts, model["pricing"]["currency"])


def text_of(pieces):
    return "".join(piece["delta"]["message"]["content"] for piece in pieces)


def calls_of(piece):
    calls = piece["delta"]["message"]["tool_calls"]
    return [(c["id"], c["function"]["name"], c["function"]["arguments"]) for c in calls]


def test_it_needs_no_python_of_its_own(folder):
    assert not list((SPEC.parent / "plugin").rglob("*.py"))
    modules = {path.relative_to(folder).as_posix() for path in folder.rglob("*.py")}
    assert {path for path in modules if not path.startswith("xinfer/")} == {
        "main.py",
        "models/llm/llm.py",
        "provider/tariff.py",
        "provider_spec.py",
    }


def test_the_sdk_reads_a_provider_with_two_predefined_models(folder):
    with Oracle.start() as oracle:
        loaded = oracle.load(folder)
    assert loaded.get("classes") == ["llm"], loaded
    provider = loaded["provider"]
    assert provider["configurate_methods"] == ["predefined-model"]
    assert provider["model_credential_schema"] is None
    assert sorted(model["model"] for model in provider["models"]) == ["tariff-sage", "tariff-swift"]
    form = provider["provider_credential_schema"]["credential_form_schemas"]
    assert [(f["variable"], f["type"], f["required"], f["default"]) for f in form] == [
        ("api_key", "secret-input", True, None),
        ("base_url", "text-input", False, "https://api.tariff.example/v1"),
    ]
    assert form[0]["label"]["zh_Hans"] == "API 密钥"


def test_dify_lists_the_models_in_the_order_of_the_spec(folder):
    position = yaml.safe_load((folder / "models/llm/_position.yaml").read_text("utf-8"))
    assert position == [model.model for model in load_spec(SPEC).project.models]


def test_prices_features_and_rules_arrive_as_declared(plugin):
    swift, sage = (schema(plugin, name) for name in ("tariff-swift", "tariff-sage"))
    assert prices(swift) == (Decimal("0.1"), Decimal("0.4"), Decimal("0.000001"), "USD")
    assert prices(sage) == (Decimal("2.5"), Decimal(10), Decimal("0.000001"), "USD")
    assert swift["model_properties"] == {"mode": "chat", "context_size": 32_768}
    assert swift["features"] == ["tool-call", "multi-tool-call", "stream-tool-call"]
    assert sage["features"] == [*swift["features"], "vision"]
    rules = {rule["name"]: rule for rule in sage["parameter_rules"]}
    assert list(rules) == ["temperature", "top_p", "max_tokens", "reasoning_effort"]
    assert (rules["temperature"]["min"], rules["temperature"]["max"]) == (0, 2)
    assert rules["max_tokens"]["max"] == 65_536
    assert rules["reasoning_effort"]["options"] == ["low", "medium", "high"]
    assert rules["reasoning_effort"]["type"] == "string"
    assert [rule["name"] for rule in swift["parameter_rules"]] == list(rules)[:3]


def test_a_good_account_is_accepted(plugin, account):
    (answer,) = plugin.call("validate_provider_credentials", provider="tariff", credentials=account)
    assert answer["result"] is True


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"api_key": "trf-wrong"}, "answered 401: No such key"),
        ({"api_key": " "}, "API key (api_key): is required"),
        ({"base_url": "tariff"}, "Base URL (base_url): 'tariff' is not a URL"),
        ({"base_url": "http://127.0.0.1:9/v1"}, "cannot be reached"),
    ],
)
def test_a_bad_account_is_refused_with_the_reason(plugin, account, change, words):
    with pytest.raises(CallError) as refused:
        list(
            plugin.call(
                "validate_provider_credentials", provider="tariff", credentials=account | change
            )
        )
    assert refused.value.kind == "CredentialsValidateFailedError"
    assert words in refused.value.message
    assert KEY not in refused.value.message


def test_a_model_that_the_account_may_not_use_is_refused_by_name(plugin, account):
    asked = {"provider": "tariff", "model_type": "llm", "credentials": account}
    assert list(plugin.call("validate_model_credentials", model="tariff-swift", **asked))
    with pytest.raises(CallError, match="no access to tariff-sage, only to tariff-swift"):
        list(plugin.call("validate_model_credentials", model="tariff-sage", **asked))


@pytest.mark.parametrize(
    ("stream", "answer", "reason"),
    [(True, "You said: 好", "length"), (False, "You said: Hi", None)],
)
def test_an_answer_its_tokens_and_its_price(chat, stream, answer, reason):
    pieces = chat("Hi", stream=stream, parameters={"temperature": 0.5, "seed": 1})
    assert text_of(pieces) == answer
    assert (len(pieces) > 1) == stream
    last = pieces[-1]["delta"]
    assert last["finish_reason"] == reason
    assert (last["usage"]["prompt_tokens"], last["usage"]["completion_tokens"]) == (1000, 200)
    assert Decimal(last["usage"]["prompt_price"]) == Decimal("0.0001")
    assert Decimal(last["usage"]["completion_price"]) == Decimal("0.00008")
    (body,) = Tariff.bodies
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
    ]
    assert (body["model"], body["temperature"], body["stop"]) == ("tariff-swift", 0.5, ["\n\n"])
    assert "seed" not in body  # no rule declares it


def test_tool_calls_whole_and_from_fragments(chat):
    (whole,) = chat("weather", tools=[WEATHER], stream=False)
    assert calls_of(whole) == [("call-1", "weather", '{"city": "Oslo"}')]
    assert Tariff.bodies[0]["tools"] == [{"type": "function", "function": WEATHER}]
    pieces = chat("weather", tools=[WEATHER])
    assert [call for piece in pieces for call in calls_of(piece)] == [
        ("call-1", "weather", '{"city": "Oslo"}'),
        ("call-2", "weather", '{"city": "Rome"}'),
    ]


def test_an_image_goes_along_and_a_video_is_refused(chat):
    text = {"type": "text", "data": "What is it?"}
    picture = {"base64_data": "AA==", "format": "png", "mime_type": "image/png"}
    chat([text, {"type": "image", "detail": "high", **picture}], model="tariff-sage")
    assert Tariff.bodies[0]["messages"][-1]["content"] == [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "high"}},
    ]
    with pytest.raises(CallError, match="holds video, which this model does not take") as refused:
        chat([text, {"type": "video", **picture}], model="tariff-sage")
    assert refused.value.kind == "InvokeBadRequestError"


@pytest.mark.parametrize("stream", [True, False])
def test_a_wrong_key_is_an_authorization_error(chat, stream):
    with pytest.raises(CallError) as refused:
        chat("Hi", stream=stream, api_key="trf-wrong")
    assert refused.value.kind == "InvokeAuthorizationError"


@pytest.mark.parametrize(
    ("asked", "kind", "words"),
    [
        ("too much", "InvokeRateLimitError", "answered 429: Slow down, please"),
        ("fail", "InvokeServerUnavailableError", "The GPU is on fire"),
        ("break off", "InvokeConnectionError", "broke off in the middle"),
    ],
)
def test_what_goes_wrong_in_a_stream_has_its_kind_and_its_words(chat, asked, kind, words):
    with pytest.raises(CallError) as failed:
        chat(asked)
    assert failed.value.kind == kind
    assert words in failed.value.message


def test_a_parameter_outside_its_rule_never_leaves_the_plugin(chat):
    with pytest.raises(CallError, match="reasoning_effort should be one of"):
        chat("Hi", model="tariff-sage", parameters={"reasoning_effort": "extreme"})
    assert Tariff.bodies == []


def test_tokens_are_counted_before_a_call(plugin):
    (answer,) = plugin.call(
        "get_llm_num_tokens",
        provider="tariff",
        model_type="llm",
        model="tariff-swift",
        credentials={},
        prompt_messages=[{"role": "user", "content": "The quick brown fox"}],
        tools=None,
    )
    assert 4 <= answer["num_tokens"] <= 12
