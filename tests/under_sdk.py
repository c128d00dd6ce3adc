"""The plugin's model classes under the SDK's own bases, with credentials for a server."""

import inspect
from types import SimpleNamespace

import provider_spec
from xinfer.runtime.dify import llm, rerank, speech2text, text_embedding, tts


class LLM(llm.LargeLanguageModel):
    project = provider_spec.project


class TextEmbedding(text_embedding.TextEmbeddingModel):
    project = provider_spec.project


class Rerank(rerank.RerankModel):
    project = provider_spec.project


class Speech2Text(speech2text.Speech2TextModel):
    project = provider_spec.project


class TTS(tts.TTSModel):
    project = provider_spec.project


def credentials_for(server, uid, **more):
    """What a user entered, as Dify stores it: all texts."""
    return {"server_url": server.url, "model_uid": uid, "max_retries": "0", **more}


def bodies(server, route):
    """The bodies of the requests to a route, in order."""
    return [arrived.body for arrived in server.requests if arrived.route == route]


def routes(server):
    return [f"{arrived.method} {arrived.route}" for arrived in server.requests]


def reply_of(result):
    """What a language model's answer comes to: text, calls, usage, finish reason."""
    if not inspect.isgenerator(result):
        return SimpleNamespace(
            text=result.message.content,
            calls=result.message.tool_calls,
            usage=result.usage,
            reason=None,
            pieces=[result],
        )
    pieces = list(result)
    return SimpleNamespace(
        text="".join(piece.delta.message.content for piece in pieces),
        calls=[call for piece in pieces for call in piece.delta.message.tool_calls],
        usage=next((p.delta.usage for p in pieces if p.delta.usage), None),
        reason=pieces[-1].delta.finish_reason,
        pieces=pieces,
    )
