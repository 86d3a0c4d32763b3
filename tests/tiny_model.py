"""A sentence-transformers folder of one small BERT layer with random weights, which reads characters.

Texts that share characters are near each other, since the mean of the character vectors decides.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors

HIDDEN, WIDE, POSITIONS = 32, 64, 128
NAMES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
SCRIPTS = (range(0x21, 0x7F), range(0x3041, 0x30FF), range(0x4E00, 0x9FA0))


def write_tiny_model(folder: Path) -> Path:
    """Write the model into a new folder, in milliseconds and without torch."""
    characters = [chr(code) for script in SCRIPTS for code in script]
    vocabulary = {token: number for number, token in enumerate([*NAMES, *characters])}
    tokenizer: Any = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split(Regex("."), behavior="isolated")]
    )
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", None, [("[CLS]", 2), ("[SEP]", 3)])
    for name in ("1_Pooling", "2_Normalize"):
        (folder / name).mkdir(parents=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    random = np.random.default_rng(7)
    save_file(
        {
            name: random.normal(scale=0.02, size=shape).astype("<f4") + offset
            for name, shape, offset in _tensors(vocabulary)
        },
        folder / "model.safetensors",
        {"format": "pt"},
    )
    for name, content in _configuration(len(vocabulary)).items():
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return folder


def _tensors(vocabulary: dict[str, int]) -> Iterator[tuple[str, tuple[int, ...], float]]:
    """Names, shapes and means of a BertModel's weights."""
    for name, rows in (("word", len(vocabulary)), ("position", POSITIONS), ("token_type", 2)):
        yield f"embeddings.{name}_embeddings.weight", (rows, HIDDEN), 0.0
    square, widening, narrowing = (HIDDEN, HIDDEN), (WIDE, HIDDEN), (HIDDEN, WIDE)
    layer = "encoder.layer.0."
    parts = {f"{layer}attention.self.{name}": square for name in ("query", "key", "value")}
    parts |= {f"{layer}attention.output.dense": square, "pooler.dense": square}
    parts |= {f"{layer}intermediate.dense": widening, f"{layer}output.dense": narrowing}
    for name, shape in parts.items():
        yield f"{name}.weight", shape, 0.0
        yield f"{name}.bias", shape[:1], 0.0
    for name in ("embeddings", f"{layer}attention.output", f"{layer}output"):
        yield f"{name}.LayerNorm.weight", (HIDDEN,), 1.0
        yield f"{name}.LayerNorm.bias", (HIDDEN,), 0.0


def _configuration(words: int) -> dict[str, Any]:
    kinds = ("Transformer", "Pooling", "Normalize")
    return {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "dtype": "float32",
            "hidden_act": "gelu",
            "hidden_size": HIDDEN,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": WIDE,
            "vocab_size": words,
            "max_position_embeddings": POSITIONS,
            "type_vocab_size": 2,
            "layer_norm_eps": 1e-12,
            "pad_token_id": 0,
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": POSITIONS,
            "clean_up_tokenization_spaces": False,
            "pad_token": "[PAD]",
            "unk_token": "[UNK]",
            "cls_token": "[CLS]",
            "sep_token": "[SEP]",
        },
        "modules.json": [
            {
                "idx": number,
                "name": str(number),
                "path": f"{number}_{kind}" if number else "",
                "type": f"sentence_transformers.models.{kind}",
            }
            for number, kind in enumerate(kinds)
        ],
        "sentence_bert_config.json": {"max_seq_length": POSITIONS, "do_lower_case": False},
        "config_sentence_transformers.json": {
            "prompts": {},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
        "1_Pooling/config.json": {"word_embedding_dimension": HIDDEN, "pooling_mode_mean_tokens": True},
        "2_Normalize/config.json": {},
    }
