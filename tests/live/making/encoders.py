"""An embedding and a rerank model: small BERTs with the random weights they begin with.

What they answer means nothing, but is the same for the same text every time.
"""

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.models import Normalize, Pooling, Transformer
from transformers import BertConfig, BertForSequenceClassification, BertModel, BertTokenizerFast

DIMENSIONS = 64
LONGEST = 512
_SHAPE = {
    "hidden_size": DIMENSIONS,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 128,
    "max_position_embeddings": LONGEST,
    "initializer_range": 0.3,
}


def make_embedding_model(folder):
    """Save a model that sentence-transformers loads."""
    torch.manual_seed(1)
    size = _save_tokenizer(folder)
    BertModel(BertConfig(vocab_size=size, **_SHAPE)).save_pretrained(folder)
    words = Transformer(str(folder), max_seq_length=LONGEST)
    pooling = Pooling(DIMENSIONS, pooling_mode="mean")
    SentenceTransformer(modules=[words, pooling, Normalize()]).save(str(folder))


def make_rerank_model(folder):
    """Save a cross-encoder with one score."""
    torch.manual_seed(2)
    size = _save_tokenizer(folder)
    config = BertConfig(vocab_size=size, num_labels=1, **_SHAPE)
    BertForSequenceClassification(config).save_pretrained(folder)


def _save_tokenizer(folder):
    """Every printable ASCII character is a token, alone or inside a word."""
    characters = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters]
    tokens += [f"##{character}" for character in characters]
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(tokens) + "\n", "utf-8")
    BertTokenizerFast(vocab_file=str(vocabulary), model_max_length=LONGEST).save_pretrained(folder)
    return len(tokens)
