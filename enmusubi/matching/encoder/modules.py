"""The forward pass of any other sentence-transformers model, through the library itself."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from enmusubi.matching.encoder.protocol import Role

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_PROMPT_NAMES: dict[Role, tuple[str, ...]] = {"need": ("query",), "seed": ("passage", "document")}


class ModulesForward:
    """Token windows in, pooled vectors out, by the modules of a loaded SentenceTransformer; not thread-safe."""

    def __init__(self, source: str | Path, precision: str) -> None:
        """Load a name or path as sentence-transformers does (HF_HUB_OFFLINE included).

        Raises OSError or ValueError, as the library does, when there is no such model, and ValueError when its
        tokenizer is not a fast one or its last modules do not pool.
        """
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging as transformers_logging

        dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
        transformers_log = logging.getLogger("transformers")
        level = transformers_log.level
        transformers_log.setLevel(logging.ERROR)
        progress: Any = transformers_logging
        shown = progress.is_progress_bar_enabled()
        progress.disable_progress_bar()
        try:
            self._model: Any = SentenceTransformer(str(source), device="cpu", model_kwargs={"dtype": dtype})
        finally:
            transformers_log.setLevel(level)
            if shown:
                progress.enable_progress_bar()
        self._model.eval()
        wrapped: Any = self._model.tokenizer
        backend: Tokenizer | None = getattr(wrapped, "backend_tokenizer", None)
        if backend is None:
            raise ValueError(f"{source} has no fast tokenizer; choose a model with a tokenizer.json")
        self.tokenizer = backend
        self.padding = int(wrapped.pad_token_id or 0)
        # Unit length comes after the windows' weighted mean, not before it.
        self._modules = [module for module in self._model if type(module).__name__ != "Normalize"]
        self._wants_types = "token_type_ids" in wrapped.model_input_names
        length = self._model.get_max_seq_length()
        self.positions = int(length) if length and length < 1_000_000 else 512
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        self.prompts: dict[Role, str] = {role: self._prompt(role) for role in _PROMPT_NAMES}

    def _prompt(self, role: Role) -> str:
        """The model's own prompt for a role; the library fills in empty ones for names that are not defined."""
        defined = self._model.prompts
        return next((defined[name] for name in _PROMPT_NAMES[role] if defined.get(name)), "")

    def commit(self) -> str | None:
        """The commit of a model that came from a hub."""
        commit = getattr(self._model[0].auto_model.config, "_commit_hash", None)
        return str(commit) if commit else None

    def means(self, windows: Sequence[Sequence[int]], padding: int) -> NDArray[np.float32]:
        """The pooled vector of each window before normalising, shape (windows, dimension), float32."""
        import torch

        longest = max(map(len, windows))
        with torch.inference_mode():
            features = {
                "input_ids": torch.tensor([[*window, *[padding] * (longest - len(window))] for window in windows]),
                "attention_mask": torch.tensor(
                    [[1] * len(window) + [0] * (longest - len(window)) for window in windows]
                ),
            }
            if self._wants_types:
                features["token_type_ids"] = torch.zeros_like(features["input_ids"])
            for module in self._modules:
                features = module(features)
            pooled: NDArray[np.float32] = features["sentence_embedding"].float().numpy()
            return pooled
