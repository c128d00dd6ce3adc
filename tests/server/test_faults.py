"""Each fault of the fake server does what it says."""

import http.client
import json
import time
from itertools import cycle

import pytest
from plain_http import answered, ask, chunks, content, events_of, exchange, post

from xinfer.testing.server import Answer, Drop, FakeServer, Hold, faults
from xinfer.testing.server.faults import (
    BrokenLine,
    Closed,
    Cut,
    Edited,
    ErrorEvent,
    LineEnds,
    Paced,
    Scores,
    Split,
    Stall,
)

CHAT = "/v1/chat/completions"
STREAM = ask("unicode", stream=True)
EMBED = {"model": "embed", "input": ["one", "two"]}
RERANK = {"model": "rerank", "query": "a", "documents": ["a", "b", "c"], "return_documents": True}


@pytest.fixture
def server():
    with FakeServer() as running:
        yield running


def post_with_fault(server, *fault, path=CHAT, body=STREAM):
    server.next_answer(*fault)
    return post(server, path, body)


def opened(server, path=CHAT, body=STREAM, timeout=30):
    """Send a request and return the connection, to read as the test likes."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=timeout)
    connection.request("POST", path, json.dumps(body), {"content-type": "application/json"})
    return connection


def plain(server):
    """Return the stream as it is without a fault, without what differs each time."""
    return [timeless(event) for event in events_of(post(server, CHAT, STREAM)[2])]


def timeless(event):
    return event if isinstance(event, str) else event.get("choices", event)


@pytest.mark.parametrize(
    ("name", "status", "kind", "words"),
    [
        ("LOADING", 503, "application/json", "Model is loading"),
        ("TOO_MANY", 429, "application/json", "Too many"),
        ("UNAVAILABLE", 503, "text/plain", "upstream"),
        ("CRASHED", 500, "text/plain; charset=utf-8", "Internal Server Error: "),
        ("BAD_GATEWAY", 502, "text/html", "<title>502"),
        ("LOGIN_PAGE", 200, "text/html; charset=utf-8", "<!doctype html>"),
        ("OTHER_JSON", 200, "application/json", "{"),
        ("EMPTY", 200, None, ""),
        ("EMPTY_ERROR", 500, None, ""),
    ],
)
def test_an_answer_is_given_instead(server, name, status, kind, words):
    arrived_status, headers, raw = post_with_fault(server, getattr(faults, name))
    assert (arrived_status, headers.get("content-type")) == (status, kind)
    assert raw.decode().startswith(words) or words in raw.decode()
    assert bool(raw) == bool(words)
    retry = {"LOADING": "30", "TOO_MANY": "1"}
    assert headers.get("retry-after") == retry.get(name)


def test_the_request_limit_is_told_in_the_way_of_the_question(server):
    status, _, raw = post_with_fault(server, faults.rate_limited)
    assert (status, events_of(raw)) == (200, [{"error": "Rate limit reached"}])
    status, _, raw = post_with_fault(server, faults.rate_limited, body=ask("Hi"))
    assert (status, json.loads(raw)) == (429, {"detail": "Rate limit reached"})


def test_a_fault_waits_for_its_request_and_is_used_up(server):
    teapot = Answer(status=418)
    server.next_answer(teapot, on="/v1/rerank")
    server.next_answer(teapot, model="reason", times=2)
    asked = [
        (CHAT, ask("Hi")),
        ("/v1/rerank", RERANK),
        ("/v1/rerank", RERANK),
        (CHAT, ask("Hi", model="reason")),
        (CHAT, ask("Hi", model="reason")),
        (CHAT, ask("Hi", model="reason")),
    ]
    seen = [post(server, path, body)[0] for path, body in asked]
    assert seen == [200, 418, 200, 418, 418, 200]
    assert len(server.requests) == 6


def test_the_connection_ends_before_the_first_byte(server):
    with pytest.raises(http.client.RemoteDisconnected):
        post_with_fault(server, Closed())
    with pytest.raises(ConnectionResetError) as reset:
        post_with_fault(server, Closed(reset=True))
    assert not isinstance(reset.value, http.client.RemoteDisconnected)
    assert post(server, CHAT, STREAM)[0] == 200


def test_the_connection_ends_in_the_middle(server):
    with pytest.raises(http.client.IncompleteRead) as broken:
        post_with_fault(server, Cut(after=2))
    assert len(events_of(broken.value.partial)) == 2
    with pytest.raises(http.client.IncompleteRead) as broken:
        post_with_fault(server, Split(10), Cut(after=3), path="/v1/embeddings", body=EMBED)
    assert len(broken.value.partial) == 30
    assert broken.value.expected > 0
    with pytest.raises(ConnectionResetError):
        post_with_fault(server, Cut(after=2, reset=True))


def test_a_stall_lasts_until_the_client_or_the_server_has_enough():
    with FakeServer() as server:
        server.next_answer(Stall(600), times=2)
        impatient = opened(server, timeout=0.1)
        with pytest.raises(TimeoutError):
            impatient.getresponse()
        impatient.close()
        wait_until(lambda: len(server.abandoned) == 1)
        waiting = opened(server)
        wait_until(lambda: len(server.requests) == 2)
    with pytest.raises(http.client.RemoteDisconnected):
        waiting.getresponse()
    waiting.close()


def test_a_stream_that_stalls_gives_what_came_before(server):
    server.next_answer(Stall(600, after=2))
    connection = opened(server)
    response = connection.getresponse()
    assert [response.readline()[:6] for _ in range(4)] == [b"data: ", b"\r\n"] * 2
    response.close()
    connection.close()
    wait_until(lambda: server.abandoned == server.requests)


def test_pauses_delay_and_change_nothing(server):
    expected = plain(server)
    for fault in (Paced(0.001), Stall(0.001), Stall(0.001, after=3)):
        assert [
            timeless(event) for event in events_of(post_with_fault(server, fault)[2])
        ] == expected
    paced = Paced(5)(Answer(steps=(b"a", b"b"), streamed=True))
    assert paced.steps == (Hold(5), b"a", Hold(5), b"b")
    assert Cut(after=1)(paced).steps == (Hold(5), b"a", Hold(5), Drop())


def wait_until(true):
    for _ in range(1000):
        if true():
            return
        time.sleep(0.01)
    pytest.fail("It did not happen within ten seconds.")


@pytest.mark.parametrize("error", ["It failed.", {"message": "It failed.", "code": 500}])
def test_a_stream_can_end_in_an_error(server, error):
    events = events_of(post_with_fault(server, ErrorEvent(error, after=3))[2])
    assert [timeless(event) for event in events[:3]] == plain(server)[:3]
    assert events[3:] == [{"error": error}]


def test_a_stream_can_lack_its_end(server):
    events = events_of(post_with_fault(server, faults.without_done)[2])
    assert [timeless(event) for event in events] == plain(server)[:-1]


def test_a_line_can_be_broken(server):
    raw = post_with_fault(server, BrokenLine(after=1))[2].decode()
    lines = [line.removeprefix("data: ") for line in raw.split("\r\n\r\n")[:-1]]
    with pytest.raises(ValueError, match="Unterminated string"):
        json.loads(lines.pop(1))
    assert [timeless(json.loads(line)) for line in lines[:-1]] == plain(server)[:-1]


@pytest.mark.parametrize("end", ["\n", "\r"])
def test_lines_can_end_otherwise(server, end):
    raw = post_with_fault(server, LineEnds(end))[2].decode()
    assert raw.count(end * 2) == len(plain(server))
    assert ({"\r", "\n"} - {end}).isdisjoint(raw)


def test_comments_and_other_fields_can_stand_between(server):
    raw = post_with_fault(server, faults.commented)[2]
    assert [timeless(event) for event in events_of(raw)] == plain(server)
    starts = {line.partition(b":")[0] for line in raw.split(b"\r\n") if line}
    assert starts == {b"", b"event", b"id", b"retry", b"data"}


@pytest.mark.parametrize("sizes", [(1,), (3, 50), (100_000,)])
def test_the_bytes_can_come_in_any_pieces(server, sizes):
    expected = plain(server)
    server.next_answer(Split(*sizes))
    pieces = chunks(server, CHAT, STREAM)
    lengths = [len(piece) for piece in pieces]
    assert all(length == size for length, size in zip(lengths[:-1], cycle(sizes), strict=False))
    assert [timeless(event) for event in events_of(b"".join(pieces))] == expected
    assert (len(pieces) == 1) is (sizes == (100_000,))
    assert (b"\xe4" in pieces) is (sizes == (1,))  # the first byte of 你


def test_pieces_need_a_size():
    with pytest.raises(ValueError, match="1 or more"):
        Split(3, 0)


@pytest.mark.parametrize("value", [None, "0.5", -3])
def test_scores_can_be_anything(server, value):
    raw = post_with_fault(server, Scores(0.9, value), path="/v1/rerank", body=RERANK)[2]
    scores = [result["relevance_score"] for result in json.loads(raw)["results"]]
    assert scores == [0.9, value, value]


def test_documents_can_be_plain_texts(server):
    raw = post_with_fault(server, faults.PLAIN_DOCUMENTS, path="/v1/rerank", body=RERANK)[2]
    assert {result["document"] for result in json.loads(raw)["results"]} == {"a", "b", "c"}


def test_vectors_can_be_missing_surplus_shuffled_or_no_numbers(server):
    def embedded(*fault):
        raw = post_with_fault(server, *fault, path="/v1/embeddings", body=EMBED)[2]
        return json.loads(raw)["data"]

    usual = embedded(Edited(lambda _: None))
    assert embedded(faults.MISSING_VECTOR) == usual[:1]
    assert embedded(faults.EXTRA_VECTOR) == [*usual, usual[1]]
    assert embedded(faults.REVERSED_VECTORS) == usual[::-1]
    assert [item["index"] for item in embedded(faults.REVERSED_VECTORS)] == [1, 0]
    assert embedded(faults.NULL_VECTOR)[0]["embedding"] is None
    first = embedded(faults.NAN_VECTOR)[0]["embedding"]
    assert first[0] != first[0]
    assert first[1:] == usual[0]["embedding"][1:]


@pytest.mark.parametrize("path", [CHAT, "/v1/embeddings"])
def test_usage_can_be_absent(server, path):
    for body in (STREAM, ask("Hi")) if path == CHAT else (EMBED,):
        assert (
            b'"usage"' not in post_with_fault(server, faults.WITHOUT_USAGE, path=path, body=body)[2]
        )


def test_thoughts_can_be_under_the_other_name(server):
    asked = ask("Hi", model="reason")
    message = json.loads(post_with_fault(server, faults.REASONING_KEY, body=asked)[2])["choices"][
        0
    ]["message"]
    assert "I should greet" in message["reasoning"]
    assert "reasoning_content" not in message
    raw = post_with_fault(server, faults.REASONING_KEY, body={**asked, "stream": True})[2]
    assert b'"reasoning"' in raw
    assert b"reasoning_content" not in raw


def test_an_answer_can_be_edited(server):
    server.next_answer(Edited(lambda value: value.update(model="other")))
    assert answered(server, CHAT, ask("Hi"))["model"] == "other"
    assert content(answered(server, CHAT, ask("Hi"))).startswith("Hello!")


def test_a_fault_that_does_not_fit_its_request_is_told():
    def listed_with_scores():
        with FakeServer() as server:
            server.next_answer(Scores(1))
            exchange(server, "GET", "/v1/models")

    with pytest.raises(KeyError, match="results"):
        listed_with_scores()
