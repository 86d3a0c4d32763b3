"""What the scripts that serve start from: unpacked model, texts, our database with its snapshot, the plain index."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import texts
from enmusubi.matching.encoder import bundled

SEEDS, QUERIES = 20_000, 1_500


@dataclass(frozen=True, slots=True)
class Prepared:
    """Paths and the token of a coordinator."""

    home: Path
    model: Path
    seeds: Path
    plain: Path
    token: str
    queries: list[str]


def environment(home: Path) -> dict[str, str]:
    """The environment of every process that is started; the same for both sides, the home folder apart."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ENMUSUBI_")}
    # Calls are counted as everywhere, but one token sends more than anybody should.
    ours = {"ENMUSUBI_HOME": str(home), "ENMUSUBI_CALLS_PER_MINUTE": "1000000"}
    return {**kept, **ours, "HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}


def enmusubi(*arguments: str) -> list[str]:
    """The command line of the `enmusubi` command of this environment."""
    return [str(Path(sys.executable).with_name("enmusubi")), *arguments]


def plain(*arguments: str) -> list[str]:
    """The command line of the plain script."""
    return [sys.executable, "-m", "benchmarks.plain", *arguments]


def execute(command: list[str], variables: Mapping[str, str]) -> str:
    """Run a command to its end; its standard output. Raises RuntimeError with what it said when it fails."""
    ended = subprocess.run(command, env=variables, cwd=texts.PROJECT, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        said = (ended.stderr or ended.stdout)[-2000:]
        raise RuntimeError(f"{Path(command[0]).name} {' '.join(command[1:3])} ended with {ended.returncode}: {said}")
    return ended.stdout


def model_folder(home: Path) -> Path:
    """The unpacked model under `home`; both sides read the same files."""
    return bundled.unpack(home)


def new_database(home: Path) -> None:
    """A migrated database with a cluster and nothing in it."""
    execute(enmusubi("migrate"), environment(home))
    execute(enmusubi("cluster", "create", "benchmarks"), environment(home))


def read_descriptions(file: Path) -> list[str]:
    """The texts of a JSON Lines file of seeds, ours or a BEIR corpus."""
    with file.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [row.get("description") or row["text"] for row in rows]


def cut_texts(home: Path, model: Path, count: int) -> Path:
    """The folder of seeds and queries under `home`, written first where it is missing.

    Raises ValueError where `home` was prepared with another number of seeds.
    """
    folder = home / "texts"
    if not (folder / "queries.json").exists():
        print(f"cutting {count:,} seeds and {QUERIES:,} queries", flush=True)
        texts.write_texts(folder, model / "tokenizer.json", count, QUERIES)
    present = len(read_descriptions(folder / "seeds.jsonl"))
    if present != count:
        raise ValueError(f"the home folder was prepared with {present:,} seeds; give another --home for {count:,}")
    return folder


def prepare(home: Path, count: int = SEEDS) -> Prepared:
    """Everything that `serving` and `start` need; what an earlier run left in `home` is used again.

    Raises ValueError where `home` was prepared with another number of seeds.
    """
    model = model_folder(home)
    folder = cut_texts(home, model, count)
    seeds, token = folder / "seeds.jsonl", home / "token"
    if not token.exists():
        print(f"ingesting {count:,} seeds with `enmusubi ingest` (some minutes)", flush=True)
        new_database(home)
        execute(enmusubi("ingest", "seeds", str(seeds)), environment(home))
        # Else the service would do it in the background, between the requests that are timed.
        execute(enmusubi("index", "--sentences"), environment(home))
        printed = execute(
            enmusubi("account", "create", "benchmark coordinator", "--role", "coordinator"), environment(home)
        )
        token.write_text(printed.split()[-1], encoding="utf-8")
        token.chmod(0o600)
    if not (home / "plain" / "ids.json").exists():
        print(f"indexing {count:,} seeds with the plain script (some minutes)", flush=True)
        execute(plain("index", str(seeds), str(model), str(home / "plain")), environment(home))
    return Prepared(
        home,
        model,
        seeds,
        home / "plain",
        token.read_text(encoding="utf-8").strip(),
        json.loads((folder / "queries.json").read_text(encoding="utf-8")),
    )
