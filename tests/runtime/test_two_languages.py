"""Chinese messages are Chinese: no English but names, terms and what a server answered."""

import ast
import re
from pathlib import Path

import pytest

from xinfer.cli.diagnosis import diagnose
from xinfer.runtime.openai import Client, Server
from xinfer.runtime.openai.calls import Call
from xinfer.runtime.openai.errors import CallError
from xinfer.spec import ClonedVoice
from xinfer.testing.server import FakeServer
from xinfer.testing.server.answer import event, stream, whole

ROOT = Path(__file__).parents[2]
SOURCES = [
    *sorted((ROOT / "xinfer/runtime").rglob("*.py")),
    *sorted((ROOT / "xinfer/spec").rglob("*.py")),
    *(ROOT / "xinfer/cli" / name for name in ("diagnosis.py", "doctor.py")),
    ROOT / "provider_spec.py",
]
HAN = re.compile("[一-鿿]")
WORD = re.compile(r"[A-Za-z][A-Za-z'-]+")
TERMS = {
    *("API", "Base", "CA", "Dify", "FFmpeg", "HTTP", "HTTPS", "ID", "IP", "IPv", "JPEG", "JSON"),
    *("LiteLLM", "MP", "MiB", "PEM", "PNG", "Schema", "TLS", "Token", "UID", "URL", "USD", "WAV"),
    *("Xinference", "nginx", "token", "tokens"),
}
"""Names and terms that a Chinese text has as they are."""
QUOTED = re.compile(
    r"https?://\S*|\{[^}]*\}|data:|[“「][^”」]*[”」]|（请求 ID：[^）]*）"
    r"|[A-Za-z]+(?:_[A-Za-z]+)+|\[__HIDDEN__\]"
)
"""Parts that are filled in, addresses, and names in code."""
EXAMPLES = {
    *("X-Team: search; X-Env: prod", "query:", "passage:", "bge-m3", "gpt-oss", "如 en 或 zh"),
    *(
        "例如 en 或 zh",
        "host.docker.internal",
        "ulimit -n",
        "master key",
        "xinference list",
        "user 参数",
    ),
    *(
        "Text Embedding",
        "Rerank",
        "logits",
        "choices",
        "mp3",
        "如 zh、en",
        "base64",
        "true 或 false",
    ),
}


def english_in(text):
    """Return the English words of a Chinese text, but terms, examples and what is filled in."""
    for example in EXAMPLES:
        text = text.replace(example, "")
    return set(WORD.findall(QUOTED.sub("", text))) - TERMS


def texts_of(path):
    """Yield the texts of a module that are Chinese; documentation is none."""
    tree = ast.parse(path.read_text("utf-8"))
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            pieces = (p.value if isinstance(p, ast.Constant) else "{}" for p in node.values)
            text = "".join(pieces)
        elif isinstance(node, ast.Constant) and id(node) not in documentation | parts:
            text = node.value
        else:
            continue
        for line in text.splitlines() if isinstance(text, str) else ():
            if HAN.search(line):
                yield line


def test_no_chinese_text_of_the_source_has_english_in_it():
    texts = [text for path in SOURCES for text in texts_of(path)]
    assert len(texts) > 200
    assert {text: words for text in texts if (words := english_in(text))} == {}


JSON = "application/json"
ANSWERS = {
    "no words": whole(b"", "text/plain", 599),
    "an error without words": whole(b'{"error": {}}', JSON),
    "a page": whole(b"<html>", "text/html"),
    "nothing": whole(b"{}", JSON),
    "a break": stream([event({"error": ""})]),
    "too many requests": whole(b'{"detail": ""}', JSON, 429),
}


@pytest.mark.parametrize("case", ANSWERS)
@pytest.mark.parametrize("streamed", [False, True])
def test_what_is_composed_of_an_answer_is_chinese(case, streamed):
    with FakeServer() as server:
        server.next_answer(ANSWERS[case], on="/v1/chat")
        client = Client(Server(base_url=f"{server.url}/v1", max_retries=0))
        with pytest.raises(CallError) as raised:
            list(client.stream_chat("chat", [], {})) if streamed else client.chat("chat", [], {})
    assert english_in(raised.value.chinese.replace("Network Authentication", "")) == set()
    assert raised.value.chinese.startswith("服务器（http")
    assert raised.value.english.startswith("The server at http")


def test_the_host_of_a_voice_is_named_in_both_languages():
    voice = ClonedVoice("Anna\x1b", "http://127.0.0.1:9/a.wav")
    client = Client(Server(base_url="http://127.0.0.1:9/v1", max_retries=0))
    with pytest.raises(CallError) as raised:
        client.recording(voice)
    assert raised.value.english.startswith(r"The host of the voice 'Anna\x1b' at http")
    assert raised.value.chinese.startswith(r"音色“Anna\x1b”所在的服务器（http")


def test_a_label_may_be_one_name():
    error = Call(label="vLLM", url="http://h/").broke_off_with("no")
    assert (
        str(error)
        == "vLLM at http://h/ broke off the answer: no.\nvLLM（http://h/）中断了回答：no。"
    )


@pytest.mark.parametrize("answer", ["no words", "a page", "too many requests"])
def test_the_doctor_names_the_server_in_both_languages(answer):
    with FakeServer() as server:
        server.next_answer(ANSWERS[answer], on="/v1/models", times=20)
        steps = diagnose(server.url, None).steps
    failed = [step for step in steps if step.outcome == "failed"]
    assert failed
    for step in failed:
        assert english_in(step.chinese) == set()
