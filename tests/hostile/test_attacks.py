"""A server that means harm: every attack ends in one clear error, or in nothing worse."""

import io
import json
import re
import threading
from base64 import b64encode

import pytest
from dify_plugin.entities.model.message import PromptMessageTool, UserPromptMessage
from dify_plugin.errors.model import (
    CredentialsValidateFailedError,
    InvokeBadRequestError,
    InvokeConnectionError,
    InvokeError,
    InvokeServerUnavailableError,
)
from under_sdk import LLM, TTS, Rerank, Speech2Text, TextEmbedding, credentials_for, reply_of

from xinfer.runtime.dify.outgoing import LARGEST, split
from xinfer.runtime.openai import Client, NotAuthorized, Server, calls, limits
from xinfer.spec import Secret
from xinfer.testing.server import FakeServer

HI = [UserPromptMessage(content="Hi")]
LOOK = PromptMessageTool(name="look", description="", parameters={"type": "object"})
LINE = 5 * 1024 * 1024
"""Bytes at which Dify's daemon stops reading."""
HAN = re.compile(r"[\u4e00-\u9fff]")


def pieces(server, *, stream=True, tools=(), **more):
    return LLM([]).invoke(
        "m", credentials_for(server, "m", **more), HI, {}, list(tools), None, stream
    )


def refusal(
    server, error=InvokeError, call=lambda server, **more: reply_of(pieces(server, **more)), **more
):
    """Call, and return the one clear error: short, in two languages, in JSON."""
    with pytest.raises(error) as raised:
        call(server, **more)
    text = str(raised.value)
    assert len(json.dumps(text)) < 12_000
    assert text.count("\n") == 1
    assert HAN.search(text.partition("\n")[2])
    return text


def written(result):
    """What the SDK writes of a result, as it leaves the plugin."""
    return result.model_dump_json()


CALLS = {
    "whole": lambda s: reply_of(pieces(s, stream=False)),
    "stream": lambda s: reply_of(pieces(s)),
    "embed": lambda s: TextEmbedding([]).invoke("m", credentials_for(s, "m"), ["a"]),
    "rerank": lambda s: Rerank([]).invoke("m", credentials_for(s, "m"), "q", ["a"]),
    "transcribe": lambda s: Speech2Text([]).invoke("m", credentials_for(s, "m"), io.BytesIO(b"x")),
    "describe": lambda s: LLM([]).get_customizable_model_schema("m", credentials_for(s, "m")),
}


@pytest.mark.parametrize("attack", ["titles", "brackets"])
def test_no_more_of_an_error_is_looked_at_than_a_few_kib(attacker, attack, monkeypatch):
    seen = []
    server_words = calls.server_words
    monkeypatch.setattr(
        calls, "server_words", lambda body: seen.append(len(body)) or server_words(body)
    )
    refusal(attacker(attack))
    assert 0 < seen[0] <= limits.ERROR


def test_an_error_without_end_is_not_read_and_not_waited_for(attacker):
    text = refusal(attacker("unread"), InvokeServerUnavailableError, max_retries="1")
    assert "503" in text
    assert attacker("unread").told().requests == 3  # with the question what the model is


@pytest.mark.parametrize("kind", [kind for kind in CALLS if kind != "stream"])
def test_what_is_a_gigabyte_after_decompression_is_refused(attacker, kind):
    text = refusal(attacker("bomb"), call=CALLS[kind])
    assert re.search(r"answered more than \d+ MiB", text)


@pytest.mark.parametrize("kind", ["whole", "stream"])
def test_a_stream_or_an_error_that_is_a_gigabyte_after_decompression_is_refused(attacker, kind):
    assert "Xorbits Inference" in refusal(attacker("bomb_stream"), call=CALLS[kind])
    assert "500: xxxx" in refusal(attacker("bomb_error"), call=CALLS[kind])


@pytest.mark.parametrize(
    ("attack", "words"),
    [
        ("endless_line", "answered more than 4 MiB"),
        ("comments", "sent a lot of data and no answer"),
        ("empty_events", "sent a lot of data and no answer"),
    ],
)
def test_what_shows_nothing_is_bounded_by_its_bytes(attacker, attack, words):
    assert words in refusal(attacker(attack))
    # What the client read, and what the system held of it on both sides.
    assert attacker(attack).told().bytes < 4 * limits.EVENT


