"""A ranking with its reasons, one block a match: what is wanted beside what the seed says, in 80 columns or more."""

from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from enmusubi.app.cli.showing import show_provenance
from enmusubi.app.reasons_shown import (
    CooperationOut,
    ReasonsOut,
    RegionFitOut,
    SharedTermOut,
    SupportOut,
    TrlFitOut,
)
from enmusubi.app.representations import RankedOut, RankingOut

WIDE: Final = 100
"""From so many columns on, a requirement and its sentence stand side by side."""
TERMS_SHOWN: Final = 8
MATTERS: Final = -0.05
"""A hub that takes less off the score is not worth a word."""
_BAR_CELLS: Final = 5
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"

_MISSING: Final = {
    "requirements": "what is wanted: the need says nothing in sentences",
    "seed_sentences": "what the seed says: it has no sentences",
    "terms": "shared words, estimated across languages",
    "wanted_trl": "TRL wanted",
    "trl": "TRL of the seed",
    "regions": "region",
    "cooperation": "forms of cooperation",
    "field_codes": "shared fields",
}
_NO_BACKGROUND: Final = (
    "Support is unknown: too few sentences of other seeds are stored. `enmusubi index --sentences` stores them."
)


def show_explained(console: Console, title: str, ranking: RankingOut) -> None:
    """Each match with its reasons, best first, and what ranked them."""
    console.print(Text(title, style="bold"))
    if any(ranked.reasons for ranked in ranking.ranking):
        console.print(_legend())
    for ranked in ranking.ranking:
        console.print()
        _show_match(console, ranked)
    if ranking.ranking:
        console.print()
    if ranking.message:
        console.print(f"  {ranking.message}")
    show_provenance(console, ranking.provenance)


def _legend() -> Text:
    return Text.assemble(
        _mark(wanted=True, found=True), " wanted, and the seed speaks of it   ",
        _mark(wanted=True, found=False), " wanted, not found   ",
        _mark(wanted=False, found=True), " situation",
        style="dim",
    )  # fmt: skip


def _mark(*, wanted: bool, found: bool) -> Text:
    if not found:
        return Text("○", style="yellow")
    return Text("●", style="green") if wanted else Text("·", style="green")


def _show_match(console: Console, ranked: RankedOut) -> None:
    console.print(Rule(Text(f"{ranked.rank}", style="bold"), align="left", style="dim", characters="─"))
    lines = Text(ranked.entry.title or "(no title)", style="bold cyan")
    owner = ranked.entry.organisation.name if ranked.entry.organisation else "organisation not shown"
    level = ("TRL " if ranked.entry.kind == "seed" else "wants TRL ") + str(ranked.entry.trl)
    about = [owner, ranked.entry.language or "", level if ranked.entry.trl is not None else ""]
    console.print(lines)
    console.print(Text(" · ".join(filter(None, about)), style="dim"))
    console.print(_sure(ranked))
    if ranked.reasons is not None:
        console.print()
        _show_requirements(console, ranked.reasons)
        console.print()
        console.print(Padding(_summary(ranked, ranked.reasons), (0, 0, 0, 2)))


def _sure(ranked: RankedOut) -> Text:
    """How probable it is, and what the score is made of."""
    text = Text()
    if ranked.probability is not None:
        sure = ranked.probability
        text.append(f"{sure.value:.0%} sure", style="bold")
        text.append(f" ({sure.low:.0%}–{sure.high:.0%}), ", style="dim")
    text.append(f"score {ranked.score:.3f}", style="bold")
    told = [
        f"{_name(part.name)} {_signed(part.value * part.weight)}{' estimated' if part.estimated else ''}"
        for part in ranked.parts
        if not _is_small_hub(part.name, part.value * part.weight)
    ]
    return text.append(": " + ", ".join(told) if told else "", style="dim")


def _show_requirements(console: Console, reasons: ReasonsOut) -> None:
    unknown = "background" in reasons.missing or "seed_sentences" in reasons.missing
    if "background" in reasons.missing:
        console.print(Padding(Text(_NO_BACKGROUND, style="yellow"), (0, 0, 0, 2)))
    shown = [each for each in reasons.requirements if each.support or each.wanted]
    if not unknown:
        shown.sort(key=lambda each: not each.support)  # what is not found comes last
    wide = console.width >= WIDE
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(width=2, justify="right")
    table.add_column(ratio=1, overflow="fold")
    if wide:
        table.add_column(width=_BAR_CELLS)
        table.add_column(ratio=1, overflow="fold")
    for each in shown:
        mark = Text("?", style="dim") if unknown else _mark(wanted=each.wanted, found=bool(each.support))
        asked = Text(_one_line(each.text))
        asked.append(f"  {each.field}{', confidential' if each.confidential else ''}", style="dim")
        if not each.support:
            table.add_row(mark, asked, *(("", "" if unknown else Text("not found", style="yellow")) if wide else ()))
        elif wide:
            table.add_row(mark, asked, *_said(each.support))
        else:
            table.add_row(mark, asked)
            table.add_row("", _beside(*_said(each.support)))
    console.print(table)
    silent = len(reasons.requirements) - len(shown)
    notes = []
    if silent:
        notes.append(f"{_counted(silent, 'sentence')} of the need only tell{'s' if silent == 1 else ''} the situation")
    if reasons.left_out:
        notes.append(f"{reasons.left_out} further were not looked at")
    if notes:
        console.print(Padding(Text("; ".join(notes), style="dim"), (0, 0, 0, 3)))


