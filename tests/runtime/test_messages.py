"""Dify's messages as Xinference takes them: roles, parts, the place of the system's words."""

import pytest
from dify_plugin.entities.model.message import (
    AssistantPromptMessage,
    AudioPromptMessageContent,
    DeveloperPromptMessage,
    DocumentPromptMessageContent,
    ImagePromptMessageContent,
    SystemPromptMessage,
    TextPromptMessageContent,
    UserPromptMessage,
    VideoPromptMessageContent,
)
from dify_plugin.errors.model import InvokeBadRequestError
from under_sdk import LLM, bodies, credentials_for, reply_of

from xinfer.testing.server import FakeServer, Served

ALL = ("chat", "vision", "audio", "omni")
DATA = "data:{};base64,aGVsbG8="


@pytest.fixture(scope="module")
def server():
    models = [
        Served(uid="all", abilities=ALL),
        Served(uid="text", abilities=("chat",)),
        Served(uid="sees", abilities=("chat", "vision")),
        Served(uid="strict", described={"strict_system_first": True}),
        Served(uid="base", abilities=("generate",)),
    ]
    with FakeServer(models) as started:
        yield started


@pytest.fixture(autouse=True)
def forget(server):
    server.requests.clear()


def sent(server, uid, *messages):
    reply_of(LLM([]).invoke("m", credentials_for(server, uid), list(messages), {}))
    return bodies(server, "/v1/chat/completions")[-1]["messages"]


def image(url="data:image/png;base64,aGVsbG8=", detail="high"):
    return ImagePromptMessageContent(
        format="png",
        mime_type="image/png",
        url=url if url.startswith("http") else "",
        base64_data="" if url.startswith("http") else url.partition(",")[2],
        detail=detail,
    )


def user(*parts):
    return UserPromptMessage(content=list(parts))


def test_roles_and_texts_go_as_they_are(server):
    written = sent(
        server,
        "text",
        SystemPromptMessage(content="Be brief."),
        DeveloperPromptMessage(content="Be kind."),
        UserPromptMessage(content="Hi", name="ann"),
        AssistantPromptMessage(content="Hello."),
        UserPromptMessage(content="Bye"),
    )
    assert [(m["role"], m["content"]) for m in written] == [
        ("system", "Be brief."),
        ("developer", "Be kind."),
        ("user", "Hi"),
        ("assistant", "Hello."),
        ("user", "Bye"),
    ]
    assert written[2]["name"] == "ann"
    assert "name" not in written[4]


def test_parts_that_are_all_text_are_one_text(server):
    parts = [TextPromptMessageContent(data="one "), TextPromptMessageContent(data="two")]
    (message,) = sent(server, "text", user(*parts))
    assert isinstance(message["content"], str)
    assert "one" in message["content"]
    assert "two" in message["content"]


@pytest.mark.parametrize("url", ["https://example.com/a.png", DATA.format("image/png")])
def test_an_image_goes_by_its_url_or_as_base64(server, url):
    (message,) = sent(server, "sees", user(TextPromptMessageContent(data="See:"), image(url)))
    text, picture = message["content"]
    assert text == {"type": "text", "text": "See:"}
    assert picture["type"] == "image_url"
    assert picture["image_url"]["url"] == url
    assert picture["image_url"]["detail"] == "high"


def test_sound_and_film_go_in_the_shapes_that_the_engines_look_for(server):
    sound = AudioPromptMessageContent(format="wav", mime_type="audio/wav", base64_data="aGVsbG8=")
    film = VideoPromptMessageContent(format="mp4", mime_type="video/mp4", base64_data="aGVsbG8=")
    (message,) = sent(server, "all", user(sound, film))
    assert message["content"] == [
        {"type": "audio", "audio_url": {"url": DATA.format("audio/wav")}},
        {"type": "video_url", "video_url": {"url": DATA.format("video/mp4")}},
    ]


@pytest.mark.parametrize(
    ("uid", "part", "word"),
    [
        ("text", image(), "image"),
        (
            "sees",
            AudioPromptMessageContent(format="wav", mime_type="audio/wav", base64_data="eA=="),
            "audio",
        ),
        (
            "sees",
            VideoPromptMessageContent(format="mp4", mime_type="video/mp4", base64_data="eA=="),
            "video",
        ),
        (
            "all",
            DocumentPromptMessageContent(
                format="pdf", mime_type="application/pdf", base64_data="eA==", filename="plan.pdf"
            ),
            r"document \(plan.pdf\)",
        ),
        ("base", image(), "image"),
    ],
    ids=["image", "audio", "video", "document", "completion"],
)
def test_a_part_that_the_model_cannot_take_is_refused_by_name(server, uid, part, word):
    with pytest.raises(InvokeBadRequestError, match=word):
        reply_of(LLM([]).invoke("m", credentials_for(server, uid), [user(part)], {}))
    assert not [a for a in server.requests if a.method == "POST"]


def test_the_systems_words_come_first_where_the_template_demands_it(server):
    messages = [
        UserPromptMessage(content="Hi"),
        SystemPromptMessage(content="One."),
        AssistantPromptMessage(content="Hello."),
        DeveloperPromptMessage(content="Two."),
        UserPromptMessage(content="Bye"),
    ]
    written = sent(server, "strict", *messages)
    assert [m["role"] for m in written] == ["system", "user", "assistant", "user"]
    assert written[0]["content"] == "One.\n\nTwo."
    unchanged = sent(server, "text", *messages)
    assert [m["role"] for m in unchanged] == ["user", "system", "assistant", "developer", "user"]


def test_a_completion_model_gets_one_text(server):
    messages = [SystemPromptMessage(content="Once"), UserPromptMessage(content="upon a time")]
    reply_of(LLM([]).invoke("m", credentials_for(server, "base"), messages, {}))
    (body,) = bodies(server, "/v1/completions")
    assert body["prompt"] == "Once\n\nupon a time"
    assert "messages" not in body
