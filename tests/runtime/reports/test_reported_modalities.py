"""Images, audio and video: which models take them, and files that lead nowhere."""

import pytest
from dify_plugin.entities.model.message import (
    AudioPromptMessageContent,
    ImagePromptMessageContent,
    TextPromptMessageContent,
    UserPromptMessage,
    VideoPromptMessageContent,
)
from dify_plugin.entities.model.text_embedding import MultiModalContent, MultiModalContentType
from dify_plugin.errors.model import CredentialsValidateFailedError, InvokeBadRequestError
from emitted import Rerank, Speech2Text, TextEmbedding
from runtime.reports.asking import BOTH, ask
from under_sdk import bodies, credentials_for

from xinfer.testing.server import FakeServer, Served


@pytest.mark.parametrize(
    ("model_type", "abilities", "kind"),
    [
        ("embedding", ("embed", "embed_vision"), TextEmbedding),
        ("rerank", ("rerank", "rerank_vision"), Rerank),
    ],
)
def test_models_that_see_have_the_feature(model_type, abilities, kind):
    seeing = Served(uid="sees", model_type=model_type, abilities=abilities)
    blind = Served(uid="blind", model_type=model_type, abilities=abilities[:1])
    with FakeServer([seeing, blind]) as server:
        schemas = [
            kind([]).get_customizable_model_schema("m", credentials_for(server, uid))
            for uid in ("sees", "blind")
        ]
    assert [[feature.value for feature in schema.features] for schema in schemas] == [
        ["vision"],
        [],
    ]


@pytest.mark.parametrize(
    ("name", "model_type", "kind", "features"),
    [
        ("jina-clip-v2", "embedding", TextEmbedding, ["vision"]),
        ("gme-Qwen2-VL-2B-Instruct", "embedding", TextEmbedding, ["vision"]),
        ("Qwen3-VL-Embedding-2B", "embedding", TextEmbedding, ["vision"]),
        ("jina-embeddings-v4", "embedding", TextEmbedding, ["vision"]),
        ("jina-embeddings-v3", "embedding", TextEmbedding, []),
        ("bge-m3", "embedding", TextEmbedding, []),
        ("Qwen3-VL-Reranker-2B", "rerank", Rerank, []),  # refused by the server: texts only
    ],
)
def test_an_older_server_tells_models_that_see_by_their_names(name, model_type, kind, features):
    model = Served(uid="m", name=name, model_type=model_type, unreported=("model_ability",))
    with FakeServer([model], version="2.12.0") as server:
        credentials = credentials_for(server, "m")
        kind([]).validate_credentials("m", credentials)
        schema = kind([]).get_customizable_model_schema("m", credentials)
    assert [feature.value for feature in schema.features] == features


NOWHERE = ["", "/files/a.png", "None/files/a.png", "http:///files/a.png", "data:image/png;base64,"]


@BOTH
@pytest.mark.parametrize("url", NOWHERE)
@pytest.mark.parametrize(
    ("part", "kind", "chinese"),
    [
        (ImagePromptMessageContent, "image", "图片"),
        (AudioPromptMessageContent, "audio", "音频"),
        (VideoPromptMessageContent, "video", "视频"),
    ],
)
def test_a_file_that_leads_nowhere_is_not_sent(server, part, kind, chinese, url, streams):
    file = part(url=url, format="png", mime_type="image/png")
    messages = [UserPromptMessage(content=[TextPromptMessageContent(data="Look"), file])]
    with pytest.raises(InvokeBadRequestError, match="set FILES_URL") as raised:
        ask(server, uid="omni", streams=streams, messages=messages)
    assert f"The {kind} in the message has neither data" in str(raised.value)
    assert f"消息中的{chinese}没有数据" in str(raised.value)
    assert bodies(server, "/v1/chat/completions") == []


@pytest.mark.parametrize("url", NOWHERE)
def test_an_image_to_embed_or_rank_that_leads_nowhere_is_not_sent(server, url):
    image = MultiModalContent(content=url, content_type=MultiModalContentType.IMAGE)
    text = MultiModalContent(content="a", content_type=MultiModalContentType.TEXT)
    with pytest.raises(InvokeBadRequestError, match="set FILES_URL"):
        TextEmbedding([]).invoke_multimodal("m", credentials_for(server, "embed"), [text, image])
    with pytest.raises(InvokeBadRequestError, match="set FILES_URL"):
        Rerank([]).invoke_multimodal("m", credentials_for(server, "rerank"), text, [image])
    assert not bodies(server, "/v1/embeddings") + bodies(server, "/v1/rerank")


@pytest.mark.parametrize("ability", ["speaker_embedding", "text2music"])
def test_audio_models_that_do_not_transcribe_cannot_be_added_to_transcribe(ability):
    model = Served(uid="m", model_type="audio", abilities=(ability,))
    refused = pytest.raises(CredentialsValidateFailedError, match="Dify has no use")
    with FakeServer([model]) as server, refused:
        Speech2Text([]).validate_credentials("m", credentials_for(server, "m"))
