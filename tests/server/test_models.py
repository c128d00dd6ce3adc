"""What the fake server says and notes, and how it runs."""

import base64
import http.client
import io
import json
import os
import signal
import struct
import subprocess
import sys
import threading
import wave

import pytest
from plain_http import (
    UPLOADS,
    answered,
    ask,
    content,
    events_of,
    exchange,
    multipart,
    post,
    reasons,
)

from xinfer.testing.server import MODELS, Call, FakeServer, Reply, Served


@pytest.fixture
def server():
    with FakeServer() as running:
        yield running


def test_what_it_says_follows_from_what_is_asked(server):
    first, second, other = (
        content(answered(server, "/v1/chat/completions", ask(text))) for text in ("a", "a", "b")
    )
    assert first == second == 'Hello! You said: "a". I am a fake Xinference.'
    assert '"b"' in other


@pytest.mark.parametrize("uid", ["chat", "chat-gguf", "reason", "reason-gguf-noparse"])
@pytest.mark.parametrize("text", ["count to 5", "Hi", "unicode"])
def test_a_stream_says_what_the_whole_answer_says(server, uid, text):
    whole = content(answered(server, "/v1/chat/completions", ask(text, model=uid)))
    _, _, raw = post(server, "/v1/chat/completions", ask(text, model=uid, stream=True))
    deltas = [event["choices"][0]["delta"] for event in events_of(raw)[:-1]]
    assert "".join(delta.get("content") or "" for delta in deltas) == whole


def test_tokens_are_counted_limited_and_stopped(server):
    short = answered(server, "/v1/chat/completions", ask("count", max_tokens=7))
    assert content(short) == "1 2 3 4 5 6 7"
    assert short["choices"][0]["finish_reason"] == "length"
    assert short["usage"]["completion_tokens"] == 7
    assert short["usage"]["total_tokens"] == short["usage"]["prompt_tokens"] + 7
    stopped = answered(server, "/v1/chat/completions", ask("count", stop=[" 10", " 4"]))
    assert content(stopped) == "1 2 3"
    assert stopped["choices"][0]["finish_reason"] == "stop"


WEATHER = {
    "name": "get_weather",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"enum": ["C", "F"]}, "n": {}},
        "required": ["city", "unit"],
    },
}
TOOLS = [{"type": "function", "function": WEATHER}]


def test_tools_are_called_and_their_results_told(server):
    asked = ask("What is it like in Rome and Oslo? I have two cities", tools=TOOLS)
    (choice,) = answered(server, "/v1/chat/completions", asked)["choices"]
    calls = choice["message"]["tool_calls"]
    assert [json.loads(call["function"]["arguments"]) for call in calls] == [
        {"city": "Rome", "unit": "C"},
        {"city": "Oslo", "unit": "C"},
    ]
    result = {"role": "tool", "tool_call_id": calls[0]["id"], "content": "sunny"}
    asked["messages"] += [choice["message"], result]
    assert content(answered(server, "/v1/chat/completions", asked)) == "get_weather says: sunny"


def test_models_without_tools_refuse_them_and_their_results(server):
    result = {"role": "tool", "tool_call_id": "1", "content": "sunny"}
    asked = ask("Hi", model="omni")
    for refused in (asked | {"tools": TOOLS}, asked | {"messages": [*asked["messages"], result]}):
        assert post(server, "/v1/chat/completions", refused)[0] == 400


def test_llama_cpp_streams_calls_in_fragments_that_add_up(server):
    asked = ask("Rome and two", model="chat-gguf", tools=TOOLS, stream=True)
    _, _, raw = post(server, "/v1/chat/completions", asked)
    calls = {}
    for event in events_of(raw)[:-1]:
        for part in event["choices"][0]["delta"].get("tool_calls", ()):
            calls.setdefault(part["index"], []).append(part["function"])
    assert [call[0]["name"] for call in calls.values()] == ["get_weather"] * 2
    texts = ["".join(part["arguments"] for part in call) for call in calls.values()]
    assert [json.loads(text)["city"] for text in texts] == ["Paris", "London"]
    assert reasons(events_of(raw)) == ["tool_calls"]


def test_json_is_answered_when_json_is_asked_for(server):
    schema = {"type": "object", "properties": {"n": {"type": "integer"}, "ok": {"type": "boolean"}}}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    answer = answered(server, "/v1/chat/completions", ask("Hi", response_format=form))
    assert json.loads(content(answer)) == {"n": 1, "ok": True}


