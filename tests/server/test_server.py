"""The fake server held against recorded answers of a real Xinference, so that it cannot drift."""

import json
import re
from pathlib import Path

import pytest
from plain_http import ask, chunks, events_of, exchange, multipart, reasons

from xinfer.testing.server import FakeServer
from xinfer.testing.server.faults import LOADING, rate_limited

RECORDED = {
    name: recording
    for file in sorted((Path(__file__).parents[1] / "data/xinference").glob("*.json"))
    for name, recording in json.loads(file.read_text()).items()
}
KEYS = {"key": "KEY", "limited": {"CHAT-KEY": {"chat"}}}
BEFORE = {"auth_ipban": ("auth_chat_badkey", 10), "err_chat_missing_model_again": (None, 1)}
FAULTS = {"loading": LOADING, "overload": rate_limited}
FREE_WORDS = {
    "embed_on_llm",
    "err_tools_on_base",
    "rerank_on_llm",
    "speech_on_whisper",
    "stt_on_kokoro",
}
"""Errors that name classes of the model that ran: only their shape is kept to."""


def replay(server, request):
    """Send a recorded request."""
    headers = dict(request.get("headers") or {})
    body = request.get("text")
    if "json" in request:
        headers["content-type"] = "application/json"
        body = json.dumps(request["json"]).replace("LONG", "word " * 5000)
    if "form" in request:
        headers["content-type"] = "multipart/form-data; boundary=between"
        body = multipart(request["form"])
    return exchange(server, request["method"], request["path"], body, headers)


def shape(value):
    """Return a value's keys and types; a list has the shapes of what is in it."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(shape(inner), sort_keys=True) for inner in value})
    return type(value).__name__


def kinds(events):
    """Return the kinds of events in the order in which each first appears, and the last two."""
    first, *later = events
    plain = [json.dumps(shape(event), sort_keys=True) for event in [first, *map(roleless, later)]]
    return list(dict.fromkeys(plain)), plain[-2:]


def roleless(event):
    """Return an event without a role that Transformers repeats: only long answers have it."""
    if event == "[DONE]" or not event.get("choices"):
        return event
    (choice,) = event["choices"]
    delta = {key: value for key, value in choice.get("delta", {}).items() if key != "role"}
    return {**event, "choices": [{**choice, "delta": delta} if "delta" in choice else choice]}


def words(text):
    """Return an error's words without what differs from server to server."""
    return re.sub(r"\[address=.*?\] |Available model uids: .*", "", text)


OF_THE_MODEL = {"address", "model_name", "model_description", "model_revision"}
"""What a description says of one installation."""


@pytest.mark.parametrize("name", RECORDED)
def test_it_answers_as_the_recorded_server_did(name):
    request, recorded = RECORDED[name]["request"], RECORDED[name]["answer"]
    with FakeServer(**(KEYS if name.startswith("auth") else {})) as server:
        for prefix, (other, times) in BEFORE.items():
            for _ in range(times if name.startswith(prefix) else 0):
                replay(server, RECORDED[other or name]["request"])
        for prefix, fault in FAULTS.items():
            if name.startswith(prefix):
                server.next_answer(fault)
        status, headers, raw = replay(server, request)
    assert status == recorded["status"], raw
    for header, value in recorded["headers"].items():
        assert headers.get(header) == value, header
    if "events" in recorded:
        events = events_of(raw)
        assert kinds(events) == kinds(recorded["events"])
        assert reasons(events) == reasons(recorded["events"])
    elif "begins" in recorded:
        assert raw[:2] == bytes.fromhex(recorded["begins"])[:2]
    elif "text" in recorded:
        assert raw.decode() == recorded["text"]
    else:
        answer, expected = json.loads(raw), recorded["json"]
        if request["path"] == "/v1/models" and status == 200:
            ids = [model["id"] for model in expected["data"]]
            answer["data"] = [model for model in answer["data"] if model["id"] in ids]
            assert len(answer["data"]) == len(ids)
        assert shape(answer) == shape(expected)
        assert reasons([answer]) == reasons([expected])
        if "model_type" in expected:
            common = set(expected) - OF_THE_MODEL
            assert {key: answer[key] for key in common} == {key: expected[key] for key in common}
        if name not in FREE_WORDS and isinstance(expected.get("detail"), str):
            assert words(answer["detail"]) == words(expected["detail"])


def test_each_event_is_a_chunk_of_its_own_and_its_lines_end_in_crlf():
    with FakeServer() as server:
        pieces = chunks(server, "/v1/chat/completions", ask("count", stream=True))
    assert len(pieces) > 30
    assert all(re.fullmatch(rb"data: [^\r\n]*\r\n\r\n", piece) for piece in pieces)


def test_transformers_says_the_role_again_in_every_eighth_event():
    with FakeServer() as server:
        asked = ask("count", stream=True)
        events = events_of(b"".join(chunks(server, "/v1/chat/completions", asked)))
    with_role = ["role" in event["choices"][0]["delta"] for event in events[:-1]]
    assert [place for place, has in enumerate(with_role) if has] == [0, 9, 17, 25]
