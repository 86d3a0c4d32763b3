"""The forward pass of a plain BERT encoder with mean pooling, read straight from its folder.

What sentence-transformers computes for such a folder, several times faster on a CPU: weights laid out once for the
matrix kernels, query, key and value in one product, no per-call wrapping. In bfloat16 only the matrix products and
the attention are; the residual stream, layer norms and pooling stay float32, because cosines of e5 lie close
together and their order must survive.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from enmusubi.matching.encoder.word_rows import WordRows

if TYPE_CHECKING:
    from torch import Tensor

    Linear = Callable[[Tensor], Tensor]


_SHORT = 64  # tokens up to which attention is faster, and more exact, in float32
# Below so many tokens a second thread gains less than waking it costs, and the requests around need the processor.
_ONE_THREAD = 1024


class _Norm(NamedTuple):
    weight: "Tensor"
    bias: "Tensor"


class _Layer(NamedTuple):
    query_key_value: "Linear"
    attention_output: "Linear"
    attention_norm: _Norm
    intermediate: "Linear"
    output: "Linear"
    output_norm: _Norm


def describes_plain_bert(folder: Path) -> bool:
    """Whether the folder is Transformer, mean Pooling, Normalize over a BERT encoder this module computes."""
    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        pooling = json.loads((folder / modules[1]["path"] / "config.json").read_text(encoding="utf-8"))
        kinds = [str(module["type"]).rsplit(".", 1)[-1] for module in modules]
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return False
    modes = {key for key, value in pooling.items() if key.startswith("pooling_mode_") and value}
    return (
        kinds == ["Transformer", "Pooling", "Normalize"]
        and modes == {"pooling_mode_mean_tokens"}
        and config.get("model_type") == "bert"
        and config.get("hidden_act") == "gelu"
        and config.get("position_embedding_type", "absolute") == "absolute"
        and not config.get("is_decoder", False)
        and (folder / "model.safetensors").is_file()
        and (folder / "tokenizer.json").is_file()
    )


def _linear(weight: "Tensor", bias: "Tensor", *, gelu: bool = False) -> "Linear":
    """A product with the weight laid out once for oneDNN's kernels where this build of torch offers that."""
    import torch
    from torch.nn import functional

    activation, algorithm = ("gelu", "none") if gelu else ("none", "")
    try:
        packed = torch.ops.mkldnn._reorder_linear_weight(weight, 256)
        product = torch.ops.mkldnn._linear_pointwise
        product(weight.new_zeros(1, weight.shape[1]), packed, bias, activation, [], algorithm)
    except (AttributeError, RuntimeError):  # NotImplementedError is a RuntimeError
        if gelu:
            return lambda values: functional.gelu(functional.linear(values, weight, bias))
        return lambda values: functional.linear(values, weight, bias)

    def packed_linear(values: "Tensor") -> "Tensor":
        result: Tensor = product(values, packed, bias, activation, [], algorithm)
        return result

    return packed_linear


