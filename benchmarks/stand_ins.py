"""Write the vectors of invented needs that a company's rankings know instead of others' needs.

The needs are the samples', those that are there in both languages in both. Run it again when the bundled model or the
samples change; the file is the same for the same model and samples on one machine.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from enmusubi.app.cli.judged_samples import bilingual_as_dataset, samples_as_dataset
from enmusubi.matching import stand_ins as shipped
from enmusubi.matching.encoder import load_encoder
from enmusubi.matching.evaluation.beir import read_dataset
from enmusubi.matching.lexical import language_of
from enmusubi.matching.stand_ins import FILE, StandIns, write

SAMPLES = Path(__file__).resolve().parents[1] / "samples"


def texts(scratch: Path) -> list[str]:
    """The public texts of the samples' needs, each once."""
    folders = (samples_as_dataset(SAMPLES, scratch / "one"), bilingual_as_dataset(SAMPLES, scratch / "both"))
    needs = [need.matched_text() for folder in folders for need in read_dataset(folder).queries.values()]
    return list(dict.fromkeys(text for text in needs if text.strip()))


def main() -> None:
    """Encode them and write the file into the package, or elsewhere."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--home", type=Path, required=True, help="where the model is unpacked")
    given.add_argument("--file", type=Path, default=Path(shipped.__file__).with_name(FILE))
    options = given.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        needs = texts(Path(scratch))
    encoder = load_encoder(None, options.home)
    matrix = np.ascontiguousarray(encoder.encode(needs, "need"), dtype=np.float32)
    write(options.file, encoder.model, encoder.revision, StandIns(matrix, tuple(map(language_of, needs))))
    print(f"{len(needs)} needs, {options.file.stat().st_size:,} bytes: {options.file}")


if __name__ == "__main__":
    main()
