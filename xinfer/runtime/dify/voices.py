"""Voices: the user's own, else those of the model's family."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from xinfer.runtime.openai import ModelDescription
from xinfer.spec import Voice


def _voices(*values: str) -> dict[str, str]:
    return {value: value.partition("_")[2].title() or value for value in values}


_KOKORO = {
    "en-US": _voices(
        "af_heart",
        "af_alloy",
        "af_aoede",
        "af_bella",
        "af_jessica",
        "af_kore",
        "af_nicole",
        "af_nova",
        "af_river",
        "af_sarah",
        "af_sky",
        "am_adam",
        "am_echo",
        "am_eric",
        "am_fenrir",
        "am_liam",
        "am_michael",
        "am_onyx",
        "am_puck",
        "am_santa",
    ),
    "en-GB": _voices(
        "bf_alice",
        "bf_emma",
        "bf_isabella",
        "bf_lily",
        "bm_daniel",
        "bm_fable",
        "bm_george",
        "bm_lewis",
    ),
    "zh-Hans": _voices(
        "zf_xiaobei",
        "zf_xiaoni",
        "zf_xiaoxiao",
        "zf_xiaoyi",
        "zm_yunjian",
        "zm_yunxi",
        "zm_yunxia",
        "zm_yunyang",
    ),
    "ja-JP": _voices("jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro", "jm_kumo"),
    "es-ES": _voices("ef_dora", "em_alex", "em_santa"),
    "fr-FR": _voices("ff_siwis"),
    "hi-IN": _voices("hf_alpha", "hf_beta", "hm_omega", "hm_psi"),
    "it-IT": _voices("if_sara", "im_nicola"),
    "pt-BR": _voices("pf_dora", "pm_alex", "pm_santa"),
}
_COSYVOICE = {
    "zh-Hans": {"中文女": "中文女", "中文男": "中文男", "粤语女": "粤语女"},
    "en-US": {"英文女": "English, female", "英文男": "English, male"},
    "ja-JP": {"日语男": "日本語、男性"},
    "ko-KR": {"韩语女": "한국어, 여성"},
}
_KOKORO_ZH = {"en-US": _voices("af_maple", "af_sol"), "en-GB": _voices("bf_vale")}
"""Of the model card of Kokoro-82M-v1.1-zh, whose hundred Chinese voices have numbers for names."""
_FAMILIES: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "Kokoro-zh": _KOKORO_ZH,
    "Kokoro": _KOKORO,
    "CosyVoice": _COSYVOICE,
}
"""Voices by language, of the families whose names begin so, the first that fits: those that the
models themselves publish. Families that speak with any voice, or clone one, have none."""
_CLONES, _HAS_VOICES = "text2audio_voice_cloning", "text2audio_zero_shot"
"""Abilities. CosyVoice-300M has the first alone: none of its family's voices is its own."""

DEFAULT = "default"
"""The voice that the server chooses by itself; listed if no other is declared."""


def voices(
    description: ModelDescription, declared: Collection[Voice], language: str | None = None
) -> dict[str, str]:
    """List value and name of each voice; there is always one, and the first is the default.

    :param declared: the project's own, or those that the user entered.
    :param language: of the text, e.g. ``en-US``; voices of other languages are left out.
    """
    if own := [voice for voice in declared if _speaks(voice.language, language)]:
        return {voice.mode: voice.name for voice in own}
    presets = _presets(description).items()
    spoken = [listed for tongue, listed in presets if _speaks((tongue,), language)]
    return {DEFAULT: "Default"} | {
        value: name for listed in spoken for value, name in listed.items()
    }


def _presets(description: ModelDescription) -> Mapping[str, Mapping[str, str]]:
    """Return the voices of a model's family by language."""
    if _CLONES in description.abilities and _HAS_VOICES not in description.abilities:
        return {}
    families = (name for name in _FAMILIES if description.family.startswith(name))
    return _FAMILIES.get(next(families, ""), {})


def _speaks(tongues: Collection[str], language: str | None) -> bool:
    """Return whether a voice is for a language; one without languages is for all."""
    if not language or not tongues:
        return True
    return language.split("-")[0] in {tongue.split("-")[0] for tongue in tongues}
