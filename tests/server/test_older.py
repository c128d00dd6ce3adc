"""The fake server as an older Xinference: statuses and habits as recorded."""

import json

import pytest
import requests
from recordings import name_of, recordings

from xinfer.testing.server import MODELS, FakeServer

ROWS = [row for row in recordings() if row["version"] != "4.1.0"]
VERSIONS = sorted({row["version"] for row in ROWS})
SENT = [
    row
    for row in ROWS
    if row.get("request")
    and "speech" not in row["path"]
    and not row["case"].startswith("auth_")  # test_server.py has a server with keys
]
DESCRIBED = [row for row in ROWS if row["path"].startswith("/v1/models/") and row["status"] == 200]
TOLD = ("model_ability", "model_engine", "strict_system_first", "context_length", "dimensions")


@pytest.fixture(scope="module")
def servers():
    started = {version: FakeServer(MODELS, version=version) for version in VERSIONS}
    for server in started.values():
        server.__enter__()
    yield started
    for server in started.values():
        server.__exit__(None, None, None)


def values(text):
    return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]


@pytest.mark.parametrize("row", SENT, ids=name_of)
def test_a_request_gets_the_recorded_status_and_kind_of_answer(servers, row):
    server = servers[row["version"]]
    answer = requests.post(server.url + row["path"], json=row["request"], timeout=10)
    assert answer.status_code == row["status"], answer.text
    assert answer.headers["content-type"].split(";")[0] == row["type"].split(";")[0]


@pytest.mark.parametrize(
    ("version", "case", "words"),
    [
        ("0.16.3", "chat_stop", "<xinference.core.scheduler.InferenceRequest object at 0x"),
        ("0.16.3", "chat_sys_multipart", 'can only concatenate str (not "list") to str'),
        ("0.16.3", "rerank_kwargs", "rerank hasn't support extra parameter."),
        ("0.16.3", "rerank_empty", "list index out of range"),
        ("1.4.1", "rerank_empty", "list index out of range"),
        ("1.4.1", "reason_tools_stream", "'llama-3.1-instruct', 'deepseek-v3'] support tool calls"),
        ("3.5.0", "messages", "The anthropic-version header is required"),
        ("3.5.0", "count_tokens", "Method Not Allowed"),
        ("0.16.3", "completion_on_chat", "text_completion"),
    ],
)
def test_faults_of_a_version_have_the_recorded_words(servers, version, case, words):
    row = next(row for row in SENT if (row["version"], row["case"]) == (version, case))
    answer = requests.post(servers[version].url + row["path"], json=row["request"], timeout=10)
    assert words in json.dumps(answer.json()).replace('\\"', '"')
    assert words in row["body"].replace('\\"', '"')


@pytest.mark.parametrize("row", DESCRIBED, ids=name_of)
def test_a_description_tells_what_was_recorded_and_no_more(servers, row):
    answer = requests.get(servers[row["version"]].url + row["path"], timeout=10).json()
    recorded = json.loads(row["body"])
    for key in TOLD:
        assert (key in answer) == (key in recorded), key


@pytest.mark.parametrize("version", VERSIONS)
def test_where_a_stream_counts_tokens(servers, version):
    row = next(r for r in SENT if (r["version"], r["case"]) == (version, "chat_stream_usage"))
    answer = requests.post(servers[version].url + row["path"], json=row["request"], timeout=10)

    def places(text):
        return [
            (bool(value["choices"]), bool((value["choices"] or [{}])[0].get("finish_reason")))
            for value in values(text)
            if value.get("usage")
        ]

    assert places(answer.text) == places(row["body"])
    *_, last = (value["usage"] for value in values(answer.text) if value.get("usage"))
    first = next(value["usage"] for value in values(answer.text) if value.get("usage"))
    higher = version in ("1.17.1", "2.0.0", "2.12.0")
    assert (last["completion_tokens"] > first["completion_tokens"]) == higher


@pytest.mark.parametrize("version", VERSIONS)
def test_vectors_are_digits_and_calls_share_an_id_where_they_did(servers, version):
    url = servers[version].url
    body = {"model": "embed", "input": ["a"], "encoding_format": "base64"}
    vector = requests.post(f"{url}/v1/embeddings", json=body, timeout=10).json()["data"][0]
    assert isinstance(vector["embedding"], list)
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    question = {"role": "user", "content": "Look at two cities"}
    asked = {"model": "chat", "messages": [question], "tools": [tool]}
    message = requests.post(f"{url}/v1/chat/completions", json=asked, timeout=10).json()
    calls = message["choices"][0]["message"]["tool_calls"]
    shared = version in ("0.16.3", "1.4.1", "1.9.1")
    assert len({call["id"] for call in calls}) == (1 if shared else 2)
    assert ("x-request-id" in requests.get(f"{url}/v1/models", timeout=10).headers) == (
        version == "3.5.0"
    )