def _said(support: Sequence[SupportOut]) -> tuple[Text, Text]:
    """How strong the strongest sentence is, and what it says."""
    text = Text(_one_line(support[0].text))
    more = f", and {len(support) - 1} more" if len(support) > 1 else ""
    return _bar(support[0].strength), text.append(f"  {support[0].field}{more}", style="dim")


def _beside(bar: Text, sentence: Text) -> Table:
    line = Table.grid(padding=(0, 1), expand=True)
    line.add_column(width=_BAR_CELLS)
    line.add_column(ratio=1, overflow="fold")
    line.add_row(bar, sentence)
    return line


def _bar(strength: float) -> Text:
    eighths = round(strength * _BAR_CELLS * 8)
    full, rest = divmod(eighths, 8)
    return Text(("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(_BAR_CELLS), style="green")


def _summary(ranked: RankedOut, reasons: ReasonsOut) -> Table:
    """Shared words and fields, facts, what counts against, what is not known."""
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    rows = {
        "Shared words": _terms(reasons.shared_terms, reasons.more_shared_terms),
        "Keywords": ", ".join(reasons.keywords),
        "Fields": ", ".join(reasons.field_codes),
        "Facts": " · ".join([*_trl(reasons.trl), *_region(reasons.region), *_cooperation(reasons.cooperation)]),
        "Against": " · ".join(_against(reasons, ranked)),
        "Not known": " · ".join(_MISSING[name] for name in reasons.missing if name in _MISSING),
    }
    for label, text in rows.items():
        if text:
            style = {"Against": "yellow", "Not known": "dim"}.get(label, "")
            table.add_row(label, Text(text, style=style))
    return table


def _terms(found: Sequence[SharedTermOut], more: int) -> str:
    """The heaviest as they are written, each with its share of the need's words or phrases."""
    written: dict[str, tuple[str, float]] = {}
    for each in found:
        text = _one_line(each.need[0].text) if each.need else _as_stem(each.term)
        written.setdefault(text.casefold(), (text, each.weight))
    listed = [f"{text} {weight:.0%}" for text, weight in list(written.values())[:TERMS_SHOWN]]
    left = max(len(written) - TERMS_SHOWN, 0) + more
    if left:
        listed.append(f"and {left} more")
    return ", ".join(listed)


def _as_stem(term: str) -> str:
    """A term that stands in keywords only; the words of many languages are cut to their stems there."""
    return " ".join(f"{word}…" if word.isascii() and word.isalpha() else word for word in term.split("_"))


def _trl(fit: TrlFitOut) -> Iterable[str]:
    if fit.wanted is not None and fit.offered is not None:
        yield f"TRL {fit.offered}, {fit.wanted} is wanted"


def _region(fit: RegionFitOut) -> Iterable[str]:
    if fit.fit == "same":
        yield f"in a region preferred: {', '.join(fit.shared)}"
    elif fit.fit == "other":
        yield f"in {', '.join(fit.offered)}, preferred {', '.join(fit.preferred)}"


def _cooperation(stated: CooperationOut) -> Iterable[str]:
    words = {"offered": "offered", "not_offered": "not offered", "unknown": "not said"}
    for each in stated.asked:
        yield f"{each.kind.replace('_', ' ')}: {words[each.offer]}"


def _against(reasons: ReasonsOut, ranked: RankedOut) -> Iterable[str]:
    other = "needs" if ranked.entry.kind == "seed" else "seeds"
    same = "seeds" if ranked.entry.kind == "seed" else "needs"
    wanted = sum(each.wanted for each in reasons.requirements)
    for each in reasons.against:
        if each.contribution is not None and _is_small_hub(each.what, each.contribution):
            continue
        taken = "" if each.contribution is None else f" {_signed(each.contribution)}"
        yield {
            "hub_across": f"near to many {other}{taken}",
            "hub_alike": f"near to many {same}{taken}",
            "not_addressed": f"{each.count} of {wanted} wanted not found",
            "open_challenges": f"{_counted(each.count or 0, 'requirement')} met among its open challenges only",
            "trl": f"{_counted(each.count or 0, 'level')} of readiness short",
            "regions": "in another region",
            "licence": "licence not offered",
        }.get(each.what, f"{_name(each.what)}{taken}")


def _is_small_hub(name: str, contribution: float) -> bool:
    return name.startswith("hub_") and contribution > MATTERS


def _name(part: str) -> str:
    return {"terms": "words", "hub_across": "hub across", "hub_alike": "hub alike"}.get(part, part)


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
