"""`enmusubi evaluate`: the measures of judged folders, through the production matchmaker."""

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from enmusubi.app.cli.evaluation_tables import show
from enmusubi.app.cli.judged_samples import bilingual_as_dataset, is_samples, samples_as_dataset
from enmusubi.app.cli.opening import read_settings
from enmusubi.app.errors import ConfigurationError
from enmusubi.app.runtime import encoder_for, reranker_for
from enmusubi.matching.evaluation import Asks, DatasetError, Report, trec_lines
from enmusubi.matching.evaluation import evaluate as measure
from enmusubi.matching.evaluation.configurations import configurations
from enmusubi.matching.evaluation.grouping import GROUPINGS
from enmusubi.matching.policy import DEFAULT, Policy


@dataclass(frozen=True, slots=True)
class Options:
    """What the command was asked."""

    as_json: bool = False
    queries: Path | None = None
    needs_unknown: bool = False
    compare: Sequence[str] = ()
    against: str = "first"
    by: Sequence[str] = ()
    exposure: bool = False
    run_file: Path | None = None
    policy: Path | None = None
    bilingual: bool = False


def names(given: str | None) -> list[str]:
    """The names in a list with commas."""
    return [name.strip() for name in (given or "").split(",") if name.strip()]


def evaluate(folders: Sequence[Path], options: Options) -> None:
    """Rank each folder's queries as needs against its corpus as seeds; nothing is written to the database."""
    policy = _policy(options.policy)
    asks = _asks(options, policy, len(folders))
    settings = read_settings()
    errors = Console(stderr=True)
    with ExitStack() as stack:
        advance = stack.enter_context(_progress(errors))
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="enmusubi-samples-")))
        encoder, reranker = encoder_for(settings), reranker_for(settings)

        def measured(folder: Path, *, unknown: bool) -> Report:
            return measure(
                folder,
                encoder,
                settings.home / "evaluation",
                queries=options.queries,
                needs_unknown=unknown,
                policy=policy,
                asks=asks,
                reranker=reranker,
                reranked=settings.reranked,
                progress=advance,
            )

        opened = [_opened(folder, scratch / str(place), options) for place, folder in enumerate(folders)]
        reports = [measured(folder, unknown=options.needs_unknown) for folder in opened]
        # Beside the figures asked for, those of the other case; not where ten configurations would be ranked again.
        others: list[Report] = []
        if not (options.as_json or options.needs_unknown or asks.compare):
            others = [measured(folder, unknown=True) for folder in opened]
    for report in reports:
        for notice in report.notices:
            which = f"{report.dataset}: " if len(reports) > 1 else ""
            errors.print(f"note: {which}{notice}", style="yellow", markup=False, highlight=False)
    if options.run_file is not None:
        for path in write_runs(reports, options.run_file):
            errors.print(f"written: {path}", style="dim", markup=False, highlight=False)
    if options.as_json:
        documents = [report.as_json() for report in reports]
        print(json.dumps(documents[0] if len(documents) == 1 else documents, ensure_ascii=False))  # noqa: T201 for programs
        return
    show(Console(), reports, others, needs_unknown=options.needs_unknown)


def write_runs(reports: Sequence[Report], path: Path) -> list[Path]:
    """Write every ranking in TREC's format: one into the file `path`, several into files of the folder `path`.

    Raises DatasetError for ids that the format cannot hold, or where `path` is a folder already and a file is wanted.
    """
    runs = {
        f"{report.dataset}.{each.configuration.name}.run": (each.run, each.configuration.name)
        for report in reports
        for each in report.configurations
    }
    if len(runs) == 1 and not path.is_dir():
        paths = {next(iter(runs)): path}
    else:
        path.mkdir(parents=True, exist_ok=True)
        paths = {name: path / name for name in runs}
    for name, (run, tag) in runs.items():
        paths[name].write_text("".join(f"{line}\n" for line in trec_lines(run, tag)), encoding="utf-8")
    return list(paths.values())


def _asks(options: Options, policy: Policy, folders: int) -> Asks:
    """What is asked for, checked before anything is read or encoded."""
    if options.queries is not None and folders > 1:
        raise ConfigurationError("--queries is for one folder; give one, or leave the option out")
    if options.against not in ("first", "previous"):
        raise ConfigurationError(f"--against is first or previous, not {options.against!r}")
    unknown = [name for name in options.by if name not in GROUPINGS]
    if unknown:
        raise ConfigurationError(f"--by groups by {', '.join(GROUPINGS)}, not by {unknown[0]!r}")
    try:
        configurations(options.compare, policy)
    except ValueError as error:
        raise ConfigurationError(f"--compare: {error}") from None
    return Asks(options.compare, options.against, options.by, options.exposure)


def _policy(path: Path | None) -> Policy:
    if path is None:
        return DEFAULT
    try:
        return Policy.from_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigurationError(f"{path}: {error}") from None


def _opened(folder: Path, scratch: Path, options: Options) -> Path:
    """The folder, or that of the samples in the layout that is measured."""
    if is_samples(folder):
        return (
            bilingual_as_dataset(folder, scratch / "bilingual")
            if options.bilingual
            else samples_as_dataset(folder, scratch / "samples")
        )
    if options.bilingual:
        raise DatasetError(f"{folder} is not the folder of the samples, whose needs --bilingual asks")
    return folder


@contextmanager
def _progress(errors: Console) -> Iterator[Callable[[int, int], None] | None]:
    """A bar on a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    with Progress(console=errors, transient=True) as bar:
        task = bar.add_task("embedding", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
