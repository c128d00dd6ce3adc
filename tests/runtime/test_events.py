"""The event stream reader: any cut of the same bytes gives the same events."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinfer.runtime.openai.calls import server_words
from xinfer.runtime.openai.events import Events

STREAM = (
    ': a comment\r\nevent: message\r\ndata: {"n": 1, "text": "你好"}\r\n\r\n'
    'data: {"broken\n\ndata:{"n": 2}\n\ndata: [DONE]\r\n\r\ndata: {"n": 3}\n\n'
).encode()


def events(pieces):
    reader = Events()
    values = [value for piece in pieces for value in reader.feed(piece)]
    return values + reader.close()


@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=12).map(sorted))
def test_events_are_the_same_however_the_bytes_are_cut(cuts):
    edges = [0, *cuts, len(STREAM)]
    pieces = [STREAM[a:b] for a, b in itertools.pairwise(edges)]
    assert events(pieces) == [{"n": 1, "text": "你好"}, {"n": 2}]


LINES = ('data: {"n": 1}', "data: 2", 'data: {"a":', "data: 3}", ": a comment", "", "")


@given(
    lines=st.lists(st.tuples(st.sampled_from(LINES), st.sampled_from(["\n", "\r\n", "\r"]))),
    cuts=st.lists(st.integers(0, 200), max_size=6).map(sorted),
)
def test_each_line_may_end_in_its_own_way(lines, cuts):
    stream = "".join(line + end for line, end in lines).encode()
    edges = [0, *cuts, max(len(stream), 200)]
    pieces = [stream[a:b] for a, b in itertools.pairwise(edges)]
    alike = stream.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    assert events(pieces) == events([alike])


def test_an_event_is_read_as_soon_as_its_line_ends():
    reader = Events()
    assert reader.feed(b"data: 1\r") == [1]
    assert reader.feed(b"\ndata: 2\n") == [2]
    assert reader.feed(b"data: 3\n\rdata: 4\r\n") == [3, 4]


def test_a_stream_that_just_ends_gives_its_last_line():
    assert events([b'data: {"n": 1}']) == [{"n": 1}]


def test_the_servers_words_are_found_in_every_kind_of_body():
    unknown = "[address=127.0.0.1:1, pid=2] Model not found in the model list, uid: nope"
    assert server_words(json.dumps({"detail": unknown}).encode()) == (
        "Model not found in the model list, uid: nope"
    )
    listed = {"detail": [{"loc": ["body", "file"], "msg": "Field required"}]}
    assert server_words(json.dumps(listed).encode()) == "body.file: Field required"
    assert server_words(b'{"error": {"message": "no"}}') == "no"
    assert server_words(b"<html><title>502 Bad Gateway</title><body>x</body>") == (
        "502 Bad Gateway"
    )
    assert server_words(b"Internal Server Error: bad") == "Internal Server Error: bad"
    assert server_words(b"") == ""


@pytest.mark.parametrize(
    "lines",
    [
        ['{"a": 1', '"b": 2}, {"c": 3}'],
        ['{"a": [1', "2]}", "3, 4"],
        ['{"a', 'b": 1}', "{}, {}"],
        ["1, 2", "3"],
        ['"a', 'b"', "1, 2"],
    ],
)
def test_broken_lines_never_join_whether_they_arrive_together_or_not(lines):
    written = [f"data: {line}\n\n".encode() for line in lines]
    assert events([b"".join(written)]) == events(written)


def test_a_line_nested_beyond_all_bounds_is_no_json():
    deep = b"data: " + b"[" * 200_000 + b"\n\n"
    assert events([b'data: {"n": 1}\n\n' + deep + b'data: {"n": 2}\n\n']) == [{"n": 1}, {"n": 2}]
    assert server_words(b"[" * 200_000).startswith("[[")


def test_texts_that_are_values_only_when_they_are_joined_are_no_events():
    assert events([b"data: 1,2,3\ndata: [4\ndata: 5]\n\n"]) == []
