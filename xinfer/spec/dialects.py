"""What differs between OpenAI-compatible servers, as data: where to ask, and how to send.

Answers are read alike whatever the dialect. A path is relative to the base URL; one that begins
with a slash is relative to the base URL without its version part.
"""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class Dialect:
    """How one kind of server is spoken to.

    :param name: as a declaration names it.
    :param version: appended to a base URL that does not end in it, e.g. ``/v1``; empty where
        the base URL is taken as it is.
    :param models: path of the list of models; ``None`` where there is none.
    :param model: path of one model's description, with ``{model}``; ``None`` where the list
        tells all there is.
    :param rerank: path; ``None`` where the server has no rerank.
    :param documents: the key of a rerank request's documents.
    :param encoding_format: how embeddings are asked for; ``None`` leaves the key out.
    :param stream_options: whether streams may be asked for their usage.
    """

    name: str
    version: str = ""
    models: str | None = "models"
    model: str | None = None
    chat: str = "chat/completions"
    completions: str = "completions"
    embeddings: str = "embeddings"
    rerank: str | None = "rerank"
    documents: str = "documents"
    speech: str = "audio/speech"
    transcriptions: str = "audio/transcriptions"
    encoding_format: str | None = "base64"
    stream_options: bool = True


OPENAI = Dialect(name="openai")
XINFERENCE = Dialect(name="xinference", version="/v1", model="models/{model}")
