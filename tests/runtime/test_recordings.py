"""Every recorded answer of eight versions to a call that the plugin makes, with its outcome."""

import io
import json
import re
from fnmatch import fnmatchcase

import pytest
from dify_plugin.entities.model.message import PromptMessageTool, UserPromptMessage
from dify_plugin.errors.model import (
    InvokeAuthorizationError,
    InvokeBadRequestError,
    InvokeServerUnavailableError,
)
from emitted import LLM, TTS, Rerank, Speech2Text, TextEmbedding, fresh_server
from recordings import answer_of, name_of, recorded, recordings
from under_sdk import credentials_for, reply_of

from xinfer.testing.server import MODELS
from xinfer.testing.server.silence import mp3

CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
EMBEDDINGS, RERANK = "/v1/embeddings", "/v1/rerank"
HEARD, SPOKEN = "/v1/audio/transcriptions", "/v1/audio/speech"
UIDS = {
    CHAT: "chat",
    COMPLETIONS: "base",
    EMBEDDINGS: "embed",
    RERANK: "rerank",
    HEARD: "whisper",
    SPOKEN: "kokoro",
}
CALLS = [
    row
    for row in recordings()
    if row["path"] in UIDS
    and row["case"] != "embed_empty_list"  # the plugin embeds none
    and row.get("begins") != ""  # sound of which nothing was kept
]
OTHER_TYPE = "is for .*, not for .*Add it under the model type"
BAD, DOWN, KEY = InvokeBadRequestError, InvokeServerUnavailableError, InvokeAuthorizationError
WEATHER = PromptMessageTool(
    name="get_weather",
    description="",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}},
)

REFUSED = {
    # case: what is raised, and what it says
    "auth_chat_*": (KEY, "Enter a valid API key"),
    "*_on_embed*": (BAD, OTHER_TYPE),
    "*_on_llm": (BAD, OTHER_TYPE),
    "speech_on_whisper": (BAD, OTHER_TYPE),
    "stt_bad_audio": (BAD, "convert it to WAV or MP3"),
    "stt_text": (DOWN, "Unsupported response format: text"),
    "stt_no_file": (BAD, "body.file: Field required"),
    "chat_on_base*": (
        DOWN,
        r"answered 500: Model model|Internal Server Error|broke off the answer",
    ),
    "chat_stop": (DOWN, "answered 500"),
    "chat_sys_multipart": (DOWN, "can only concatenate str"),
    "err_method_405": (BAD, "Check that the server URL"),
    "err_chat_bad_json": (DOWN, "Expecting property name"),
    "err_chat_logit_bias": (DOWN, "answered 501"),
    "err_chat_empty_messages": (BAD, "Please specify the prompt"),
    "err_*missing*": (BAD, "Model not found in the model list, uid: nope"),
    "new_request_id_error": (BAD, "Model not found in the model list, uid: nope.*request ID"),
    "*_missing": (BAD, "Model not found in the model list, uid: nope"),
    "err_chat_*": (BAD, "Correct the parameter that the server names"),
    "rerank_missing_docs": (BAD, "Correct the parameter that the server names"),
    "completion_on_chat": (DOWN, "has no attribute"),
    "rerank_kwargs": (DOWN, "support extra parameter"),
    "rerank_empty": (DOWN, "list index out of range"),
    "tools_on_base": (BAD, "calls tools for some model families only"),
    "reason_tools_stream": (BAD, "calls tools for some model families only"),
    "gguf_*": (DOWN, "answered 500|broke off the answer"),
    "new_clip_mixed*": (DOWN, "mixes multiple modalities"),
    "new_clip_bad_image": (BAD, "cannot load an image"),
    "new_clip_image_url_dict": (DOWN, "check the input data"),
    "new_embed_dict_image": (BAD, "takes texts only"),
    "new_*rerank_*": (BAD, "takes texts only"),
    "new_speech_*": (BAD, "no use for cloned voices or speaking instructions"),
    "speech_*": (DOWN, "trying to locate the file on the Hub"),
}
"""Of answers that are errors, by the first case that fits; whatever is not here is no error."""
ASKED_AGAIN = re.compile(r"Streaming support for tool calls")


@pytest.fixture
def server(row):
    with fresh_server(MODELS, version=row["version"]) as started:
        started.next_answer(answer_of(row), on=row["path"])
        yield started


def asked(row):
    return row.get("request") or row.get("form") or {}


def events(row):
    lines = row["body"].splitlines()
    return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]


def failed(row):
    """Whether the answer is an error, whatever its status."""
    if row["status"] >= 400:
        return True
    return "event-stream" in row["type"] and any("error" in event for event in events(row))


