"""A sentence-transformers CrossEncoder of one small BERT layer with random weights, which reads characters."""

from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

POSITIONS = 64
_NAMES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
_SCRIPTS = (range(0x21, 0x7F), range(0x3041, 0x30FF))


def write_tiny_cross_encoder(folder: Path, labels: int = 1, *, damaged: bool = False) -> Path:
    """Write the model into a new folder; it gives `labels` numbers for a pair, or none that is finite if `damaged`."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    characters = [chr(code) for script in _SCRIPTS for code in script]
    pieces = [*_NAMES, *characters, *(f"##{character}" for character in characters)]
    tokenizer: Any = Tokenizer(models.WordPiece({piece: row for row, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    make_config: Any = BertConfig  # its stub leaves arguments of the base class out
    config = make_config(
        vocab_size=len(pieces),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=POSITIONS,
        num_labels=labels,
        pad_token_id=0,
        initializer_range=0.3,  # wide, so that pairs differ
    )
    with torch.random.fork_rng():
        torch.manual_seed(7)
        model: Any = BertForSequenceClassification(config)
    if damaged:
        model.classifier.weight.data.fill_(float("nan"))
    model.save_pretrained(folder)
    wrap: Any = PreTrainedTokenizerFast  # not typed
    wrap(
        tokenizer_object=tokenizer,
        model_max_length=POSITIONS,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    ).save_pretrained(folder)
    return folder
