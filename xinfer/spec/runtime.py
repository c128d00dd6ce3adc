"""What serves a plugin's models, when not Python of its own: ``Project(runtime=…)``."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from xinfer.spec.declaration import Declaration


@frozen(kw_only=True)
class OpenAICompatible(Declaration):
    """Any server that speaks OpenAI's protocol, self-hosted or hosted.

    :param base_url: where the server is, up to the version part (``https://host/v1``), for users
        whose credentials do not set it; several are tried in order when credentials are
        validated, and the first that works is used.
    :param dialect: the server's own habits by name, e.g. ``vllm``; ``auto`` looks once, when
        credentials are validated.
    :param headers: sent with every request.
    """

    base_url: str | tuple[str, ...] | None = None
    dialect: str = "auto"
    headers: Mapping[str, str] = field(factory=dict)


@frozen(kw_only=True)
class Xinference(OpenAICompatible):
    """A Xinference server: its model descriptions, abilities and error words."""

    dialect: str = "xinference"
