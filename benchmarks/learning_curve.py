"""Learning from reviews, simulated on judged sets: what 50 to 400 decisions, some of them wrong, do to the ranking.

A run divides the asking entries in two. On one half a coordinator reviews the ten best of the ranking in use, entry
by entry; after 50, 100, 200 and 400 decisions the policy is learned anew from all of them and, if adopted, ranks from
then on. The other half measures. Besides the policy in use, what was learned is measured even where it was not
adopted, which shows what the test of significance is for. Starts other than the default policy's weights show what is
learned where there is more to learn.

Every candidate's parts are those of the production matchmaker, needs asking, from the judged sets that
`benchmarks.rankings` reads.
"""

import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import t

from benchmarks import rankings
from benchmarks.rankings import OPEN_SETS, JudgedSet
from benchmarks.results import Part, Target, as_kept, as_markdown
from enmusubi.matching.learning import Decision, Learned, learn
from enmusubi.matching.policy import DEFAULT, PARTS, Policy

STEPS = (50, 100, 200, 400)
REVIEWED = 10
STARTS = {
    "default": DEFAULT,
    "terms 0": Policy("start-terms-0", {**DEFAULT.weights, "terms": 0.0}),
    "terms 2": Policy("start-terms-2", {**DEFAULT.weights, "terms": 2.0}),
}
_COLOURS = dict(zip(STARTS, ("#1f5f8b", "#d98032", "#5b8f3a"), strict=True))


@dataclass(frozen=True, slots=True)
class JudgedParts:
    """The parts of the score of every candidate for every asking entry, and its grade.

    `similarity`, `terms`, `grades`: (asking entries, candidates); `hub_across`, `hub_alike`: (candidates,).
    """

    similarity: NDArray[np.float32]
    terms: NDArray[np.float32]
    hub_across: NDArray[np.float32]
    hub_alike: NDArray[np.float32]
    grades: NDArray[np.float64]

    def of(self, entries: NDArray[np.int64]) -> "JudgedParts":
        """The same for some of the asking entries."""
        return replace(
            self, similarity=self.similarity[entries], terms=self.terms[entries], grades=self.grades[entries]
        )

    def top(self, policy: Policy) -> NDArray[np.int64]:
        """The numbers of the best candidates, best first, shape (asking entries, at most REVIEWED)."""
        scores = policy.weights["similarity"] * self.similarity + policy.weights["terms"] * self.terms
        scores += policy.weights["hub_across"] * self.hub_across + policy.weights["hub_alike"] * self.hub_alike
        if scores.shape[1] <= REVIEWED:
            return np.argsort(-scores, axis=1, kind="stable")
        best = np.argpartition(-scores, REVIEWED, axis=1)[:, :REVIEWED]
        order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
        return np.take_along_axis(best, order, axis=1)

    def ndcg(self, policy: Policy) -> float:
        """Mean nDCG@10 over the asking entries, each of which has a right answer."""
        gains = np.take_along_axis(self.grades, self.top(policy), axis=1)
        discounts = 1.0 / np.log2(np.arange(2, gains.shape[1] + 2))
        ideal = -np.sort(-self.grades, axis=1)[:, : gains.shape[1]]
        return float(np.mean((gains @ discounts) / (ideal @ discounts)))


def parts_of(judged: JudgedSet) -> JudgedParts:
    """The parts of every seed for each need that has a right answer; 0 for a part that is missing."""
    entries = sum(any(grade > 0 for grade in grades.values()) for grades in judged.prepared.judged.values())
    shape = entries, judged.count("need")
    similarity, terms = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32)
    across, alike = np.zeros(shape[1], dtype=np.float32), np.zeros(shape[1], dtype=np.float32)
    grades = np.zeros(shape)
    for row, one in enumerate(judged.rankings("need", depth=None)):
        for ranked, grade in zip(one.ranked, one.grades, strict=True):
            values = {part.name: part.value for part in ranked.parts}
            similarity[row, ranked.key] = values["similarity"]
            terms[row, ranked.key] = values.get("terms", 0.0)
            across[ranked.key] = values.get("hub_across", 0.0)
            alike[ranked.key] = values.get("hub_alike", 0.0)
            grades[row, ranked.key] = grade or 0
    return JudgedParts(similarity, terms, across, alike, grades)


