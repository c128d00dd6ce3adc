"""Which text of several languages Dify shows.

Dify's web client has some twenty languages and data in two: it asks for Simplified Chinese or
Japanese where the user chose these, and for English otherwise. Its API keeps English and Chinese
of a provider's texts and drops the others; a manifest's texts keep all.

Source: Dify's ``web/i18n-config/language.ts``, ``I18nObject`` of its API and of graphon.
"""

from __future__ import annotations

from collections.abc import Mapping

from xinfer.spec import I18n

LANGUAGES: Mapping[str, str] = {
    "en-US": "English",
    "zh-Hans": "简体中文",
    "ja-JP": "日本語",
    "pt-BR": "Português",
    "ko-KR": "한국어",
}
"""Some of Dify's interface languages; every other one behaves like Korean."""

_DATA_LANGUAGE = {"zh-Hans": "zh_Hans", "ja-JP": "ja_JP"}
_KEPT_BY_API = ("en_US", "zh_Hans")


def provider_text(text: I18n | None, language: str) -> str:
    """Choose the text of a provider, a form, a model or a parameter."""
    if text is None:
        return ""
    attribute = _DATA_LANGUAGE.get(language, "en_US")
    chosen = getattr(text, attribute) if attribute in _KEPT_BY_API else None
    return chosen or text.en_US


def manifest_text(text: I18n, language: str) -> str:
    """Choose the text of the plugin's card, for which the daemon keeps all four languages."""
    return getattr(text, _DATA_LANGUAGE.get(language, "en_US")) or text.en_US


def interface_text(name: str, language: str, **values: object) -> str:
    """Write one of Dify's own texts, in Chinese or English."""
    english, chinese = _INTERFACE[name]
    return (chinese if language == "zh-Hans" else english).format(**values)


_INTERFACE: Mapping[str, tuple[str, str]] = {
    "add": ("Add model", "添加模型"),
    "edit": ("Edit model credential", "编辑模型凭据"),
    "provider": ("API Key Authorization Configuration", "API 密钥授权配置"),
    "section": ("Model credential", "模型凭据"),
    "add button": ("Add", "添加"),
    "save button": ("Save", "保存"),
    "remove button": ("Remove", "移除"),
    "cancel button": ("Cancel", "取消"),
    "model type": ("Model Type", "模型类型"),
    "model name": ("Model Name", "模型名称"),
    "model name placeholder": ("Please enter model name", "请输入模型名称"),
    "credential name": ("Authorization Name", "凭据名称"),
    "placeholder": ("Please enter", "请输入"),
    "required": ("{label} is required", "{label} 为必填项"),
    "model": ("Model", "模型"),
    "show models": ("{count} Models", "{count} 个模型"),
    "add model": ("Add Model", "添加模型"),
    "set up": ("Set up api-key or add model to use", "请配置 API Key 或添加模型"),
    "add key": ("Add API Key", "添加 API Key"),
    "deprecated": ("This model has been deprecated", "该模型已废弃"),
    "stop": ("Stop sequences", "停止序列"),
}
"""Dify's own words, in English and Chinese, from its ``web/i18n``."""
