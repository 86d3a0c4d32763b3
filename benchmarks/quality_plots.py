"""Plots of what `enmusubi evaluate DIR... --compare ideas,peers --json` printed, as small SVG files.

python -m benchmarks.quality_plots known.json [--unknown unknown.json] docs/evaluation
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

_COLOURS = (
    "#9aa5ad",
    "#1f5f8b",
    "#2e7fb0",
    "#4f9cc6",
    "#7db8d6",
    "#3b8f73",
    "#69b397",
    "#12394f",
    "#d98032",
    "#b5533c",
)
_MEASURE = "nDCG@10"

Reports = Sequence[Mapping[str, Any]]


def draw_ideas(reports: Reports, path: Path) -> None:
    """A group of bars for each dataset, one bar for each configuration in its order."""
    names = list(reports[0]["configurations"])
    figure = Figure(figsize=(8.0, 3.4), layout="constrained")
    axes = figure.add_subplot()
    width = 0.86 / len(names)
    for place, name in enumerate(names):
        heights = [report["configurations"][name]["measures"][_MEASURE] for report in reports]
        positions = [group + (place - (len(names) - 1) / 2) * width for group in range(len(reports))]
        axes.bar(positions, heights, width, label=name, color=_COLOURS[place % len(_COLOURS)])
    axes.set_xticks(range(len(reports)), [_short(report) for report in reports])
    axes.set_ylabel(_MEASURE)
    axes.set_ylim(0, 1)
    _tidy(axes)
    figure.legend(loc="outside right center", frameon=False, fontsize=8)
    _save(figure, path)


def draw_known(known: Reports, unknown: Reports, path: Path) -> None:
    """Plain cosine and the production ranking, with the needs known and unknown, for each dataset."""
    figure = Figure(figsize=(6.4, 2.8), layout="constrained")
    axes = figure.add_subplot()
    bars = [
        ("dense", [report["configurations"]["dense"]["measures"][_MEASURE] for report in known], _COLOURS[0]),
        ("production, needs unknown", [report["measures"][_MEASURE] for report in unknown], _COLOURS[4]),
        ("production, needs known", [report["measures"][_MEASURE] for report in known], _COLOURS[1]),
    ]
    for place, (name, heights, colour) in enumerate(bars):
        drawn = axes.bar([group + (place - 1) * 0.28 for group in range(len(known))], heights, 0.28, color=colour)
        drawn.set_label(name)
        axes.bar_label(drawn, fmt="%.2f", fontsize=7, padding=1)
    axes.set_xticks(range(len(known)), [_short(report) for report in known])
    axes.set_ylabel(_MEASURE)
    axes.set_ylim(0, 1.08)
    _tidy(axes)
    figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=8)
    _save(figure, path)


def _short(report: Mapping[str, Any]) -> str:
    return str(report["dataset"]).removesuffix("_dev").removesuffix("_need2seed").replace("_ja_en", " ja/en")


def _tidy(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", linewidth=0.4, alpha=0.5)
    axes.set_axisbelow(True)


def _save(figure: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Read the reports and draw their plots."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("known", type=Path, help="reports with the needs known")
    parser.add_argument("--unknown", type=Path, help="reports with the needs unknown")
    parser.add_argument("folder", type=Path, help="where the plots go")
    arguments = parser.parse_args()
    # Text stays text and ids do not change from run to run, so that a file differs only where figures do.
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "enmusubi", "font.size": 9})
    known = _read(arguments.known)
    draw_ideas(known, arguments.folder / "ideas.svg")
    if arguments.unknown is not None:
        draw_known(known, _read(arguments.unknown), arguments.folder / "needs-known.svg")


def _read(path: Path) -> Reports:
    reports: Any = json.loads(path.read_text(encoding="utf-8"))
    return reports if isinstance(reports, list) else [reports]


if __name__ == "__main__":
    main()