def simulate(judged: JudgedParts, start: Policy, number: int, wrong: float) -> Iterator[tuple[float, float, Learned]]:
    """One run, seeded by its number: after each of STEPS the gain in nDCG@10 in use, that without the test, the result.

    Gains are over `start`, on asking entries that were not reviewed.
    """
    generator = np.random.default_rng(number)
    entries = generator.permutation(len(judged.grades))
    reviewed_entries = max(len(entries) // 2, math.ceil(STEPS[-1] / REVIEWED))
    if len(entries) < reviewed_entries + 20:
        raise ValueError(f"{len(entries)} judged asking entries: at least 20 more than {reviewed_entries} are needed")
    measured = judged.of(entries[reviewed_entries:])
    before = measured.ndcg(start)
    queue = iter(entries[:reviewed_entries])
    policy, decisions = start, list[Decision]()
    for step in STEPS:
        while len(decisions) < step:
            decisions += review(judged, int(next(queue)), policy, wrong, generator)[: step - len(decisions)]
        learned = learn(decisions, start)
        policy = learned.policy
        proposed = policy if learned.proposed is None else learned.proposed
        yield measured.ndcg(policy) - before, measured.ndcg(proposed) - before, learned


def review(
    judged: JudgedParts, entry: int, policy: Policy, wrong: float, generator: np.random.Generator
) -> list[Decision]:
    """A coordinator's decisions on the best of one asking entry, best first; the share `wrong` of them is flipped."""
    one = judged.of(np.array([entry]))
    return [
        Decision(
            asking=str(entry),
            candidate=str(candidate),
            parts={
                "similarity": float(one.similarity[0, candidate]),
                "terms": float(one.terms[0, candidate]),
                "hub_across": float(one.hub_across[candidate]),
                "hub_alike": float(one.hub_alike[candidate]),
            },
            accepted=bool((one.grades[0, candidate] > 0) != (generator.random() < wrong)),
        )
        for candidate in one.top(policy)[0]
    ]


def interval(gains: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half the width of the 95 % interval of the mean over runs, `gains` of shape (runs, steps)."""
    runs = len(gains)
    half: NDArray[np.float64] = t.ppf(0.975, runs - 1) * gains.std(axis=0, ddof=1) / math.sqrt(runs)
    return half


def curve(judged: JudgedParts, start: Policy, numbers: Sequence[int], wrong: float) -> dict[str, Any]:
    """The figures of one set and start over seeded runs."""
    results = [list(simulate(judged, start, number, wrong)) for number in numbers]
    in_use = np.array([[gain for gain, _, _ in result] for result in results])
    untested = np.array([[gain for _, gain, _ in result] for result in results])
    adopted = np.array([[learned.adopted for _, _, learned in result] for result in results])
    last = [learned.proposed or learned.policy for _, _, learned in (result[-1] for result in results)]
    return {
        "entries": len(judged.grades),
        "candidates": judged.grades.shape[1],
        "ndcg@10": judged.ndcg(start),
        "decisions": list(STEPS),
        "gain": in_use.mean(axis=0).tolist(),
        "interval": interval(in_use).tolist(),
        "gain_untested": untested.mean(axis=0).tolist(),
        "interval_untested": interval(untested).tolist(),
        "adopted": adopted.mean(axis=0).tolist(),
        "mean_weights_learned": {part: float(np.mean([policy.weights[part] for policy in last])) for part in PARTS},
        "gains_of_runs": in_use.tolist(),
    }


def report(curves: Mapping[tuple[str, str], Mapping[str, Any]], runs: int, wrong: float) -> Part:
    """The table, and whether any mean falls below its start by more than its interval."""
    rows = [
        [
            name,
            start,
            f"{figures['ndcg@10']:.3f}",
            *map(_cell, figures["gain"], figures["interval"], figures["adopted"]),
            _cell(figures["gain_untested"][-1], figures["interval_untested"][-1]),
        ]
        for (name, start), figures in curves.items()
    ]
    worst = min(
        gain + half
        for figures in curves.values()
        for gain, half in zip(figures["gain"], figures["interval"], strict=True)
    )
    return Part(
        "learning curve",
        {f"{name}, {start}": figures for (name, start), figures in curves.items()},
        ["set", "start", "nDCG@10", *(f"after {step}" for step in STEPS), f"untested, after {STEPS[-1]}"],
        rows,
        [Target("lowest upper end of a 95 % interval of the mean gain", worst, 0.0, ">=")],
        f"Gain in nDCG@10 on held-out asking entries, mean of {runs} runs and 95 % interval, and in which share of the "
        f"runs a learned policy was in use. {wrong:.0%} of the decisions are wrong.",
    )


def _cell(gain: float, half: float, adopted: float | None = None) -> str:
    text = f"{gain:+.4f} ± {half:.4f}" if half or gain else "0"
    return text if adopted is None else f"{text} ({adopted:.0%})"


def draw(curves: Mapping[tuple[str, str], Mapping[str, Any]], wrong: float, file: Path) -> None:
    """The mean gain in use with its interval over the number of decisions, a panel for each set."""
    # Text stays text and ids do not change from run to run, so that the file differs only where figures do.
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "enmusubi", "font.size": 8})
    names = list(dict.fromkeys(name for name, _ in curves))
    figure = Figure(figsize=(2.2 * len(names), 2.5), layout="constrained")
    panels = figure.subplots(1, len(names), squeeze=False)[0]
    for axes, name in zip(panels, names, strict=True):
        axes.axhline(0, color="#999999", linewidth=0.8)
        for (start, colour), marker in zip(_COLOURS.items(), "os^", strict=True):
            figures = curves[name, start]
            steps, gain, half = (np.array(figures[key]) for key in ("decisions", "gain", "interval"))
            axes.plot(steps, gain, marker=marker, markersize=3, linewidth=1, color=colour, label=f"from {start}")
            axes.fill_between(steps, gain - half, gain + half, color=colour, alpha=0.2, linewidth=0)
        # So much at least, or the noise of a set where nothing is learned looks like a curve.
        low, high = axes.get_ylim()
        axes.set_ylim(min(low, -0.005), max(high, 0.01))
        axes.set_title(name)
        axes.set_xscale("log", base=2)
        axes.set_xticks(STEPS, [str(step) for step in STEPS])
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("gain in nDCG@10")
    panels[0].legend(frameon=False, fontsize=7, loc="upper left")
    figure.supxlabel(f"decisions, {wrong:.0%} of them wrong", fontsize=8)
    figure.savefig(file, metadata={"Date": None})


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate on the sets named, print a Markdown table, write figures and plot."""
    parser = rankings.options(__doc__)
    parser.add_argument("--sets", nargs="+", default=list(OPEN_SETS), metavar="NAME")
    parser.add_argument("--runs", type=int, default=20, help="seeded runs of each set and start, at least 2")
    parser.add_argument("--first", type=int, default=0, metavar="NUMBER", help="number, and seed, of the first run")
    parser.add_argument("--wrong", type=float, default=0.1, metavar="SHARE", help="of the decisions, 0 to 0.5")
    given = parser.parse_args(arguments)
    if given.runs < 2:
        parser.error("--runs must be at least 2: an interval needs several")
    if given.first < 0 or not 0 <= given.wrong <= 0.5:
        parser.error("--first must be 0 or more, --wrong from 0 to 0.5")
    numbers = range(given.first, given.first + given.runs)
    curves = {}
    with rankings.opened(given, parser, given.sets) as opener:
        for name in given.sets:
            print(f"{name} ...", file=sys.stderr, flush=True)
            judged = parts_of(opener.open(name))
            for start, policy in STARTS.items():
                print(f"{name}, {start} ...", file=sys.stderr, flush=True)
                curves[name, start] = curve(judged, policy, numbers, given.wrong)
    part = report(curves, given.runs, given.wrong)
    kept = as_kept(part)
    print(as_markdown(kept, part.name))
    given.figures.mkdir(parents=True, exist_ok=True)
    text = json.dumps(kept, ensure_ascii=False, indent=1) + "\n"
    (given.figures / "learning.json").write_text(text, encoding="utf-8")
    draw(curves, given.wrong, given.figures / "learning.svg")
    sys.exit(1 if given.check and not all(target.met for target in part.targets) else 0)


if __name__ == "__main__":
    main()