def call(server, row):
    """Make the call that the answer was to, of the model that it was of."""
    path, uid = row["path"], asked(row).get("model")
    of_type = path != COMPLETIONS and uid in {model.uid for model in MODELS} and uid != "base"
    credentials = credentials_for(server, uid if of_type else UIDS[path])
    if path in (CHAT, COMPLETIONS):
        tools = [WEATHER] if asked(row).get("tools") else []
        stream = bool(asked(row).get("stream"))
        hello = [UserPromptMessage(content="Hi")]
        return reply_of(LLM([]).invoke("m", credentials, hello, {}, tools, None, stream))
    if path == EMBEDDINGS:
        texts = ["a"] * len(json.loads(row["body"]).get("data") or ["a"])
        return TextEmbedding([]).invoke("m", credentials, texts)
    if path == RERANK:
        documents = [str(document) for document in asked(row).get("documents") or ["a"]]
        return Rerank([]).invoke("m", credentials, "q", documents)
    if path == HEARD:
        return Speech2Text([]).invoke("m", credentials, io.BytesIO(mp3(0.2)))
    return b"".join(TTS([]).invoke("m", "tenant", credentials, "Hi.", ""))


@pytest.mark.parametrize("row", [row for row in CALLS if failed(row)], ids=name_of)
def test_a_recorded_refusal(server, row):
    if ASKED_AGAIN.search(row["body"]):
        server.next_answer(answer_of(recorded()[row["version"], "chat_tools_sync"]), on=CHAT)
        got = call(server, row)
        assert got.calls
        assert got.reason == "tool_calls"
        return
    if "does not support stream mode" in row["body"] or "ffmpeg" in row["body"].lower():
        assert call(server, row)  # spoken without streaming
        return
    server.next_answer(answer_of(row), on=row["path"])  # the other way fails too
    kind, words = next(
        outcome for case, outcome in REFUSED.items() if fnmatchcase(row["case"], case)
    )
    with pytest.raises(kind, match=words) as raised:
        call(server, row)
    assert not str(raised.value).partition("\n")[2].isascii()


@pytest.mark.parametrize("row", [row for row in CALLS if not failed(row)], ids=name_of)
def test_a_recorded_answer(server, row):
    got = call(server, row)
    if row["path"] == SPOKEN:
        assert got == bytes.fromhex(row["begins"])
    elif row["path"] in (CHAT, COMPLETIONS):
        check_answer(row, got)
    else:
        check_whole(row, json.loads(row["body"]), got)


def check_whole(row, answer, got):
    if row["path"] == HEARD:
        assert got == answer["text"].strip()
    elif row["path"] == RERANK:
        best = sorted(answer["results"], key=lambda result: -result["relevance_score"])
        ranked = [(doc.index, doc.score) for doc in got.docs]
        assert ranked == [(result["index"], result["relevance_score"]) for result in best]
    else:
        assert len(got.embeddings) == len(answer["data"])
        assert got.usage.tokens == answer["usage"]["total_tokens"]
        for vector, item in zip(got.embeddings, answer["data"], strict=True):
            assert isinstance(item["embedding"], str) or vector == item["embedding"]


def check_answer(row, got):
    """Compare text, thoughts, calls, finish reason and tokens with the answer's own JSON."""
    streamed = "event-stream" in row["type"]
    answers = events(row) if streamed else [json.loads(row["body"])]
    choices = [choice for answer in answers for choice in answer.get("choices") or ()]
    parts = [choice.get("delta") or choice.get("message") or choice for choice in choices]
    text = "".join(part.get("content") or part.get("text") or "" for part in parts)
    thoughts = "".join(part.get("reasoning_content") or "" for part in parts)
    if asked(row).get("tools") and (
        "<tool_call>" in text or any(p.get("tool_calls") for p in parts)
    ):
        text = re.sub(
            r"</?tool_call>", "", re.sub(r"<tool_call>.*?</tool_call>", "", text, flags=re.DOTALL)
        )
        assert got.calls
        assert all(json.loads(call.function.arguments)["city"] for call in got.calls)
        assert len({call.id for call in got.calls}) == len(got.calls)
    else:
        assert not got.calls
    visible = re.sub(r"<think>.*?</think>", "", got.text, flags=re.DOTALL)
    plain = re.sub(r"<think>.*?</think>", "", text, flags=re.DOTALL)
    if plain.strip():
        assert visible.strip() == plain.strip()
    else:
        assert thoughts or got.calls or asked(row).get("max_tokens")
        assert visible.strip() in thoughts
    for thought in filter(None, re.sub(r"</?think>", "", thoughts).strip().splitlines()):
        assert thought in got.text
    if streamed:
        reasons = [choice["finish_reason"] for choice in choices if choice.get("finish_reason")]
        assert got.reason == ("tool_calls" if got.calls else reasons[0])
    beside = [
        answer["usage"]
        for answer in answers
        if answer.get("usage") and any(c.get("finish_reason") for c in answer.get("choices") or ())
    ]
    counted = beside or [answer["usage"] for answer in answers if answer.get("usage")]
    if counted:
        assert got.usage.completion_tokens == counted[0]["completion_tokens"]
        assert got.usage.prompt_tokens == counted[0]["prompt_tokens"]
