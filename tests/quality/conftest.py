"""The bundled model, loaded once, and a cache of embeddings for the whole run."""

from pathlib import Path

import pytest

from enmusubi.app.cli.judged_samples import bilingual_as_dataset, samples_as_dataset
from enmusubi.matching.encoder import Encoder, load_encoder

SAMPLES = Path(__file__).resolve().parents[2] / "samples"


@pytest.fixture(scope="session")
def model_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home for the unpacked model and the embeddings of this run."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def encoder(model_home: Path) -> Encoder:
    """The bundled model as the service uses it by default."""
    return load_encoder(None, model_home)


@pytest.fixture(scope="session")
def golden_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The samples in the BEIR layout: the public text of each entry, and the judged pairs."""
    return samples_as_dataset(SAMPLES, tmp_path_factory.mktemp("golden") / "samples")


@pytest.fixture(scope="session")
def bilingual_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same seeds, asked by the needs that are written in both languages."""
    return bilingual_as_dataset(SAMPLES, tmp_path_factory.mktemp("golden") / "bilingual")
