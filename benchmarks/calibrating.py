"""Fit the shipped calibration, and measure how far to believe one: each judged set in turn is left out of the fit.

The lists are those of the production matchmaker on the four open sets and the samples' golden set, needs asking and
seeds asking, each set weighing the same. Measured are each asking entry's ten best, also as if no needs were known.
With `--write`, what is fitted to all sets replaces the shipped calibration.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from benchmarks import rankings
from benchmarks.rankings import GOLDEN, OPEN_SETS, Direction, Opener
from benchmarks.results import Part, Target, as_kept, as_markdown
from benchmarks.texts import PROJECT
from enmusubi.matching.calibration import (
    DEPTH,
    FLOOR,
    Calibration,
    JudgedList,
    brier_skill_score,
    expected_calibration_error,
    fit,
    no_good_match,
    reliability_table,
)
from enmusubi.matching.policy import DEFAULT

SHIPPED: Final = PROJECT / "enmusubi" / "matching" / "calibration" / "default.json"
MOST_ERROR: Final = 0.05
LEAST_SKILL: Final = 0.1

_ASKS: Final[Mapping[Direction, str]] = {"need": "needs ask", "seed": "seeds ask"}
_COLOURS: Final = {"known": "#1f5f8b", "unknown": "#d98032"}


@dataclass(frozen=True, slots=True)
class Case:
    """The lists of a set asked in one direction, with the needs known or not."""

    name: str
    direction: Direction
    needs_known: bool
    lists: Sequence[JudgedList]

    @property
    def title(self) -> str:
        """What is asked of what."""
        return f"{_ASKS[self.direction]}, needs {'known' if self.needs_known else 'unknown'}"


def read_cases(opener: Opener, names: Sequence[str]) -> Iterator[Case]:
    """Every set both ways round, and needs asking as if none were known; seeds cannot ask for needs unknown."""
    for name in names:
        print(f"{name} ...", file=sys.stderr, flush=True)
        known = opener.open(name)
        for direction in _ASKS:
            yield Case(name, direction, True, list(known.rankings(direction, depth=DEPTH)))
        yield Case(name, "need", False, list(opener.open(name, needs_unknown=True).rankings("need", depth=DEPTH)))


def fitted(cases: Sequence[Case], without: str | None = None) -> Calibration:
    """The calibration of all cases whose needs are known, but of one set."""
    lists = [one for case in cases if case.needs_known and case.name != without for one in case.lists]
    return fit(lists, name="default-1", policy=DEFAULT.name, shrink_to=None)


def measured(case: Case, calibration: Calibration) -> dict[str, Any]:
    """The figures of a case by a calibration that has not seen it."""
    stated = [calibration.probabilities(one.ranked) for one in case.lists]
    probabilities = [each.value for list_ in stated for each in list_]
    outcomes = [grade > 0 for one in case.lists for grade in one.grades if grade is not None]
    # Lists with a right answer in them that would be answered with "no good match yet".
    silent = [no_good_match(each) for each, one in zip(stated, case.lists, strict=True) if any(one.grades[:DEPTH])]
    return {
        "set": case.name,
        "case": case.title,
        "lists": len(case.lists),
        "pairs": len(outcomes),
        "error": expected_calibration_error(probabilities, outcomes),
        "skill": brier_skill_score(probabilities, outcomes),
        "base_rate": float(np.mean(outcomes)),
        "mean_probability": float(np.mean(probabilities)),
        "mean_interval": float(np.mean([each.high - each.low for list_ in stated for each in list_])),
        "silent_though_right": float(np.mean(silent)),
        "points": [asdict(point) for point in reliability_table(probabilities, outcomes)],
    }


def report(figures: Sequence[Mapping[str, Any]], calibration: Calibration) -> Part:
    """The table, and whether the open sets keep the bounds."""
    opened = [each for each in figures if each["set"] in OPEN_SETS]
    return Part(
        "calibration",
        {
            "name": calibration.name,
            "digest": calibration.digest,
            "coefficients": list(calibration.coefficients),
            "lists": calibration.lists,
            "pairs": calibration.pairs,
            "left_out": list(figures),
        },
        ["set left out", "asking", "lists", "error", "skill", "base rate", "mean probability", "silent though right"],
        [
            [
                each["set"],
                each["case"],
                f"{each['lists']}",
                f"{each['error']:.3f}",
                f"{each['skill']:.2f}",
                f"{each['base_rate']:.3f}",
                f"{each['mean_probability']:.3f}",
                f"{each['silent_though_right']:.1%}",
            ]
            for each in figures
        ],
        [
            Target("largest calibration error of an open set", max(each["error"] for each in opened), MOST_ERROR, "<="),
            Target("smallest Brier skill of an open set", min(each["skill"] for each in opened), LEAST_SKILL, ">="),
        ],
        f"Fitted without the set, measured on its ten best entries a list: expected calibration error over 15 bins of "
        f"equal mass, Brier skill against the base rate, and how often all of a list was below the floor of {FLOOR:g} "
        "though something in it was right.",
    )


def draw(figures: Sequence[Mapping[str, Any]], file: Path) -> None:
    """Reliability of the needs' lists, a panel for each set: what was stated, and what happened."""
    # Text stays text and ids do not change from run to run, so that the file differs only where figures do.
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "enmusubi", "font.size": 8})
    names = list(dict.fromkeys(each["set"] for each in figures))
    figure = Figure(figsize=(2.0 * len(names), 2.5), layout="constrained")
    panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for axes, name in zip(panels, names, strict=True):
        axes.plot([0, 1], [0, 1], color="#999999", linewidth=0.8)
        for which, colour in _COLOURS.items():
            found = next(e for e in figures if e["set"] == name and e["case"] == f"needs ask, needs {which}")
            points = found["points"]
            stated = [point["probability"] for point in points]
            happened = [point["observed"] for point in points]
            if which == "known":
                axes.vlines(
                    stated, [p["low"] for p in points], [p["high"] for p in points], color=colour, linewidth=0.8
                )
            axes.plot(stated, happened, "o", markersize=3, color=colour, label=f"needs {which}")
        axes.set_title(name)
        axes.set_xlim(-0.03, 1.03)
        axes.set_ylim(-0.03, 1.03)
        axes.set_xticks([0, 0.5, 1])
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("share worth a look")
    panels[-1].legend(frameon=False, fontsize=7, loc="lower right")
    figure.supxlabel("probability stated, the set left out of the fit", fontsize=8)
    figure.savefig(file, metadata={"Date": None})


