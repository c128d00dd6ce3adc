"""``python serve.py FOLDER TASK``: make a model, serve it, and print the port.

It runs in an environment of its own with ``xllamacpp`` and ``gguf``. The model has the shape of
Qwen3, a vocabulary of bytes, and weights of a seeded random generator: what it writes means
nothing, and is the same each time. ``TASK`` is ``chat``, ``embedding`` or ``rerank``.
"""

import sys
import threading
from pathlib import Path

import gguf
import numpy as np
import xllamacpp

WIDTH, LAYERS, HEADS, CONTEXT = 64, 2, 4, 512
_NORMAL, _CONTROL = 1, 3
_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def make(path, *, ranks):
    """Write the model.

    :param ranks: with a head that scores documents.
    """
    writer = gguf.GGUFWriter(path, "qwen3")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(WIDTH * 2)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_key_length(WIDTH // HEADS)
    writer.add_value_length(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(10_000.0)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokens = [*_bytes(), *specials]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([_NORMAL] * 256 + [_CONTROL] * len(specials))
    writer.add_token_merges(["Ġ t"])
    writer.add_eos_token_id(258)
    writer.add_bos_token_id(256)
    writer.add_add_bos_token(False)
    writer.add_chat_template(_TEMPLATE)
    random = np.random.default_rng(7)
    for name, shape in _tensors(len(tokens), ranks=ranks):
        ones = "norm" in name
        values = np.ones(shape) if ones else random.normal(0, 0.3, shape)
        writer.add_tensor(name, values.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _bytes():
    """List the 256 bytes as GPT-2 writes them: those that cannot be seen as letters beyond."""
    seen = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(0xAE, 0x100)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in seen else chr(next(others)) for byte in range(256)]


def _tensors(vocabulary, *, ranks):
    yield "token_embd.weight", (vocabulary, WIDTH)
    yield "output_norm.weight", (WIDTH,)
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        for part in ("attn_norm", "ffn_norm"):
            yield f"{block}{part}.weight", (WIDTH,)
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            yield f"{block}{part}.weight", (WIDTH, WIDTH)
        for part in ("attn_q_norm", "attn_k_norm"):
            yield f"{block}{part}.weight", (WIDTH // HEADS,)
        for part in ("ffn_gate", "ffn_up"):
            yield f"{block}{part}.weight", (WIDTH * 2, WIDTH)
        yield f"{block}ffn_down.weight", (WIDTH, WIDTH * 2)
    if ranks:
        yield "cls.output.weight", (1, WIDTH)


def serve(folder, task):
    """Serve until the input ends."""
    model = folder / f"{task}.gguf"
    make(model, ranks=task == "rerank")
    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.model_alias = ["tiny"]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_ctx = CONTEXT
    params.n_parallel = 1
    params.warmup = False
    params.api_keys = ["llama-key"]
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.use_jinja = True
    if task != "chat":
        params.embedding = True
        pooling = xllamacpp.llama_pooling_type
        rank, mean = pooling.LLAMA_POOLING_TYPE_RANK, pooling.LLAMA_POOLING_TYPE_MEAN
        params.pooling_type = rank if task == "rerank" else mean
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    threading.Thread(target=sys.stdin.read).run()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.argv[2])
