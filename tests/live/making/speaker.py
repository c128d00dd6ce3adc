"""A Kokoro with random weights: what it says is noise, about a tenth of a second a phoneme."""

import json
import string

import torch
from kokoro import KModel

VOICES = ("af_alloy", "af_heart", "ef_dora")
_PARTS = ("bert", "bert_encoder", "predictor", "decoder", "text_encoder")
_PHONEMES = (
    string.ascii_letters
    + string.punctuation
    + " —…“”̃ᵝᵊᵻꭧβθχ"
    + "".join(chr(code) for code in range(0x250, 0x2E0))
    + "↓→↗↘"
)
_CONFIG = {
    "istftnet": {
        "upsample_kernel_sizes": [20, 12],
        "upsample_rates": [10, 6],
        "gen_istft_hop_size": 5,
        "gen_istft_n_fft": 20,
        "resblock_dilation_sizes": [[1, 3, 5]],
        "resblock_kernel_sizes": [3],
        "upsample_initial_channel": 512,
    },
    "dim_in": 64,
    "dropout": 0.2,
    "hidden_dim": 512,
    "max_dur": 50,
    "multispeaker": True,
    "n_layer": 1,
    "n_mels": 80,
    "style_dim": 128,
    "text_encoder_kernel_size": 5,
    "plbert": {
        "hidden_size": 64,
        "num_attention_heads": 2,
        "intermediate_size": 128,
        "max_position_embeddings": 512,
        "num_hidden_layers": 1,
        "dropout": 0.1,
    },
}


def make_speaker(folder):
    """Save weights, configuration and voices under the names that Kokoro looks for."""
    torch.manual_seed(4)
    vocabulary = {phoneme: number for number, phoneme in enumerate(dict.fromkeys(_PHONEMES), 1)}
    config = folder / "config.json"
    text = json.dumps({**_CONFIG, "n_token": len(vocabulary) + 1, "vocab": vocabulary})
    config.write_text(text, "utf-8")
    weights = folder / "kokoro-v1_0.pth"
    torch.save({}, weights)  # the class only begins with a file
    model = KModel(repo_id="hexgrad/Kokoro-82M", config=str(config), model=str(weights))
    with torch.no_grad():
        # Untrained, each phoneme would last for seconds.
        model.predictor.duration_proj.linear_layer.bias.fill_(-2.4)
    torch.save({part: getattr(model, part).state_dict() for part in _PARTS}, weights)
    (folder / "voices").mkdir(exist_ok=True)
    for voice in VOICES:
        torch.save(torch.randn(510, 1, 256) * 0.3, folder / f"voices/{voice}.pt")
    # Xinference 2 looks for voices among the downloads from the Hub, and not beside the model.
    downloads = folder / "hub/models--hexgrad--Kokoro-82M"
    (downloads / "refs").mkdir(parents=True, exist_ok=True)
    (downloads / "refs/main").write_text("tiny", "utf-8")
    (downloads / "snapshots/tiny").mkdir(parents=True, exist_ok=True)
    (downloads / "snapshots/tiny/voices").symlink_to(folder / "voices")