@pytest.mark.parametrize(
    "attack", ["trickled_head", "trickled_body", "trickled_comments", "trickled_line"]
)
def test_a_trickle_is_silence(attacker, attack):
    stream = attack != "trickled_body"
    text = refusal(attacker(attack), InvokeConnectionError, stream=stream, invoke_timeout="0.4")
    assert "did not answer in time" in text
    assert attacker(attack).told().bytes < 500


def test_a_stream_that_brings_text_may_take_longer_than_the_timeout(attacker):
    answer = reply_of(pieces(attacker("slow_but_honest"), invoke_timeout="0.6"))
    assert answer.text == "word " * 12


def test_others_are_answered_while_one_server_floods(attacker):
    """A flood that never blocks would otherwise keep the one loop of all tenants to itself."""
    served, stop = [], threading.Event()

    def another_tenant(server):
        while not stop.is_set():
            served.append(reply_of(pieces(server)).text)

    with FakeServer() as honest:
        honest_server = attacker("honest")
        thread = threading.Thread(target=another_tenant, args=(honest_server,))
        thread.start()
        flood = pieces(attacker("flood"))
        length = 0
        for chunk in flood:
            length += len(chunk.delta.message.content)
            if length > 600_000:
                break
        flood.close()
        stop.set()
        thread.join(20)
    assert len(served) > 5
    assert set(served) == {"Hello"}
    assert honest.requests == []


def test_halves_of_characters_are_joined_or_replaced_in_everything_that_leaves(attacker):
    server = attacker("surrogates")
    results = list(pieces(server, tools=[LOOK]))
    assert all(map(written, results))
    assert "".join(r.delta.message.content for r in results) == "a😀b\ufffd"
    (call,) = [call for r in results for call in r.delta.message.tool_calls]
    assert json.loads(call.function.arguments) == {"a": "😀\ufffd"}
    whole = list(pieces(server, stream=False))
    assert all(map(written, whole))
    assert whole[0].delta.message.content.endswith("a😀b\ufffd")
    assert CALLS["transcribe"](server) == "a😀b\ufffd"
    assert "no \ufffd such" in refusal(attacker("surrogate_error"))
    assert "no \ufffd such" in refusal(attacker("surrogate_event"))


def test_what_is_no_utf_8_is_replaced_and_nothing_is_lost(attacker):
    assert reply_of(pieces(attacker("bad_utf8"))).text == "a\ufffd\ufffdb"


@pytest.mark.parametrize(
    ("attack", "kind", "words"),
    [
        ("large_event", "stream", "more than 4 MiB"),
        ("large_event", "whole", "Dify can receive 4 MiB at once"),
        ("large_transcript", "transcribe", "Dify can receive 4 MiB at once"),
    ],
)
def test_what_does_not_fit_into_a_line_is_one_error(attacker, attack, kind, words):
    assert words in refusal(attacker(attack), call=CALLS[kind])


@pytest.mark.parametrize(
    ("attack", "words"),
    [("large_call", "answered more than 4 MiB"), ("many_calls", "more tool calls than any agent")],
)
def test_tool_calls_are_bounded_by_their_bytes_and_their_number(attacker, attack, words):
    assert words in refusal(attacker(attack), InvokeServerUnavailableError, tools=[LOOK])


@pytest.mark.parametrize("letter", ["x", "\0", "é", "😀", '"'])
@pytest.mark.parametrize("size", [0, 1, 700_000, 3_000_000])
def test_a_text_that_does_not_fit_into_a_line_is_split(letter, size):
    parts = list(split(letter * size))
    assert "".join(parts) == letter * size
    assert max(len(json.dumps(part, ensure_ascii=False).encode()) for part in parts) <= LARGEST + 2


def test_documents_that_are_repeated_are_shortened_until_they_fit(attacker):
    documents = ["short", *[f"{n}" + "x" * 100_000 for n in range(60)]]
    result = Rerank([]).invoke("m", credentials_for(attacker("honest"), "m"), "q", documents)
    assert len(written(result).encode()) < LINE
    assert len(result.docs) == 61
    assert result.docs[0].text == "short"
    assert all(documents[doc.index].startswith(doc.text) for doc in result.docs)
    assert len(result.docs[1].text) > 5_000


def test_what_the_server_lists_is_shortened(attacker):
    text = refusal(attacker("large_uids"))
    assert "These models run there: 0xxx" in text


def test_what_a_result_is_of_is_shortened(attacker):
    assert "a result for document 'xxx" in refusal(attacker("large_index"), call=CALLS["rerank"])