@pytest.mark.parametrize(
    ("uid", "switch", "thinks"),
    [
        ("reason", {}, True),
        ("reason", {"chat_template_kwargs": {"enable_thinking": False}}, False),
        ("qwen3-builtin", {}, False),
        ("qwen3-builtin", {"chat_template_kwargs": {"enable_thinking": True}}, True),
        ("chat", {"chat_template_kwargs": {"enable_thinking": True}}, False),
    ],
)
def test_thinking_is_switched_by_the_request(server, uid, switch, thinks):
    answer = answered(server, "/v1/chat/completions", ask("Hi", model=uid, **switch))
    assert ("I should greet" in json.dumps(answer)) is thinks


def test_pictures_are_seen_by_the_models_that_can(server):
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    parts = [{"type": "text", "text": "Hi"}, picture, picture]
    for uid, sees in (("vision", True), ("omni", True), ("chat", False)):
        answer = answered(server, "/v1/chat/completions", ask(parts, model=uid))
        assert content(answer).startswith("I got 2 images. ") is sees


def test_embeddings_are_alike_in_both_encodings_and_for_like_texts(server):
    def embed(**more):
        body = {"model": "embed", "input": ["red apple", "red apples", "red apple pie"], **more}
        return [item["embedding"] for item in answered(server, "/v1/embeddings", body)["data"]]

    plain = embed()
    coded = [
        struct.unpack("<384f", base64.b64decode(text)) for text in embed(encoding_format="base64")
    ]
    assert [tuple(vector) for vector in plain] == coded
    first, second, third = plain
    near, far = (sum(a * b for a, b in zip(first, other, strict=True)) for other in (third, second))
    assert 1 > near > far > 0


def test_the_nearest_document_comes_first(server):
    documents = ["grass is green", "the sky is blue", "blue sky"]
    body = {"model": "rerank", "query": "blue sky", "documents": documents, "top_n": 2}
    results = answered(server, "/v1/rerank", body)["results"]
    assert [result["index"] for result in results] == [2, 1]
    assert 1 > results[0]["relevance_score"] > results[1]["relevance_score"] > 0


def test_speech_is_a_recording_and_longer_for_longer_texts(server):
    def speak(text, **more):
        return post(server, "/v1/audio/speech", {"model": "kokoro", "input": text, **more})[2]

    assert len(speak("a" * 100)) > len(speak("a" * 10)) > 0
    frame = b"\xff\xf3\x44\xc4".ljust(96, b"\0")
    assert speak("hello").replace(frame, b"") == b""
    with wave.open(io.BytesIO(speak("hello", response_format="wav"))) as recording:
        assert (recording.getframerate(), recording.getnchannels()) == (24000, 1)
        assert recording.getnframes() > 0
    whole = post(server, "/v1/audio/speech", {"model": "cosyvoice", "input": "a" * 99})
    streamed = post(
        server, "/v1/audio/speech", {"model": "cosyvoice", "input": "a" * 99, "stream": True}
    )
    assert streamed[1]["content-type"] == "application/octet-stream"
    assert streamed[2] == whole[2]


def test_requests_are_noted_as_they_came(server):
    recording = b"RIFF\r\n--betwee\r\n\xff\n\0"
    body = multipart({"model": "whisper", "file": {"file": "wav"}}).replace(
        UPLOADS["wav"], recording
    )
    kind = {"Content-Type": "multipart/form-data; boundary=between", "X-Mine": "1"}
    _, _, raw = exchange(server, "POST", "/v1/audio/transcriptions?a=%20", body, kind)
    assert json.loads(raw) == {"text": f" Hello! I heard {len(recording)} bytes."}
    post(server, "/v1/chat/completions", ask("Hi"))
    upload, chat = server.requests
    assert (upload.method, upload.path) == ("POST", "/v1/audio/transcriptions?a=%20")
    assert upload.headers["x-mine"] == "1"
    assert upload.body["model"] == "whisper"
    assert (upload.body["file"].filename, upload.body["file"].content) == ("a.wav", recording)
    assert chat.body == ask("Hi")


