"""`enmusubi calibrate` and `enmusubi learn`: fit to this installation's reviews, or go back to what is shipped.

Both read the reviews of all clusters and print counts and figures alone.
"""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from enmusubi.app import fittings, refitting
from enmusubi.app.cli.opening import opened, read_settings
from enmusubi.app.config import Settings
from enmusubi.app.recording import Operator, record
from enmusubi.app.refitting import Calibrated, LearnedHere
from enmusubi.app.reviewed import Model
from enmusubi.app.runtime import encoder_for
from enmusubi.app.vocabulary import Action, FittingKind, RecordedKind
from enmusubi.matching.calibration import shipped
from enmusubi.matching.policy import DEFAULT, PARTS, Policy


def calibrate(*, off: bool, dry_run: bool) -> None:
    """Fit the calibration to the reviews and print what came of it; with `off`, go back to the shipped one."""
    if off:
        _switch_off(FittingKind.CALIBRATION, shipped().name)
        return
    settings = read_settings()
    with opened(settings) as database, database.session() as session:
        outcome = refitting.calibrate(session, _model(settings), dry_run=dry_run)
        session.commit()
    show_calibrated(Console(), outcome)
    _show_use(outcome.fitted.name if outcome.adopted and outcome.fitted else shipped().name, dry_run=dry_run)


def learn(*, off: bool, dry_run: bool) -> None:
    """Learn a policy from the reviews and print what came of it; with `off`, go back to the default."""
    if off:
        _switch_off(FittingKind.POLICY, DEFAULT.name)
        return
    settings = read_settings()
    with opened(settings) as database, database.session() as session:
        model = _model(settings)
        outcome = refitting.learn(session, model, dry_run=dry_run)
        used, _ = fittings.usable(session, model)
        calibrated = dry_run or used.calibration.policy == outcome.learned.policy.name
        session.commit()
    show_learned(Console(), outcome)
    _show_use(outcome.learned.policy.name, dry_run=dry_run)
    if not calibrated:
        Console().print(
            f"Its rankings have no calibration of their own yet: {shipped().name} says how sure they are until there "
            "are reviews of them; then run `enmusubi calibrate`.",
            style="yellow",
        )


def show_calibrated(console: Console, outcome: Calibrated) -> None:
    """Counts of the reviews, the figures on needs held out, and why it is or is not used."""
    judged = outcome.judged
    worth, not_worth = judged.verdicts
    table = _counts("Reviews to calibrate on")
    table.add_row("policy in use", outcome.policy)
    table.add_row("needs with reviewed entries among their ten best", f"{len(judged.lists):,}")
    table.add_row("entries worth a look / not", f"{worth:,} / {not_worth:,}")
    _add_left_out(table, judged.other_reasons, judged.other_rankings)
    if outcome.held_out is not None:
        table.add_row(
            "mean log loss on needs held out, fitted / shipped",
            f"{outcome.held_out.fitted:.4f} / {outcome.held_out.before:.4f}",
        )
    console.print(table)
    _show_reason(console, outcome.reason, adopted=outcome.adopted)


def show_learned(console: Console, outcome: LearnedHere) -> None:
    """Counts of the reviews, the weights learned beside the default's, and why they are or are not used."""
    learned = outcome.learned
    table = _counts("Reviews to learn from")
    table.add_row("reviewed candidates", f"{learned.decisions:,}")
    table.add_row("needs with both verdicts", f"{learned.groups:,}")
    if learned.contradictions:
        table.add_row("candidates left out, their reviews being even", f"{learned.contradictions:,}")
    _add_left_out(table, outcome.read.other_reasons, outcome.read.other_rankings)
    console.print(table)
    if learned.proposed is not None:
        console.print(_weights(learned.proposed))
    _show_reason(console, learned.reason, adopted=learned.adopted)


def _weights(proposed: Policy) -> Table:
    table = Table("Part", title="Weights", title_justify="left")
    for policy in (DEFAULT, proposed):
        table.add_column(policy.name, justify="right")
    for part in PARTS:
        table.add_row(part, f"{DEFAULT.weights[part]:g}", f"{proposed.weights[part]:g}")
    return table


def _counts(title: str) -> Table:
    table = Table(title=title, title_justify="left", show_header=False, box=None)
    table.add_column(style="dim")
    table.add_column()
    return table


def _add_left_out(table: Table, other_reasons: int, other_rankings: int) -> None:
    if other_reasons:
        table.add_row("left out: dismissed for other reasons", f"{other_reasons:,}")
    if other_rankings:
        table.add_row("left out: ranked by another model or policy", f"{other_rankings:,}")


def _show_reason(console: Console, reason: str, *, adopted: bool) -> None:
    console.print(f"[{'green' if adopted else 'yellow'}]{escape(reason)}[/]", highlight=False, soft_wrap=True)


def _show_use(name: str, *, dry_run: bool) -> None:
    told = "would be in use; dry run: nothing was changed" if dry_run else "is in use"
    Console().print(f"{name} {told}", markup=False, highlight=False)


def _switch_off(kind: FittingKind, shipped_name: str) -> None:
    with opened(read_settings()) as database, database.session() as session:
        fittings.take_turns(session)
        before = fittings.switch_off(session, kind)
        if before:
            said = {"fitting": str(kind), "was": before}
            record(session, Operator(), Action.SWITCHED_OFF, RecordedKind.FITTING, None, **said)
        session.commit()
    was = f"was {before}, which stays kept" if before else "as it was before"
    Console().print(f"{shipped_name} is in use ({was})", markup=False, highlight=False)


def _model(settings: Settings) -> Model:
    """The configured encoder, whose rankings count; its weights are not loaded."""
    encoder = encoder_for(settings)
    return Model(encoder.model, encoder.revision)
