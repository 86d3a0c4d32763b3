"""Plots of the kept results, as small SVG files beside them."""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks import results

_OURS, _PLAIN = "#1f5f8b", "#d98032"
_COLOURS = {"enmusubi": _OURS, "plain": _PLAIN}


def draw_all(file: Path) -> list[Path]:
    """Draw what the file of results holds, into its folder."""
    # Text stays text and ids do not change from run to run, so that a file differs only where figures do.
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "enmusubi", "font.size": 9})
    drawn = []
    for name, part in results.read(file).get("parts", {}).items():
        if name not in _PLOTS:
            continue
        figure = Figure(figsize=(6.4, 3.0), layout="constrained")
        _PLOTS[name](figure, part["measured"])
        path = file.parent / f"{name}.svg"
        figure.savefig(path, metadata={"Date": None})
        drawn.append(path)
    return drawn


def _bars(axes: Axes, groups: Sequence[str], values: Mapping[str, Sequence[float]], unit: str) -> None:
    """Bars of each side beside each other, a group each, with their values above."""
    width = 0.8 / len(values)
    for place, (name, heights) in enumerate(values.items()):
        positions = [group + (place - (len(values) - 1) / 2) * width for group in range(len(groups))]
        drawn = axes.bar(positions, heights, width, label=name, color=_COLOURS.get(name))
        axes.bar_label(drawn, fmt=_label, fontsize=7, padding=1)
    axes.set_xticks(range(len(groups)), groups)
    axes.set_ylabel(unit)
    axes.margins(y=0.15)
    axes.spines[["top", "right"]].set_visible(False)


def _label(height: float) -> str:
    if math.isnan(height):
        return ""
    return f"{height:,.0f}" if height >= 100 else f"{height:.3g}"


def _encoding(figure: Figure, measured: Mapping[str, Any]) -> None:
    kinds = measured["docs_per_second"]
    for place, (kind, sizes) in enumerate(kinds.items(), start=1):
        axes = figure.add_subplot(1, len(kinds), place)
        values = {name: [statistics.median(rates[name]) for rates in sizes.values()] for name in ("enmusubi", "plain")}
        _bars(axes, list(sizes), values, "documents/s")
        axes.set_xlabel("texts at a time")
        axes.set_title(f"{kind} texts")
    figure.axes[0].legend(frameon=False)


def _ingest(figure: Figure, measured: Mapping[str, Any]) -> None:
    axes = figure.add_subplot()
    values = {
        name: [measured["documents"] / statistics.median(measured[f"{key}_seconds"])]
        for name, key in (("enmusubi", "first"), ("plain", "plain"))
    }
    _bars(axes, [f"{measured['documents']:,} documents, file to searchable"], values, "documents/s")
    axes.legend(frameon=False)


def _serving(figure: Figure, measured: Mapping[str, Any]) -> None:
    clients = measured["clients"]
    for place, (key, unit) in enumerate((("p50", "p50 of POST /match, ms"), ("rate", "requests/s")), start=1):
        axes = figure.add_subplot(1, 2, place)
        values = {name: [each[name]["median"][key] for each in clients.values()] for name in ("enmusubi", "plain")}
        _bars(axes, list(clients), values, unit)
        axes.set_xlabel("clients")
    figure.axes[1].legend(frameon=False)


def _start(figure: Figure, measured: Mapping[str, Any]) -> None:
    axes = figure.add_subplot(1, 2, 1)
    times = {"enmusubi": ["live", "ready"], "plain": ["plain_live", "plain_ready"]}
    values = {
        name: [statistics.median(measured[key]) if key in measured else math.nan for key in keys]
        for name, keys in times.items()
    }
    _bars(axes, ["live", "ready"], values, "seconds from process start")
    axes.legend(frameon=False)
    axes = figure.add_subplot(1, 2, 2)
    memory = measured["resident_mib"]
    _bars(axes, ["service process"], {name: [memory[name]] for name in ("enmusubi", "plain")}, "resident, MiB")


def _search(figure: Figure, measured: Mapping[str, Any]) -> None:
    sizes = measured["sizes"]
    numbers = [int(size) for size in sizes]
    time, memory = figure.subplots(1, 2)
    for name in next(iter(sizes.values())):
        time.loglog(numbers, [statistics.median(each[name]["median_ms"]) for each in sizes.values()], "o-", label=name)
    time.set_ylabel("median time of a search, ms")
    time.legend(frameon=False, fontsize=7)
    for name in ("propose, 30 words", "IndexFlatIP"):
        memory.loglog(numbers, [each[name]["held_mib"] for each in sizes.values()], "o-", label=name)
    memory.set_ylabel("memory of the index, MiB")
    memory.legend(frameon=False, fontsize=7)
    for axes in (time, memory):
        axes.set_xlabel("vectors")
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)


_PLOTS: dict[str, Callable[[Figure, Mapping[str, Any]], None]] = {
    "encoding": _encoding,
    "ingest": _ingest,
    "serving": _serving,
    "start": _start,
    "search": _search,
}
