"""The map as a picture: a mark for each entry, or for each cell of many; and as tables."""

from collections.abc import Sequence
from typing import Any, Final

from enmusubi.app.cluster_map.reading import Dot, MapView
from enmusubi.app.vocabulary import OriginKind
from enmusubi.app.web.board.fields import section_said
from enmusubi.app.web.board.plots import Plot, plain
from enmusubi.app.web.board.tables import Cell, Table, cells
from enmusubi.app.web.languages import N_, Speech
from enmusubi.app.web.words import word

COLOURS: Final = 8
"""Sections that have a colour of their own: those with most entries."""
_SYMBOLS: Final = {"seed": "circle", "need": "diamond"}


def picture(speech: Speech, view: MapView) -> Plot:
    """Seeds are circles, needs are diamonds; of one colour are those of one field."""
    ranked = sorted(view.sections, key=lambda each: (each.section is None, -(each.seeds + each.needs)))
    traces = []
    for number, each in enumerate(ranked):
        colour = f"--plot-{number + 1}" if number < COLOURS and each.section is not None else "--plot-other"
        shown = False
        for kind in ("seed", "need"):
            dots = [dot for dot in view.dots if (dot.kind, dot.section) == (kind, each.section)]
            spots = [cell for cell in view.cells if (cell.kind, cell.section) == (kind, each.section)]
            if not dots and not spots:
                continue
            named = section_said(speech, each.section)
            said = word(speech, OriginKind(kind))
            trace: dict[str, Any] = {
                "type": "scatter", "mode": "markers", "name": named, "legendgroup": named, "showlegend": not shown,
                "symbol": _SYMBOLS[kind], "colour": colour, "hoverinfo": "text", "opacity": 0.85 if dots else 0.6,
                "x": [dot.x for dot in dots] + [spot.x for spot in spots],
                "y": [dot.y for dot in dots] + [spot.y for spot in spots],
            }  # fmt: skip
            if dots:
                trace |= {
                    "size": 9 if kind == "seed" else 11,
                    "hovertext": [f"{plain(dot.title)}<br>{said} · {plain(named)}" for dot in dots],
                    "customdata": [f"/{kind}s/{dot.id}" for dot in dots],
                }
            else:
                trace |= {
                    "size": [round(min(34.0, 7 + 3 * spot.count**0.5), 1) for spot in spots],
                    "hovertext": [f"{speech.number(spot.count)} {said} · {plain(named)}" for spot in spots],
                    "customdata": [None] * len(spots),
                }
            traces.append(trace)
            shown = True  # once for both sides: their shapes are explained above
    hidden = {"visible": False}
    layout = {"height": 640, "xaxis": hidden, "yaxis": {**hidden, "scaleanchor": "x"}, "pans": True,
              "showlegend": True}  # fmt: skip
    return Plot("map", speech.say(N_("The map of the cluster")), traces, layout)


def gaps(speech: Speech, view: MapView) -> Table:
    """Where there is much of one side and little of the other, by field."""
    headings = [
        speech.say(N_("field")), speech.say(N_("seeds")), speech.say(N_("needs")), speech.say(N_("what is missing")),
    ]  # fmt: skip
    rows = [
        cells(section_said(speech, each.section), each.seeds, each.needs, _missing(speech, each.seeds, each.needs))
        for each in view.sections
    ]
    return Table(headings, rows)


def _missing(speech: Speech, seeds: int, needs: int) -> str | None:
    if seeds and not needs:
        return speech.say(N_("no needs"))
    if needs and not seeds:
        return speech.say(N_("no seeds"))
    return None


def table(speech: Speech, dots: Sequence[Dot]) -> Table:
    """Every entry."""
    headings = [
        speech.say(N_("kind")), speech.say(N_("title")), speech.say(N_("field")), speech.say(N_("across")),
        speech.say(N_("up")),
    ]  # fmt: skip
    rows = [
        [
            Cell(word(speech, OriginKind(dot.kind))),
            Cell(dot.title or speech.say(N_("without a title")), f"/{dot.kind}s/{dot.id}"),
            *cells(section_said(speech, dot.section), round(dot.x, 3), round(dot.y, 3)),
        ]
        for dot in dots
    ]
    return Table(headings, rows)