def main(arguments: Sequence[str] | None = None) -> None:
    """Leave each set out in turn, print a Markdown table, write figures and plot; ship the calibration if asked."""
    parser = rankings.options(__doc__)
    parser.add_argument("--write", action="store_true", help="replace the shipped calibration by the one fitted")
    given = parser.parse_args(arguments)
    names = [GOLDEN, *OPEN_SETS]
    with rankings.opened(given, parser, names) as opener:
        cases = list(read_cases(opener, names))
    figures = []
    for name in names:
        left_out = fitted(cases, without=name)
        figures += [measured(case, left_out) for case in cases if case.name == name]
    calibration = fitted(cases)
    part = report(figures, calibration)
    kept = as_kept(part)
    print(as_markdown(kept, part.name))
    given.figures.mkdir(parents=True, exist_ok=True)
    text = json.dumps(kept, ensure_ascii=False, indent=1) + "\n"
    (given.figures / "calibration.json").write_text(text, encoding="utf-8")
    draw(figures, given.figures / "reliability.svg")
    if given.write:
        SHIPPED.write_text(calibration.as_json() + "\n", encoding="utf-8")
        print(f"written: {SHIPPED.relative_to(PROJECT)}")
    sys.exit(1 if given.check and not all(target.met for target in part.targets) else 0)


if __name__ == "__main__":
    main()
