"""What Xinference must be told to run a model of one's own: the text of a registration.

``{folder}`` in it stands for the folder of the model, which is known when it is registered.
"""

import json
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

_HERE = "file://{folder}"


def builtin(family):
    """Read how Xinference itself describes a family of language models.

    Each has a file of its own, as in 3.5; in 2.12 one file holds them all.
    """
    folder = Path(find_spec("xinference").origin).parent / "model/llm"
    files = (*folder.glob("llm_family.json"), *folder.glob(f"models/{family}.json"))
    (description,) = [
        model
        for file in files
        for model in json.loads(file.read_text("utf-8"))
        if model["model_name"] == family
    ]
    return description


def write(folder, kind, model):
    """Leave a registration beside the model."""
    text = json.dumps({"kind": kind, "model": {"version": 2, **model}}, indent=1)
    (folder / "registration.json").write_text(text, "utf-8")


def language_model(name, family, *, context, gguf=False):
    """Describe a language model with the abilities and the chat template of a built-in family."""
    told = builtin(family)
    keys = ("chat_template", "stop", "tool_parser", "reasoning_start_tag", "reasoning_end_tag")
    size = {"model_size_in_billions": "0_1", "model_id": None, "model_uri": _HERE}
    files = {"model_format": "pytorch", "quantization": "none"}
    if gguf:
        files = {
            "model_format": "ggufv2",
            "quantization": "f32",
            "model_file_name_template": "tiny.gguf",
        }
    stops = {"stop_token_ids": [0, 1, 2]} if "chat_template" in told else {}
    return {
        "model_name": name,
        "model_family": family,
        "model_lang": ["en"],
        "model_description": "A tiny model for tests",
        "model_ability": told["model_ability"],
        "architectures": told["architectures"],
        "context_length": context,
        "model_specs": [size | files],
        **{key: told[key] for key in keys if key in told},
        **stops,
    }


def text_model(name, **about):
    """Describe an embedding or rerank model."""
    files = {
        "model_format": "pytorch",
        "quantization": "none",
        "model_id": None,
        "model_uri": _HERE,
    }
    return {"model_name": name, "language": ["en"], "model_specs": [files], **about}


def audio_model(name, family, ability):
    """Describe a model that listens or speaks."""
    # Xinference 2 takes a model that names any engine for one of MLX.
    engine = {} if version("xinference").startswith("2.") else {"engine": "transformers"}
    return {
        "model_name": name,
        "model_family": family,
        "model_ability": [ability],
        **engine,
        "model_format": "pytorch",
        "multilingual": True,
        "model_id": "none/none",
        "model_revision": None,
        "model_uri": _HERE,
    }