def test_what_a_model_is_for_is_shortened(attacker):
    credentials = credentials_for(attacker("large_type"), "m")
    with pytest.raises(CredentialsValidateFailedError, match="is for ttt") as raised:
        LLM([]).validate_credentials("m", credentials)
    assert len(str(raised.value)) < 12_000


def test_as_many_voices_as_a_field_holds_fit_into_a_line(attacker):
    credentials = credentials_for(attacker("honest"), "m")
    most = {**credentials, "voices": ",".join(map(str, range(40_000)))}
    listed = TTS([]).get_tts_model_voices("m", most)
    assert len(listed) == 40_000
    assert len(json.dumps(listed)) < LINE
    more = {**credentials, "voices": ",".join(map(str, range(60_000)))}
    with pytest.raises(InvokeError, match="is longer than 262144 characters"):
        TTS([]).get_tts_model_voices("m", more)


@pytest.mark.parametrize("size", [1_000, 6_000_000])
def test_a_uid_of_any_size_makes_a_short_error(attacker, size):
    credentials = credentials_for(attacker("surrogate_error"), "u" * size)
    answer = LLM([]).invoke("m", credentials, HI, {})
    with pytest.raises(InvokeError) as raised:
        list(answer)
    assert len(str(raised.value)) < 3_000


def test_a_second_answer_is_not_that_of_the_next_call(attacker):
    server = attacker("second_answer")
    texts = [reply_of(pieces(server, stream=False)).text for _ in range(4)]
    first = int(texts[0].split()[1])
    assert texts == [f"answer {n}" for n in range(first, first + 4)]


@pytest.mark.parametrize(
    ("attack", "words"),
    [
        ("two_lengths", "not HTTP"),
        ("many_headers", "not HTTP"),
        ("long_header", "not HTTP"),
        ("no_http", "not HTTP"),
        ("odd_location", "redirects to another address"),
        ("long_location", "redirects to another address"),
        ("other_location", "redirects to another address"),
        ("binary", "not JSON"),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_whatever_is_no_answer_is_told_in_one_place(attacker, attack, words, stream):
    if attack == "binary" and stream:
        words = "without any event"
    text = refusal(attacker(attack), stream=stream)
    assert words in text
    assert "javascript" not in text


def test_speech_without_a_byte_is_an_error(attacker):
    def speak(server):
        return list(TTS([]).invoke("m", "tenant", credentials_for(server, "m"), "Hi.", ""))

    assert "without any sound" in refusal(attacker("mp3_without_a_byte"), call=speak)


KEY = "sk-very/secret+key?with=signs&many"


@pytest.mark.parametrize("form", ["plain", "percent", "base64", "piece", "cut", "late"])
def test_a_key_is_hidden_however_it_is_repeated(attacker, form):
    server = attacker("echo")
    server.url += f"/{form}"
    text = refusal(server, api_key=KEY)
    hidden = text.replace("-", "").lower()
    pieces_ = {KEY[at : at + 8] for at in range(len(KEY) - 7)}
    encoded = b64encode(f"user:{KEY}".encode()).decode()[10:-4]
    pieces_ |= {encoded[at : at + 8] for at in range(len(encoded) - 7)}
    assert not [piece for piece in pieces_ if piece.lower() in hidden]
    assert "%2Fsecret" not in text
    assert "********" in text or form == "late"


@pytest.mark.parametrize("attack", ["echo_location", "echo_type"])
def test_a_key_is_hidden_in_addresses_names_and_types(attacker, attack):
    server = attacker(attack)
    key = "sk-nothing-but-letters"

    def ask():
        if attack == "echo_type":
            LLM([]).validate_credentials("m", credentials_for(server, "m", api_key=key))
        else:
            list(pieces(server, api_key=key))

    with pytest.raises((InvokeError, CredentialsValidateFailedError)) as raised:
        ask()
    assert not [at for at in range(len(key) - 7) if key[at : at + 8] in str(raised.value)]


def test_the_placeholder_of_a_key_is_refused_by_name(attacker):
    with pytest.raises(InvokeBadRequestError, match=r"\[__HIDDEN__\].*enter this field again"):
        list(pieces(attacker("honest"), api_key="[__HIDDEN__]"))
    server = Server(base_url=attacker("honest").url, api_key=Secret("[__HIDDEN__]"))
    with pytest.raises(NotAuthorized, match="enter the key itself"):
        Client(server).chat("m", [], {})
