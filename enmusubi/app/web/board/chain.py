"""The chain of innovation as a picture, generation by generation, and as a table."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from enmusubi.app.lineage import Chain, Node
from enmusubi.app.vocabulary import MatchStatus, OriginKind, OutcomeKind
from enmusubi.app.web.board.plots import Plot, plain
from enmusubi.app.web.board.tables import Cell, Table, cells
from enmusubi.app.web.languages import N_, Speech
from enmusubi.app.web.words import word

MOST_LABELS: Final = 40
"""Nodes with their titles beside them; of more, titles appear under the pointer."""
SHORT: Final = 22
"""Characters of a title beside its node."""
_SWEEPS: Final = 6
_WITHIN: Final = {OriginKind.NEED: 0.0, OriginKind.SEED: 0.0, OriginKind.MATCH: 0.36, OriginKind.OUTCOME: 0.66}
_LOOKS: Final = {
    OriginKind.NEED: ("diamond", "--plot-2"),
    OriginKind.SEED: ("circle", "--plot-1"),
    OriginKind.MATCH: ("x", "--plot-4"),
    OriginKind.OUTCOME: ("star", "--plot-3"),
}

Places = Mapping[uuid.UUID, tuple[float, float]]


def places(chain: Chain) -> Places:
    """Where each node is drawn: across by generation, down so that lines cross little (barycentres of neighbours)."""
    columns: dict[float, list[Node]] = defaultdict(list)
    for node in chain.nodes:
        columns[node.generation + _WITHIN[node.kind]].append(node)
    neighbours: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
    for source, target in chain.edges:
        neighbours[source].append(target)
        neighbours[target].append(source)
    down = {node.id: float(at) for nodes in columns.values() for at, node in enumerate(nodes)}
    for sweep in range(_SWEEPS):
        for across in sorted(columns, reverse=sweep % 2 == 1):
            middles = {
                node.id: sum(down[each] for each in neighbours[node.id]) / max(1, len(neighbours[node.id]))
                for node in columns[across]
            }
            columns[across].sort(key=lambda node: (middles[node.id], str(node.id)))
            high = len(columns[across])
            tallest = max(len(nodes) for nodes in columns.values())
            for at, node in enumerate(columns[across]):
                down[node.id] = (at + 0.5) * tallest / high
    return {node.id: (across, down[node.id]) for across, nodes in columns.items() for node in nodes}


def picture(speech: Speech, chain: Chain) -> Plot:
    """Lines from what was first to what came of it, the longest one marked."""
    placed = places(chain)
    longest = set(zip(chain.longest, chain.longest[1:], strict=False))
    others = [edge for edge in chain.edges if edge not in longest]
    traces: list[dict[str, Any]] = [
        _lines(placed, others, "--line", 1.2),
        {**_lines(placed, sorted(longest, key=str), "--accent", 3.0), "name": speech.say(N_("longest line"))},
    ]
    labelled = len(chain.nodes) <= MOST_LABELS
    for kind, (symbol, colour) in _LOOKS.items():
        nodes = [node for node in chain.nodes if node.kind is kind]
        if nodes:
            names = [said(speech, node) for node in nodes]
            shows_text = labelled and kind is not OriginKind.MATCH
            traces.append(
                {
                    "type": "scatter", "mode": "markers+text" if shows_text else "markers",
                    "name": word(speech, kind), "symbol": symbol, "size": 13, "colour": colour,
                    "x": [placed[node.id][0] for node in nodes], "y": [placed[node.id][1] for node in nodes],
                    "text": [plain(name, SHORT) for name in names], "textposition": "bottom center",
                    "hovertext": [plain(name) for name in names], "hoverinfo": "text",
                    "customdata": [address(node) for node in nodes],
                }
            )  # fmt: skip
    generations = [speech.say(N_("generation %(number)s"), number=number) for number in range(chain.generations)]
    tallest = max((down for _, down in placed.values()), default=1.0)
    layout = {
        "height": int(min(1_600, max(320, 160 + 70 * tallest))),
        "xaxis": {"tickvals": list(range(chain.generations)), "ticktext": generations, "zeroline": False,
                  "range": [-0.3, max(1.0, chain.generations - 0.1)]},
        "yaxis": {"visible": False, "autorange": "reversed"},
        "pans": True,
    }  # fmt: skip
    return Plot("chain", speech.say(N_("The chain of innovation")), traces, layout)


def _lines(placed: Places, edges: Sequence[tuple[uuid.UUID, uuid.UUID]], colour: str, width: float) -> dict[str, Any]:
    across: list[float | None] = []
    down: list[float | None] = []
    for source, target in edges:
        across += [placed[source][0], placed[target][0], None]
        down += [placed[source][1], placed[target][1], None]
    return {"type": "scatter", "mode": "lines", "x": across, "y": down, "hoverinfo": "skip", "showlegend": False,
            "colour": colour, "width": width}  # fmt: skip


def said(speech: Speech, node: Node) -> str:
    """What a node is, in words."""
    if node.title:
        return node.title
    if node.kind is OriginKind.OUTCOME and node.what:
        return word(speech, OutcomeKind(node.what))
    if node.kind is OriginKind.MATCH and node.what:
        return f"{word(speech, node.kind)}: {word(speech, MatchStatus(node.what))}"
    return word(speech, node.kind)


def address(node: Node) -> str | None:
    """Where it is shown; an outcome is shown with its match."""
    folders = {OriginKind.SEED: "seeds", OriginKind.NEED: "needs", OriginKind.MATCH: "matches"}
    return f"/{folders[node.kind]}/{node.id}" if node.kind in folders else None


def table(speech: Speech, chain: Chain) -> Table:
    """A row for each node, with what it came of."""
    names = {node.id: said(speech, node) for node in chain.nodes}
    came_of: dict[uuid.UUID, list[str]] = defaultdict(list)
    for source, target in chain.edges:
        came_of[target].append(names[source])
    longest = set(chain.longest)
    headings = [
        speech.say(N_("generation")), speech.say(N_("kind")), speech.say(N_("name")), speech.say(N_("date")),
        speech.say(N_("came of")), speech.say(N_("on the longest line")),
    ]  # fmt: skip
    yes = speech.say(N_("yes"))
    rows = [
        [
            *cells(node.generation, word(speech, node.kind)),
            Cell(names[node.id], address(node)),
            *cells(node.date, " / ".join(came_of[node.id]) or None, yes if node.id in longest else None),
        ]
        for node in chain.nodes
    ]
    return Table(headings, rows)
