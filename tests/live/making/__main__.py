"""``python -m live.making FOLDER``: make the models that are not there yet, each in a folder."""

import hashlib
import shutil
import sys
import time
from importlib.metadata import version
from pathlib import Path

from live.making.registration import audio_model, language_model, text_model, write

HERE = Path(__file__).parent
_CONTEXT, _DIMENSIONS, _LONGEST = 4096, 64, 512
"""As in the modules that make the models: their libraries take long to import."""


def _chat(folder):
    from live.making.language import make_language_model

    make_language_model(folder, "qwen2.5-instruct", thinks=False)
    write(folder, "LLM", language_model("tiny-chat", "qwen2.5-instruct", context=_CONTEXT))


def _reason(folder):
    from live.making.language import make_language_model

    make_language_model(folder, "qwen3", thinks=True)
    write(folder, "LLM", language_model("tiny-reason", "qwen3", context=_CONTEXT))


def _chat_gguf(folder):
    _llama(folder, "chat", "qwen2.5-instruct")


def _reason_gguf(folder):
    _llama(folder, "reason", "qwen3")


def _llama(folder, name, family):
    from live.making.llama_file import make_llama_file

    make_llama_file(folder, folder.parent / name)
    told = language_model(f"tiny-{name}-gguf", family, context=_CONTEXT, gguf=True)
    write(folder, "LLM", told)


def _base(folder):
    shutil.copytree(folder.parent / "chat", folder, dirs_exist_ok=True)
    write(folder, "LLM", language_model("tiny-base", "qwen2.5", context=_CONTEXT))


def _embed(folder):
    from live.making.encoders import make_embedding_model

    make_embedding_model(folder)
    about = {"dimensions": _DIMENSIONS, "max_tokens": _LONGEST}
    write(folder, "embedding", text_model("tiny-embed", **about))


def _rerank(folder):
    from live.making.encoders import make_rerank_model

    make_rerank_model(folder)
    write(folder, "rerank", text_model("tiny-rerank", type="normal", max_tokens=_LONGEST))


def _whisper(folder):
    from live.making.transcriber import make_transcriber

    make_transcriber(folder)
    write(folder, "audio", audio_model("tiny-whisper", "whisper", "audio2text"))


def _kokoro(folder):
    from live.making.speaker import make_speaker

    make_speaker(folder)  # Xinference knows this one by itself: no registration


RECIPES = {
    "chat": (_chat, ("language.py", "lessons.py")),
    "reason": (_reason, ("language.py", "lessons.py")),
    "chat-gguf": (_chat_gguf, ("language.py", "lessons.py", "llama_file.py")),
    "reason-gguf": (_reason_gguf, ("language.py", "lessons.py", "llama_file.py")),
    "base": (_base, ("language.py", "lessons.py")),
    "embed": (_embed, ("encoders.py",)),
    "rerank": (_rerank, ("encoders.py",)),
    "whisper": (_whisper, ("transcriber.py",)),
    "kokoro": (_kokoro, ("speaker.py",)),
}
"""What makes each model, and the sources it depends on; some are made from those before them."""


def main(models):
    for name, (make, sources) in RECIPES.items():
        folder, record = models / name, models / name / "made"
        wanted = _digest((*sources, "registration.py", "__main__.py"))
        if record.exists() and record.read_text() == wanted:
            continue
        began = time.monotonic()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        make(folder)
        record.write_text(wanted)
        sys.stdout.write(f"Made {name} in {time.monotonic() - began:.0f} s.\n")
        sys.stdout.flush()


def _digest(sources):
    # Chat templates come from Xinference.
    texts = [version("xinference").encode(), *((HERE / name).read_bytes() for name in sources)]
    return hashlib.sha256(b"".join(texts)).hexdigest()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
