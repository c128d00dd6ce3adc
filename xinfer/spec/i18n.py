"""A text in Dify's four languages."""

from __future__ import annotations

from attrs import field, frozen

from xinfer.spec.declaration import Declaration


@frozen
class I18n(Declaration):
    """A text that Dify shows; in English if the user's language is absent.

    :param en_US: 1 to 1023 characters in the manifest's label and description.
    :param zh_Hans: Simplified Chinese; at most 1023 characters there, as the others.
    :param ja_JP: Japanese; Dify shows it of the manifest alone.
    :param pt_BR: Portuguese; Dify reads it of the manifest alone.

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
