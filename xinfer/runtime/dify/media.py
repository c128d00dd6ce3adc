"""Texts and images, as Dify sends them to embedding and rerank models, in the server's shape."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dify_plugin.entities.model.text_embedding import MultiModalContent, MultiModalContentType

from xinfer.runtime.openai import Input

_TYPES: Mapping[str, str] = {
    "iVBOR": "image/png",
    "/9j/": "image/jpeg",
    "R0lG": "image/gif",
    "UklGR": "image/webp",
    "Qk": "image/bmp",
}
"""How each type of image begins, in Base64."""


def inputs(contents: Iterable[MultiModalContent]) -> list[Input]:
    """Write each text as it is and each image as a data URL."""
    return [one_input(content) for content in contents]


def one_input(content: MultiModalContent) -> Input:
    """Write one text or image; a URL stays one."""
    if content.content_type is MultiModalContentType.TEXT:
        return content.content
    data = content.content
    if not data.startswith(("data:", "http://", "https://")):
        matching = (kind for begin, kind in _TYPES.items() if data.startswith(begin))
        data = f"data:{next(matching, 'image/png')};base64,{data}"
    return {"image": data}
