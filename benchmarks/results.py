"""What was measured and what it should reach: kept as JSON, printed as Markdown tables."""

import argparse
import json
import os
import platform
import signal
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent.parent / "docs" / "benchmarks" / "results.json"


@dataclass(frozen=True, slots=True)
class Target:
    """A figure with the bound it should keep: at least (`>=`) or at most (`<=`)."""

    name: str
    value: float
    bound: float
    relation: str

    @property
    def met(self) -> bool:
        """Whether the figure keeps its bound."""
        return self.value >= self.bound if self.relation == ">=" else self.value <= self.bound


@dataclass(frozen=True, slots=True)
class Part:
    """What one script measured: settings and figures, a table to print, targets."""

    name: str
    measured: Mapping[str, Any]
    heading: Sequence[str]
    rows: Sequence[Sequence[str]]
    targets: Sequence[Target] = ()
    note: str = ""


@contextmanager
def home_folder(given: Path | None) -> Iterator[Path]:
    """The folder of prepared data: `given`, which is kept, or one that is removed at the end."""
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="enmusubi-benchmarks-") as folder:
        yield Path(folder)


def options(description: str | None) -> argparse.ArgumentParser:
    """The options every script has."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, help="folder for prepared data, kept for the next run")
    parser.add_argument("--results", type=Path, default=RESULTS, help="JSON file the figures are put into")
    parser.add_argument("--check", action="store_true", help="exit with 1 where a target is missed")
    return parser


def seeds_options(description: str | None) -> argparse.ArgumentParser:
    """The options of the scripts that use the cut texts."""
    parser = options(description)
    parser.add_argument("--seeds", type=int, default=20_000, help="texts that are cut as seeds; fewer for a trial")
    return parser


def run(parser: argparse.ArgumentParser, measure: Callable[[argparse.Namespace, Path], Part]) -> None:
    """Measure with the options of the command line, print, keep the figures, and end the script."""
    given = parser.parse_args()
    end_cleanly_when_terminated()
    with home_folder(given.home) as home:
        part = measure(given, home)
    show(part)
    keep(part, given.results)
    sys.exit(1 if given.check and not all(target.met for target in part.targets) else 0)


def end_cleanly_when_terminated() -> None:
    """Let SIGTERM unwind the script, so that the services it started are stopped too."""

    def leave(number: int, frame: object) -> None:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, leave)


def show(part: Part) -> None:
    """Print a part as Markdown."""
    print(as_markdown(as_kept(part), part.name))


def keep(part: Part, file: Path) -> None:
    """Put a part into the file of results, in place of what an earlier run put there."""
    kept = read(file)
    kept["machine"] = machine()
    kept.setdefault("parts", {})[part.name] = as_kept(part)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read(file: Path) -> dict[str, Any]:
    """The results kept so far."""
    kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return kept


def as_kept(part: Part) -> dict[str, Any]:
    """A part as it is kept in JSON."""
    return {
        "taken": datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ"),
        "measured": rounded(part.measured),
        "table": {"heading": list(part.heading), "rows": [list(row) for row in part.rows]},
        "targets": [{**rounded(asdict(target)), "met": target.met} for target in part.targets],
        "note": part.note,
    }


def as_markdown(kept: Mapping[str, Any], name: str) -> str:
    """A kept part as Markdown: its table, its targets, its note."""
    lines = [f"### {name}", ""]
    lines += _table(kept["table"]["heading"], kept["table"]["rows"])
    if kept["targets"]:
        lines += ["", *_table(("target", "measured", "wanted", ""), [_as_row(target) for target in kept["targets"]])]
    if kept["note"]:
        lines += ["", kept["note"]]
    return "\n".join(lines) + "\n"


def _as_row(target: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        target["name"],
        f"{target['value']:.3g}",
        f"{'≥' if target['relation'] == '>=' else '≤'} {target['bound']:g}",
        "met" if target["met"] else "**missed**",
    )


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    ruler = "|" + "|".join("---" if place == 0 else "---:" for place in range(len(heading))) + "|"
    return ["| " + " | ".join(heading) + " |", ruler, *("| " + " | ".join(row) + " |" for row in rows)]


def rounded(value: Any) -> Any:
    """The same with numbers of five significant digits."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, Mapping):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(each) for each in value]
    return value


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the rounds' ratios: what slows a whole round down does not count."""
    return statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    model = "unknown processor"
    flags: set[str] = set()
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            model = value.strip()
        elif name.strip() == "flags":
            flags = set(value.split())
    return {
        "processor": model,
        "processors": os.cpu_count(),
        "instructions": sorted({"avx2", "avx512f", "avx512_bf16", "amx_bf16"} & flags),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in ("torch", "sentence-transformers", "faiss-cpu", "fastapi")},
    }
