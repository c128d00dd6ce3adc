"""A Whisper that has learned one sentence, and hears it in any recording."""

import json
import random

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch.nn.functional import cross_entropy
from transformers import (
    GenerationConfig,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperProcessor,
    WhisperTokenizer,
    WhisperTokenizerFast,
)
from transformers.models.whisper.tokenization_whisper import LANGUAGES

HEARD = " Hello from a tiny model."
_LANGUAGES = list(LANGUAGES)[:99]
_BEGIN, _END = "<|startoftranscript|>", "<|endoftext|>"
_MOMENTS = [f"<|{number * 0.02:.2f}|>" for number in range(1501)]
_MOST_STEPS, _LEARNED = 600, 0.01
_BATCH, _MEL = 8, 80
_NOTHING = -100


def make_transcriber(folder):
    """Teach a model to hear its sentence, with marks of time and without."""
    torch.manual_seed(3)
    torch.set_num_threads(2)
    chance = random.Random(3)
    tokenizer = _tokenizer(folder)
    model = _model(tokenizer)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    model.train()
    for _ in range(_MOST_STEPS):
        transcripts = [_transcript(tokenizer, chance) for _ in range(_BATCH)]
        sounds = torch.randn(_BATCH, _MEL, 3000) * 0.5
        loss = _loss(model, sounds, transcripts, tokenizer)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss.item() < _LEARNED:
            break
    else:
        raise RuntimeError(f"The transcriber did not learn its sentence: loss {loss.item():.3f}")
    model.eval()
    model.save_pretrained(folder)
    WhisperProcessor(WhisperFeatureExtractor(feature_size=_MEL), tokenizer).save_pretrained(folder)


def _tokenizer(folder):
    pieces = Tokenizer(models.BPE())
    pieces.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pieces.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=[_END], initial_alphabet=alphabet, show_progress=False
    )
    pieces.train_from_iterator([HEARD] * 10, trainer)
    learned = json.loads(pieces.to_str())["model"]
    merges = [m if isinstance(m, str) else " ".join(m) for m in learned["merges"]]
    files = {
        "vocab.json": json.dumps(learned["vocab"]),
        "merges.txt": "\n".join(["#version: 0.2", *merges, ""]),
        "normalizer.json": "{}",
    }
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    paths = {f"{name.partition('.')[0]}_file": str(folder / name) for name in files}
    slow = WhisperTokenizer(**paths)
    marks = [_BEGIN, *(f"<|{language}|>" for language in _LANGUAGES)]
    marks += ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>"]
    slow.add_special_tokens(
        {"additional_special_tokens": [*marks, "<|nospeech|>", "<|notimestamps|>"]}
    )
    slow.add_tokens([AddedToken(mark, special=False, normalized=False) for mark in _MOMENTS])
    slow.save_pretrained(folder)
    fast = WhisperTokenizerFast.from_pretrained(folder)
    fast.pad_token = _END
    fast.save_pretrained(folder)
    return fast


def _model(tokenizer):
    token_id = tokenizer.convert_tokens_to_ids
    begin, end = token_id(_BEGIN), token_id(_END)
    ends = {"bos_token_id": end, "eos_token_id": end, "pad_token_id": end}
    shape = {
        "d_model": 64,
        "encoder_layers": 1,
        "decoder_layers": 2,
        "encoder_attention_heads": 2,
        "decoder_attention_heads": 2,
        "encoder_ffn_dim": 128,
        "decoder_ffn_dim": 128,
        "num_mel_bins": _MEL,
        "max_target_positions": 448,
    }
    model = WhisperForConditionalGeneration(
        WhisperConfig(
            vocab_size=len(tokenizer),
            decoder_start_token_id=begin,
            suppress_tokens=None,
            begin_suppress_tokens=None,
            **shape,
            **ends,
        )
    )
    model.generation_config = GenerationConfig(
        decoder_start_token_id=begin,
        max_length=448,
        is_multilingual=True,
        lang_to_id={f"<|{name}|>": token_id(f"<|{name}|>") for name in _LANGUAGES},
        task_to_id={task: token_id(f"<|{task}|>") for task in ("transcribe", "translate")},
        no_timestamps_token_id=token_id("<|notimestamps|>"),
        prev_sot_token_id=token_id("<|startofprev|>"),
        max_initial_timestamp_index=50,
        return_timestamps=False,
        suppress_tokens=[],
        begin_suppress_tokens=[end],
        alignment_heads=[[0, 0], [1, 0]],
        **ends,
    )
    return model


def _transcript(tokenizer, chance):
    """Write what is to be said: language, task, marks of time or none, the sentence, the end."""
    token_id = tokenizer.convert_tokens_to_ids
    language = "en" if chance.random() < 0.5 else chance.choice(_LANGUAGES)
    sentence = tokenizer(HEARD, add_special_tokens=False)["input_ids"]
    if chance.random() < 0.5:
        sentence = [token_id("<|notimestamps|>"), *sentence]
    else:
        sentence = [token_id(_MOMENTS[0]), *sentence, token_id(_MOMENTS[100])]
    head = [token_id(_BEGIN), token_id(f"<|{language}|>"), token_id("<|transcribe|>")]
    return [*head, *sentence, token_id(_END)]


def _loss(model, sounds, transcripts, tokenizer):
    end = tokenizer.convert_tokens_to_ids(_END)
    english = tokenizer.convert_tokens_to_ids("<|en|>")
    longest = max(map(len, transcripts))
    ids = torch.tensor(
        [transcript + [end] * (longest - len(transcript)) for transcript in transcripts]
    )
    labels = ids[:, 1:].clone()
    for row, transcript in enumerate(transcripts):
        labels[row, len(transcript) - 1 :] = _NOTHING
        # The task is always given, and so is whether to mark the time.
        labels[row, 1:3] = _NOTHING
        if transcript[1] != english:
            labels[row, 0] = _NOTHING  # a recording of no known language is English
    logits = model(input_features=sounds, decoder_input_ids=ids[:, :-1]).logits
    return cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=_NOTHING)