def test_models_are_found_by_any_uid_but_one_with_a_slash():
    uids = ["my model", "模型", "50%", "a?b", "a/b"]
    with FakeServer([Served(uid=uid) for uid in uids]) as server:
        listed = json.loads(exchange(server, "GET", "/v1/models")[2])["data"]
        paths = ["my%20model", "%E6%A8%A1%E5%9E%8B", "50%25", "a%3Fb", "a%2Fb"]
        answers = [exchange(server, "GET", f"/v1/models/{path}") for path in paths]
        assert answered(server, "/v1/chat/completions", ask("Hi", model="a/b"))["model"] == "a/b"
    assert [model["id"] for model in listed] == uids
    # Xinference has no route for it, however it is written: it tells of such a model in the list.
    assert [status for status, _, _ in answers] == [200, 200, 200, 200, 404]


def test_a_models_answer_can_be_declared():
    models = [
        Served(uid="fixed", answer="Always this."),
        Served(
            uid="echo", answer=lambda body: Reply(text=f"{len(body['messages'])}", reasoning="Hm")
        ),
        Served(
            uid="caller",
            abilities=("chat", "tools"),
            answer=lambda _: Reply(calls=(Call("go", {"x": 1}),)),
        ),
        Served(uid="flat", model_type="embedding", answer=lambda text: [len(text), 0.5]),
        Served(uid="long", model_type="rerank", answer=lambda query, document: len(document)),
        Served(uid="old", unreported=("model_ability",), described={"context_length": 7}),
    ]
    with FakeServer(models) as server:
        assert (
            content(answered(server, "/v1/chat/completions", ask("", model="fixed")))
            == "Always this."
        )
        echoed = answered(server, "/v1/chat/completions", ask("", model="echo"))["choices"][0][
            "message"
        ]
        assert (echoed["content"].strip(), echoed["reasoning_content"].strip()) == ("1", "Hm")
        called = answered(server, "/v1/chat/completions", ask("", model="caller", tools=TOOLS))
        assert called["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "go"
        vector = answered(server, "/v1/embeddings", {"model": "flat", "input": "abc"})["data"][0]
        assert vector["embedding"] == [3.0, 0.5]
        ranked = {"model": "long", "query": "", "documents": ["a", "aaa"]}
        assert answered(server, "/v1/rerank", ranked)["results"][0]["index"] == 1
        described = json.loads(exchange(server, "GET", "/v1/models/old")[2])
    assert "model_ability" not in described
    assert described["context_length"] == 7


def test_a_mistake_in_a_declared_answer_is_answered_and_raised_at_the_end():
    def wrong(body):
        return body["nothing"]

    with (
        pytest.raises(KeyError, match="nothing"),
        FakeServer([Served(uid="chat", answer=wrong)]) as server,
    ):
        assert post(server, "/v1/chat/completions", ask("Hi"))[0] == 500


def test_it_answers_many_at_once_and_leaves_nothing_behind():
    before = set(threading.enumerate())
    answers = []
    with FakeServer() as server:
        connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=30)
        for _ in range(2):
            connection.request("GET", "/v1/models/chat")
            assert connection.getresponse().read()
        clients = [
            threading.Thread(
                target=lambda: answers.append(post(server, "/v1/chat/completions", ask("Hi")))
            )
            for _ in range(20)
        ]
        for client in clients:
            client.start()
        for client in clients:
            client.join(30)
        address = server.url.removeprefix("http://")
    assert [status for status, _, _ in answers] == [200] * 20
    assert set(threading.enumerate()) <= before
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection(address, timeout=5).request("GET", "/")
    connection.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_runs_as_a_process(number):
    command = [sys.executable, "-m", "xinfer.testing.server", "--port", "0", "--key", "KEY"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().strip()
            connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
            connection.request("GET", "/v1/models", headers={"Authorization": "Bearer KEY"})
            listed = json.loads(connection.getresponse().read())
            connection.close()
        finally:
            os.kill(process.pid, number)
        assert process.wait(30) == 0
    assert [model["id"] for model in listed["data"]] == [model.uid for model in MODELS]


def test_it_needs_neither_the_sdk_nor_requests():
    code = "import sys, xinfer.testing.server; print(*{'requests', 'dify_plugin'} & {*sys.modules})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


def test_it_runs_when_the_sdk_has_replaced_sockets_and_threads_after_its_import():
    code = """
from xinfer.testing.server import FakeServer
import dify_plugin, requests
with FakeServer() as server:
    answer = requests.post(server.url + "/v1/completions", json={"model": "base", "prompt": "Hi"})
    print(answer.json()["choices"][0]["text"])
"""
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    assert "You said" in ran.stdout
