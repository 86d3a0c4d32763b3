"""All benchmarks one after the other, then the plots: about an hour; `--quick` in a quarter of it, for a first look.

Figures go into docs/benchmarks/results.json, plots beside it.
"""

import argparse
import sys
from pathlib import Path

from benchmarks import encoding, explaining, ingest, plots, results, search, serving, start

_QUICK = {
    "encoding": ["--rounds", "2", "--texts", "64", "--seeds", "2000"],
    "search": ["--sizes", "10000", "100000", "--rounds", "2"],
    "ingest": ["--documents", "300"],
    "explaining": ["--entries", "20"],
    "start": ["--rounds", "2", "--seeds", "2000"],
    "serving": ["--rounds", "2", "--requests", "100", "--seeds", "2000"],
}
SCRIPTS = {
    "encoding": encoding,
    "search": search,
    "ingest": ingest,
    "explaining": explaining,
    "start": start,
    "serving": serving,
}


def main() -> None:
    """Run what the command line names, print all kept results, draw the plots."""
    parser = results.options(__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"only these: {', '.join(SCRIPTS)}")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and smaller inputs; no final figures")
    parser.add_argument("--table", action="store_true", help="measure nothing; print and draw what is kept")
    given = parser.parse_args()
    unknown = sorted(set(given.parts) - set(SCRIPTS))
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}")
    results.end_cleanly_when_terminated()
    missed = False
    if not given.table:
        with results.home_folder(given.home) as home:
            for name in given.parts or SCRIPTS:
                missed |= _run(name, given, str(home))
    kept = results.read(given.results)
    for name, part in kept.get("parts", {}).items():
        print(results.as_markdown(part, name))
    for path in plots.draw_all(given.results):
        print(f"drawn: {path.name}")
    sys.exit(1 if given.check and missed else 0)


def _run(name: str, given: argparse.Namespace, home: str) -> bool:
    """Run one script; whether it missed a target."""
    print(f"--- {name}", flush=True)
    script = SCRIPTS[name]
    arguments = ["--home", home, *(_QUICK[name] if given.quick else [])]
    parsed = script.options().parse_args(arguments)
    part = script.measure(parsed, Path(home))
    results.keep(part, given.results)
    return not all(target.met for target in part.targets)


if __name__ == "__main__":
    main()