def _round_up(number: int) -> int:
    """Few distinct sizes: the kernels are compiled, and kept in memory, for each size they meet."""
    step = 8 if number <= 64 else 32 if number <= 512 else 128
    return -(-number // step) * step


class _Grid(NamedTuple):
    """Where the tokens of a batch, lying one after the other, are in a padded table of windows.

    After the last token follow a few rows that belong to no window and fill up to a round number.
    """

    windows: int
    longest: int
    tokens: int
    lengths: "Tensor"
    rows: "Tensor"  # a token's window, the number of windows for a filling row
    places: "Tensor"  # a token's position in its window
    slots: "Tensor | None"  # a token's cell in the padded table; None when all cells are taken in order
    mask: "Tensor | None"  # without a mask attention takes a faster kernel

    @classmethod
    def of(cls, sizes: Sequence[int]) -> Self:
        import torch

        lengths = torch.tensor(sizes)
        windows, tokens = len(sizes), sum(sizes)
        longest = max(sizes) if max(sizes) <= _SHORT else _round_up(max(sizes))
        present = torch.arange(longest)[None] < lengths[:, None]
        slots = present.flatten().nonzero().flatten()
        filling = torch.zeros(_round_up(tokens) - tokens, dtype=torch.int64)
        full = tokens == windows * longest
        return cls(
            windows,
            longest,
            tokens,
            lengths,
            torch.cat([slots // longest, filling + windows]),
            torch.cat([slots % longest, filling]),
            None if full and not len(filling) else torch.cat([slots, filling]),
            None if full else present[:, None, None, :],
        )


class BertForward:
    """Token windows in, mean-pooled vectors out; not thread-safe."""

    def __init__(self, folder: Path, precision: str) -> None:
        """Read `folder` (see `describes_plain_bert`); `precision` is `float32` or `bfloat16`."""
        import torch
        from safetensors import safe_open
        from tokenizers import Tokenizer

        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self._heads = int(config["num_attention_heads"])
        self._hidden = int(config["hidden_size"])
        self._epsilon = float(config["layer_norm_eps"])
        self._dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
        self._threads = torch.get_num_threads()
        self.dimension = self._hidden
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._weights: Any = safe_open(folder / "model.safetensors", framework="pt")
        self._words = self._word_vectors(folder, "embeddings.word_embeddings.weight")
        self._positions = (
            self._tensor("embeddings.position_embeddings.weight")
            + self._tensor("embeddings.token_type_embeddings.weight")[0]
        )
        self._embedding_norm = self._norm("embeddings.LayerNorm")
        self._layers = [self._layer(number) for number in range(int(config["num_hidden_layers"]))]
        del self._weights

    def _word_vectors(self, folder: Path, name: str) -> "WordRows | Tensor":
        try:
            return WordRows(folder / "model.safetensors", name)
        except ValueError:
            return self._tensor(name)  # stored in another precision: converted, and kept

    def _tensor(self, name: str) -> "Tensor":
        import torch

        tensor: Tensor = self._weights.get_tensor(name)
        return tensor.to(torch.float32)

    def _norm(self, name: str) -> _Norm:
        return _Norm(self._tensor(f"{name}.weight").clone(), self._tensor(f"{name}.bias").clone())

    def _product(self, *names: str, gelu: bool = False) -> "Linear":
        import torch

        weight = torch.cat([self._tensor(f"{name}.weight") for name in names])
        bias = torch.cat([self._tensor(f"{name}.bias") for name in names])
        return _linear(weight.to(self._dtype), bias.to(self._dtype), gelu=gelu)

    def _layer(self, number: int) -> _Layer:
        name = f"encoder.layer.{number}"
        return _Layer(
            self._product(*(f"{name}.attention.self.{part}" for part in ("query", "key", "value"))),
            self._product(f"{name}.attention.output.dense"),
            self._norm(f"{name}.attention.output.LayerNorm"),
            self._product(f"{name}.intermediate.dense", gelu=True),
            self._product(f"{name}.output.dense"),
            self._norm(f"{name}.output.LayerNorm"),
        )

    def _normalise(self, values: "Tensor", norm: _Norm) -> "Tensor":
        from torch.nn.functional import layer_norm

        return layer_norm(values, (self._hidden,), norm.weight, norm.bias, self._epsilon)

    def means(self, windows: Sequence[Sequence[int]], padding: int) -> NDArray[np.float32]:
        """Mean of the last hidden states of each window (special tokens included), shape (windows, dimension)."""
        import torch

        grid = _Grid.of([len(window) for window in windows])
        tokens = [token for window in windows for token in window]
        torch.set_num_threads(1 if len(tokens) < _ONE_THREAD else self._threads)
        with torch.inference_mode():
            ids = torch.tensor([*tokens, *[padding] * (len(grid.rows) - len(tokens))])
            residual = self._normalise(self._words[ids] + self._positions[grid.places], self._embedding_norm)
            for layer in self._layers:
                context = self._attend(layer.query_key_value(residual.to(self._dtype)), grid)
                residual = self._normalise(residual + layer.attention_output(context), layer.attention_norm)
                widened = layer.intermediate(residual.to(self._dtype))
                residual = self._normalise(residual + layer.output(widened), layer.output_norm)
            sums = torch.zeros(grid.windows + 1, self._hidden).index_add_(0, grid.rows, residual)
            means: NDArray[np.float32] = (sums[:-1] / grid.lengths[:, None]).numpy()
            return means

    def _attend(self, projected: "Tensor", grid: "_Grid") -> "Tensor":
        """Attention within each window; tokens lie one after the other, only attention itself sees padding."""
        import torch
        from torch.nn.functional import scaled_dot_product_attention

        if grid.slots is not None:
            table = projected.new_zeros(grid.windows * grid.longest, projected.shape[1])
            projected = table.index_copy_(0, grid.slots[: grid.tokens], projected[: grid.tokens])
        if grid.longest <= _SHORT:
            projected = projected.to(torch.float32)
        parts = projected.view(grid.windows, grid.longest, 3, self._heads, self._hidden // self._heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        context = scaled_dot_product_attention(query, key, value, attn_mask=grid.mask)
        context = context.transpose(1, 2).reshape(grid.windows * grid.longest, self._hidden).to(self._dtype)
        return context if grid.slots is None else context.index_select(0, grid.slots)
