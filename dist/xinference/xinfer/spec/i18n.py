"""Text in the four languages that Dify shows."""

from __future__ import annotations

from attrs import field, frozen

from xinfer.spec.declaration import Declaration


@frozen
class I18n(Declaration):
    """A text for people; English is required, Dify falls back to it for the others.

    :param en_US: 1 to 1023 characters where the daemon checks it (manifest label and description).
    :param zh_Hans: Simplified Chinese, at most 1023 characters; likewise the others.

    Source: ``I18nObject`` of the daemon and of the SDK.
    """

    en_US: str
    zh_Hans: str | None = field(default=None, kw_only=True)
    ja_JP: str | None = field(default=None, kw_only=True)
    pt_BR: str | None = field(default=None, kw_only=True)

    def __str__(self) -> str:
        return self.en_US

    @property
    def chinese(self) -> str:
        """The Chinese text, or the English one where there is none."""
        return self.zh_Hans or self.en_US
