"""HTTP's chunked framing: any cut of the same bytes gives the same body."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinfer.runtime.openai import Server
from xinfer.runtime.openai.framing import Chunks
from xinfer.runtime.xinference import XinferenceClient
from xinfer.testing.server import FakeServer

BODY = b'data: {"n": 1}\r\n\r\n' + "你好\r\n0\r\n\r\n".encode()
WIRE = (
    b'12\r\ndata: {"n": 1}\r\n\r\n\r\nD;name=value\r\n' + BODY[18:] + b"\r\n0\r\nTrailer: x\r\n\r\n"
)


def read(pieces):
    chunks = Chunks()
    return b"".join(chunks.feed(piece) for piece in pieces), chunks.ended


@given(cuts=st.lists(st.integers(0, len(WIRE)), max_size=12).map(sorted))
def test_the_body_is_the_same_however_the_bytes_are_cut(cuts):
    edges = [0, *cuts, len(WIRE)]
    assert read(WIRE[a:b] for a, b in itertools.pairwise(edges)) == (BODY, True)


@given(end=st.integers(0, len(WIRE) - 1))
def test_no_beginning_of_a_body_is_a_whole_one(end):
    body, ended = read([WIRE[:end]])
    assert BODY.startswith(body)
    assert not ended


@pytest.mark.parametrize("wire", [b"x\r\n", b"-1\r\n", b"3\r\nabcd\r\n0\r\n\r\n", b"a" * 20_000])
def test_what_is_not_chunked_is_refused(wire):
    with pytest.raises(ValueError, match=r"chunk|base 16"):
        read([wire])


def test_streams_one_after_the_other_share_a_connection(caplog):
    caplog.set_level("DEBUG", "urllib3")
    with FakeServer() as fake:
        client = XinferenceClient(Server(base_url=fake.url))
        messages = [{"role": "user", "content": "Hi"}]
        for _ in range(5):
            groups = list(client.stream_chat("chat", messages, {}))
            assert "".join(chunk.text for group in groups for chunk in group)
    opened = [line for line in caplog.messages if line.startswith(("Starting new", "Resetting"))]
    assert len(opened) == 1
