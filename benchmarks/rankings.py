"""The judged lists of the open sets and of the samples: ranked by the production matchmaker, with their grades.

Needs ask for seeds, and the other way round: seeds ask for needs. Vectors come from, and go into, the evaluation
cache below a home folder, the one of `enmusubi evaluate`, so that a second run takes seconds a set.
"""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal

import numpy as np

from benchmarks.texts import JUDGED_SETS, PROJECT, SAMPLES
from enmusubi.app.cli.judged_samples import samples_as_dataset
from enmusubi.matching.calibration import JudgedList
from enmusubi.matching.encoder import Encoder, load_encoder
from enmusubi.matching.evaluation.prepared import Prepared, prepare
from enmusubi.matching.fresh import FreshStore
from enmusubi.matching.matchmaker import propose
from enmusubi.matching.policy import DEFAULT, Policy
from enmusubi.matching.rows import Asking
from enmusubi.matching.similarity import Keys

OPEN_SETS: Final = {
    "sbir": "sbir_need2seed_dev",
    "horizon": "horizon_need2seed_dev",
    "mixed": "mixed_ja_en_dev",
    "jsquad": "jsquad_dev",
}
"""The open judged sets by a short name, and their folders."""
GOLDEN: Final = "golden"
"""The samples' own judged pairs."""
DEPTH: Final = 100
FIGURES: Final = PROJECT / "docs" / "evaluation"

Direction = Literal["need", "seed"]
"""The side that asks."""


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """A judged set that is ready to be ranked in both directions."""

    name: str
    prepared: Prepared

    def count(self, direction: Direction) -> int:
        """How many entries there are to be ranked."""
        return len(self.prepared.needs.keys if direction == "seed" else self.prepared.seed_ids)

    def rankings(
        self, direction: Direction, *, depth: int | None = DEPTH, policy: Policy = DEFAULT
    ) -> Iterator[JudgedList]:
        """The list of every asking entry that has a right answer, `depth` entries deep, None for all there are.

        The source of a list is the name of the set. Seeds ask only where the needs are known.
        """
        snapshot = self.prepared.snapshot
        fresh = FreshStore(snapshot.manifest.dimension, snapshot.statistics)
        grades, asking, names = self._asked(direction)

        def visible(keys: Keys) -> dict[int, str]:
            return {key: names[key] for key in keys.tolist()}

        def all_visible() -> Keys:
            return np.arange(len(names))

        for name, asked in asking.items():
            if not any(grade > 0 for grade in grades[name].values()):
                continue
            ranked = propose(asked, depth or len(names), snapshot, fresh, policy, visible, all_visible)
            yield JudgedList(ranked, [max(0, grades[name].get(one.public_id, 0)) for one in ranked], self.name)

    def _asked(self, direction: Direction) -> tuple[dict[str, dict[str, int]], dict[str, Asking], Sequence[str]]:
        """The grades and what asks, both by the asking entry's id, and the ids of the other side by key."""
        prepared = self.prepared
        if direction == "need":
            return (
                {name: dict(each) for name, each in prepared.judged.items()},
                dict(prepared.asking),
                prepared.seed_ids,
            )
        grades: dict[str, dict[str, int]] = {}
        for need, each in prepared.judged.items():
            for seed, grade in each.items():
                grades.setdefault(seed, {})[need] = grade
        seeds = prepared.seeds
        asking = {
            name: Asking("seed", seeds.matrix[row], seeds.languages[row], seeds.terms[row].split())
            for row, name in enumerate(prepared.seed_ids)
            if name in grades
        }
        needs = [name for name, need in prepared.dataset.queries.items() if need.matched_text().strip()]
        return grades, asking, needs


def options(description: str | None) -> argparse.ArgumentParser:
    """The options of the scripts that start from judged lists."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--home", type=Path, required=True, help="home folder whose evaluation cache is used, as ENMUSUBI_HOME"
    )
    parser.add_argument(
        "--eval",
        type=Path,
        default=JUDGED_SETS,
        metavar="FOLDER",
        help="folder of the open judged sets; ../shared/eval by default",
    )
    parser.add_argument(
        "--figures", type=Path, default=FIGURES, metavar="FOLDER", help="where figures and plot go; docs/evaluation"
    )
    parser.add_argument("--check", action="store_true", help="exit with 1 where a target is missed")
    return parser


@contextmanager
def opened(given: argparse.Namespace, parser: argparse.ArgumentParser, names: Sequence[str]) -> Iterator["Opener"]:
    """What opens the sets named; ends the script with a message where one is missing."""
    unknown = [name for name in names if name not in OPEN_SETS and name != GOLDEN]
    if unknown:
        parser.error(f"no such set: {', '.join(unknown)}; known: {', '.join([*OPEN_SETS, GOLDEN])}")
    missing = [name for name in names if name in OPEN_SETS and not (given.eval / OPEN_SETS[name]).is_dir()]
    if missing:
        parser.error(
            f"{given.eval} lacks {', '.join(OPEN_SETS[name] for name in missing)}: the open judged sets are no part of "
            "this repository; put them there or name their folder with --eval"
        )
    given.home.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="enmusubi-rankings-") as scratch:
        yield Opener(given.eval, given.home, load_encoder(None, given.home), Path(scratch))


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens judged sets with the bundled model."""

    folder: Path
    home: Path
    encoder: Encoder
    scratch: Path

    def open(self, name: str, *, needs_unknown: bool = False) -> JudgedSet:
        """The set, encoded as far as it is not in the cache."""
        folder = self.scratch / GOLDEN if name == GOLDEN else self.folder / OPEN_SETS[name]
        if not folder.exists():
            samples_as_dataset(SAMPLES, folder)
        return JudgedSet(name, prepare(folder, self.encoder, self.home / "evaluation", needs_unknown=needs_unknown))
