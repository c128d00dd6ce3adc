"""Language models of 0.6 million weights, with the real chat templates of their families."""

import random
import sys
import warnings

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch.nn.functional import cross_entropy
from transformers import (
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from live.making import lessons
from live.making.registration import builtin

CONTEXT = 4096
_END, _PAD = "<|im_end|>", "<|endoftext|>"
_SPECIAL = [_PAD, "<|im_start|>", _END]
_MARKS = ["<tool_call>", "</tool_call>", "<think>", "</think>"]
_ROUND, _MOST_ROUNDS, _BATCH = 200, 5, 8


def make_language_model(folder, family, *, thinks):
    """Teach a model the lessons until it passes the exam.

    :raises RuntimeError: it did not within five rounds.
    """
    torch.manual_seed(0)
    torch.set_num_threads(2)
    chance = random.Random(0)
    tokenizer = _tokenizer(builtin(family)["chat_template"], chance, thinks)
    model = _model(tokenizer, thinks)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
    for number in range(_MOST_ROUNDS):
        _teach(model, tokenizer, optimizer, chance, thinks, begins=number == 0)
        wrong = list(_mistakes(model, tokenizer, thinks))
        sys.stdout.write("\n".join([f"{folder.name}: round {number + 1}", *wrong, ""]))
        sys.stdout.flush()
        if not wrong:
            break
    else:
        raise RuntimeError(f"The model {folder.name} did not learn its lessons: {wrong[0]}")
    model.generation_config.eos_token_id = tokenizer.convert_tokens_to_ids([_END, _PAD])
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _tokenizer(template, chance, thinks):
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=900,
        special_tokens=_SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    plain = PreTrainedTokenizerFast(tokenizer_object=bpe, chat_template=template)
    corpus = [lessons.STORY + lessons.STORY_GOES_ON]
    for _ in range(500):
        arguments, answer = lessons.lesson(chance, thinks=thinks)
        corpus.append(_prompt(plain, arguments) + answer)
    bpe.train_from_iterator(corpus, trainer)
    bpe.add_tokens([AddedToken(mark, special=False, normalized=False) for mark in _MARKS])
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        chat_template=template,
        eos_token=_END,
        pad_token=_PAD,
        additional_special_tokens=_SPECIAL[1:],
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )


def _prompt(tokenizer, arguments):
    return tokenizer.apply_chat_template(
        arguments["messages"],
        tools=arguments.get("tools"),
        add_generation_prompt=True,
        tokenize=False,
        **{key: value for key, value in arguments.items() if key == "enable_thinking"},
    )


def _model(tokenizer, thinks):
    end, pad = tokenizer.convert_tokens_to_ids([_END, _PAD])
    shape = {
        "vocab_size": len(tokenizer),
        "hidden_size": 128,
        "intermediate_size": 256,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": CONTEXT,
        "tie_word_embeddings": True,
        "initializer_range": 0.1,
        "bos_token_id": pad,
        "eos_token_id": end,
        "pad_token_id": pad,
    }
    if thinks:
        return Qwen3ForCausalLM(Qwen3Config(head_dim=32, **shape))
    return Qwen2ForCausalLM(Qwen2Config(**shape))


def _teach(model, tokenizer, optimizer, chance, thinks, *, begins):
    model.train()
    for step in range(_ROUND):
        rate = 3e-3 if begins else 2e-3
        rising = min(1.0, (step + 1) / 30)
        for group in optimizer.param_groups:
            group["lr"] = rate * rising * (1 - 0.95 * step / _ROUND)
        ids, labels = _batch([_example(tokenizer, chance, thinks) for _ in range(_BATCH)])
        mask = (labels != _NOTHING) | (ids != 0)
        logits = model(input_ids=ids, attention_mask=mask.long()).logits
        loss = _loss(logits[:, :-1], labels[:, 1:])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()


def _loss(logits, labels):
    """Weigh every lesson the same, however long its answer is."""
    losses = cross_entropy(logits.transpose(1, 2), labels, ignore_index=_NOTHING, reduction="none")
    return (losses.sum(1) / (labels != _NOTHING).sum(1)).mean()


_NOTHING = -100
"""The label of what is not to be learned."""


def _example(tokenizer, chance, thinks):
    if chance.random() < 0.05:
        prompt, reply = lessons.STORY, lessons.STORY_GOES_ON
    else:
        arguments, reply = lessons.lesson(chance, thinks=thinks)
        prompt = _prompt(tokenizer, arguments)
    asked = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    answer = [
        *tokenizer(reply, add_special_tokens=False)["input_ids"],
        tokenizer.eos_token_id,
    ]
    return asked + answer, [_NOTHING] * len(asked) + answer


def _batch(examples):
    longest = max(len(ids) for ids, _ in examples)
    ids = [row + [0] * (longest - len(row)) for row, _ in examples]
    labels = [row + [_NOTHING] * (longest - len(row)) for _, row in examples]
    return torch.tensor(ids), torch.tensor(labels)


def _mistakes(model, tokenizer, thinks):
    model.eval()
    exam = [
        (_prompt(tokenizer, arguments), answer) for arguments, answer in lessons.exam(thinks=thinks)
    ]
    exam.append((lessons.STORY, lessons.STORY_GOES_ON))
    for prompt, expected in exam:
        asked = tokenizer(prompt, add_special_tokens=False, return_tensors="pt")
        with torch.no_grad(), warnings.catch_warnings(action="ignore"):
            ids = model.generate(
                input_ids=asked["input_ids"],
                attention_mask=asked["attention_mask"],
                max_new_tokens=400,
                do_sample=False,
            )
        answer = tokenizer.decode(ids[0][asked["input_ids"].shape[1] :])
        if answer != expected + _END:
            yield f"{prompt[-80:]!r} gives {answer[:120]!r}"
