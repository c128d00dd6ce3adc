"""Addresses of any kind: one error of ours, and no other path than the one that was meant."""

import socket

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from xinfer.runtime.openai import BadRequest, CallError, Client, Server
from xinfer.runtime.xinference import XinferenceClient
from xinfer.testing.server import FakeServer, Served

HI = [{"role": "user", "content": "Hi"}]


@pytest.fixture(autouse=True, scope="module")
def no_resolver():
    """Names lead nowhere: nothing of these tests goes beyond this machine."""
    getaddrinfo = socket.getaddrinfo

    def only_here(host, *arguments, **more):
        if host in ("127.0.0.1", b"127.0.0.1"):
            return getaddrinfo(host, *arguments, **more)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    socket.getaddrinfo = only_here
    yield
    socket.getaddrinfo = getaddrinfo


@given(
    url=st.builds(
        "{}{}{}".format,
        st.sampled_from(["http://", "https://", "http:", "HTTP://", "", "//", "ftp://"]),
        st.text(st.sampled_from("ab.:[]@?#%\\ -é\0\n１。xn"), max_size=80)
        | st.sampled_from(["127.0.0.1:9", "a..b", "[::1", "[::1]:9", "a" * 64, "x" * 300]),
        st.sampled_from(["", "/", "/v1", ":99999", ":x", "/%", "/\ud800", "?a=b", "#c"]),
    )
)
@example(url="http://a..b/v1")
@example(url=f"http://{'a' * 64}.example/v1")
@example(url="http://[/v1")
@example(url="http://xn--/v1")
@settings(max_examples=300, deadline=None)
def test_whatever_the_base_url_is_a_call_ends_in_an_error_of_ours(url):
    client = Client(Server(base_url=url, max_retries=0, timeout=1))
    for call in (lambda: client.chat("m", HI, {}), lambda: client.models()):
        with pytest.raises(CallError) as raised:
            call()
        text = str(raised.value)
        assert len(text) < 2500
        assert text.encode()


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("a..b", "a host name that cannot exist"),
        ("a" * 64 + ".example", "a host name that cannot exist"),
        ("nowhere.example", "cannot be resolved"),
    ],
)
def test_a_host_that_cannot_be_is_told_from_one_that_is_not(host, words):
    with pytest.raises(CallError, match=words):
        Client(Server(base_url=f"http://{host}/v1", max_retries=0)).chat("m", HI, {})


@pytest.mark.parametrize("uid", [".", "..", "a/../b", "...", "%2e%2e"])
def test_no_uid_asks_for_another_path(uid):
    with FakeServer([Served(uid=uid, limits={"context_length": 77})]) as server:
        client = XinferenceClient(Server(base_url=server.url, max_retries=0))
        assert client.describe(uid, fresh=True).limits["context_length"] == 77
        assert client.chat(uid, HI, {}).text
        assert {arrived.route for arrived in server.requests} <= {
            "/v1/models",
            f"/v1/models/{uid}",
            "/v1/chat/completions",
            "/v1/models/a%2F..%2Fb",
            "/v1/models/a/../b",
        }
    with FakeServer([]) as server, pytest.raises(BadRequest, match="No"):
        XinferenceClient(Server(base_url=server.url + "/No", max_retries=0)).chat(uid, HI, {})
