"""Servers with a certificate of a private authority: trusted when entered, refused otherwise."""

import ssl
from contextlib import contextmanager

import pytest
import trustme
from dify_plugin.errors.model import CredentialsValidateFailedError, InvokeConnectionError
from under_sdk import Rerank, TextEmbedding

from xinfer.testing.server import FakeServer

AUTHORITY = trustme.CA()
ANOTHER = trustme.CA()


@contextmanager
def served(name="127.0.0.1", seen=None):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    if seen is not None:
        context.sni_callback = lambda *handshake: seen.append(handshake)
    AUTHORITY.issue_cert(name).configure_cert(context)
    with FakeServer() as server:
        plain = server._server.socket
        server._server.socket = context.wrap_socket(plain, server_side=True)
        yield server.url.replace("http://", "https://")


def pem(authority):
    return authority.cert_pem.bytes().decode()


def embed(url, **more):
    credentials = {"server_url": url, "model_uid": "embed", "max_retries": "0", **more}
    return TextEmbedding([]).invoke("m", credentials, ["a"]).embeddings


def test_a_private_authority_is_trusted_when_its_certificate_is_entered():
    with served() as url:
        assert embed(url, ca_certificate=pem(AUTHORITY))


def test_a_certificate_pasted_on_one_line_is_understood():
    with served() as url:
        assert embed(url, ca_certificate=pem(AUTHORITY).replace("\n", " "))


def test_no_check_is_made_when_the_user_says_so():
    with served() as url:
        assert embed(url, verify_tls="false")


@pytest.mark.parametrize("more", [{}, {"ca_certificate": pem(ANOTHER)}], ids=["none", "another"])
def test_an_unknown_authority_is_refused_with_the_cure(more):
    with served() as url, pytest.raises(InvokeConnectionError, match="not trusted") as refused:
        embed(url, **more)
    assert "Enter the certificate of its authority" in str(refused.value)


def test_a_certificate_of_another_host_is_refused():
    with served("elsewhere.example") as url, pytest.raises(InvokeConnectionError) as refused:
        embed(url, ca_certificate=pem(AUTHORITY))
    assert "has a certificate for another name" in str(refused.value)


def test_the_usual_bundle_of_requests_is_read(tmp_path, monkeypatch):
    bundle = tmp_path / "bundle.pem"
    AUTHORITY.cert_pem.write_to_path(str(bundle))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    with served() as url:
        assert embed(url)


def test_what_is_no_certificate_is_said_at_the_field():
    credentials = {
        "server_url": "https://example.com",
        "model_uid": "m",
        "ca_certificate": "no PEM",
    }
    with pytest.raises(CredentialsValidateFailedError, match="ca_certificate"):
        Rerank([]).validate_credentials("m", credentials)


def test_connections_of_the_careless_are_not_used_for_the_careful():
    with served() as url:
        assert embed(url, verify_tls="false")
        with pytest.raises(InvokeConnectionError, match="not trusted"):
            embed(url)


def test_https_spoken_to_a_plain_server_is_told_to_be_http():
    with (
        FakeServer() as server,
        pytest.raises(InvokeConnectionError, match=r"Enter.* http://") as raised,
    ):
        embed(server.url.replace("http://", "https://"))
    assert "does not speak TLS" in str(raised.value)


def test_http_spoken_to_a_tls_server_is_told_to_be_https():
    with served() as url, pytest.raises(InvokeConnectionError, match="enter https://"):
        embed(url.replace("https://", "http://"))


def test_a_certificate_that_is_not_trusted_is_not_asked_for_again():
    handshakes = []
    with served(seen=handshakes) as url, pytest.raises(InvokeConnectionError, match="not trusted"):
        embed(url, max_retries="3")
    assert len(handshakes) == 1


def test_no_certificate_is_needed_where_none_is_looked_at():
    with served() as url:
        assert embed(url, verify_tls="false", ca_certificate=pem(ANOTHER))
