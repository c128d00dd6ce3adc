"""Texts and images, as Dify sends them to embedding and rerank models, in the server's shape."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from dify_plugin.entities.model.text_embedding import MultiModalContent, MultiModalContentType

from xinfer.runtime.openai import BadRequest, Input

_TYPES: Mapping[str, str] = {
    "iVBOR": "image/png",
    "/9j/": "image/jpeg",
    "R0lG": "image/gif",
    "UklGR": "image/webp",
    "Qk": "image/bmp",
}
"""How each type of image begins, in Base64."""
_RELATIVE = ("/files/", "/v1/files/", "None/", "null/", "//")
"""How the URL of a file without a host begins; no image in Base64 begins so."""


def inputs(contents: Iterable[MultiModalContent]) -> list[Input]:
    """Write each text as it is and each image as a data URL."""
    return [one_input(content) for content in contents]


def one_input(content: MultiModalContent) -> Input:
    """Write one text or image; a URL stays one.

    :raises BadRequest: the image has neither data nor a host.
    """
    if content.content_type is MultiModalContentType.TEXT:
        return content.content
    data = content.content.strip()
    if not data.startswith(("data:", "http:", "https:", *_RELATIVE)):
        matching = (kind for begin, kind in _TYPES.items() if data.startswith(begin))
        data = f"data:{next(matching, 'image/png')};base64,{data}"
    expect_content(data, "image", "图片")
    return {"image": data}


def expect_content(url: str, english: str, chinese: str) -> None:
    """Refuse the URL of a file that leads nowhere, as Dify writes it when FILES_URL is not set.

    :raises BadRequest: it is a data URL without data, or has no host.
    """
    if not (url.partition(",")[2].strip() if url.startswith("data:") else _host(url)):
        raise BadRequest(
            f"The {english} has neither data nor an address that can be reached: set FILES_URL in "
            "Dify's configuration.",
            f"{chinese}没有数据，也没有可访问的地址：请在 Dify 的配置中设置 FILES_URL。",
        )


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return (parts.scheme and parts.hostname) or ""
