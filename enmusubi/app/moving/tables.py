"""What of the database belongs to a cluster and is exported: one line a table; columns follow from the models.

Columns of JSON are exported as they are: what they name, they name by public ids, which an import keeps.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Table, or_, select

from enmusubi.app.database import Base

CLUSTERS: Final = "clusters"

EXPORTED: Final[Mapping[str, tuple[str, ...]]] = {
    CLUSTERS: ("id",),
    "cluster_settings": ("cluster_id",),
    "organisations": ("cluster_id",),
    "accounts": ("cluster_id",),
    "seeds": ("cluster_id",),
    "seed_details": ("seed_id",),
    "seed_openings": ("seed_id",),
    "needs": ("cluster_id",),
    "need_details": ("need_id",),
    "need_exclusions": ("need_id",),
    "need_openings": ("need_id",),
    "publication_reviews": ("seed_id", "need_id"),
    "matches": ("cluster_id",),
    "reviews": ("match_id",),
    "match_steps": ("match_id", "cluster_id"),
    "step_actors": ("step_id", "cluster_id"),
    "interests": ("match_id",),
    "waits": ("match_id", "cluster_id"),
    "disclosures": ("match_id",),
    "outcomes": ("match_id",),
    "declines": ("match_id",),
    "origins": ("seed_id", "need_id"),
    "saved_searches": ("account_id",),
    "queue_views": ("account_id",),
    "alert_settings": ("account_id",),
    "alerts": ("account_id", "saved_search_id"),
}
"""Tables in the order in which they are imported, each with the columns by one of which a row is of the cluster."""

ONE_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "publication_reviews": ("seed_id", "need_id"),
    "origins": ("seed_id", "need_id", "from_match_id", "from_outcome_id", "from_seed_id", "from_need_id"),
    "alerts": ("match_id", "saved_search_id", "seed_id", "need_id"),
}
"""Columns that may be null, but not instead of what they name: without that row theirs would say nothing."""

MADE_BY_TRIGGERS: Final[Mapping[str, tuple[str, ...]]] = {
    "cluster_settings": EXPORTED["cluster_settings"],
    "declines": EXPORTED["declines"],
    "to_match": ("seed_id", "need_id"),
}
"""Tables to which triggers add rows for rows of others, each with the columns by one of which a row is of the cluster.

What they add while a cluster is imported is taken away again: the settings and the "no"s come from the export, these
with what the entries were like when they were said; and what was published before it moved is not new to anybody.
"""

LEFT_OUT: Final[Mapping[str, str]] = {
    "alert_stops": "secrets, in letters of another address: later letters have links of their own",
    "api_tokens": "secrets: people make new ones",
    "deliveries": "what was sent was sent",
    "fittings": "of the installation, not of a cluster: fitted anew by `enmusubi learn` and `enmusubi calibrate`",
    "idempotent_replies": "forgotten after a day",
    "import_rows": "of posted files, which are forgotten in time; the entries are there",
    "imports": "posted files and their reports are forgotten in time; the entries are there",
    "indicator_figures": "counted anew when somebody asks for them",
    "indicator_states": "which moment the figures are of: of these alone",
    "invitations": "secrets, and links to another address: people are invited anew",
    "map_drawings": "which snapshot the map was drawn after: there it is another",
    "map_positions": "computed again from the vectors, after the next snapshot",
    "notices": "what was told was told; a copy would be told again",
    "oidc_sign_ins": "secrets of minutes",
    "passages": "computed again from the texts",
    "password_resets": "secrets of an hour",
    "record_actors": "of the record",
    "record_events": "the record of an installation is one chain: `enmusubi audit export` writes it, verifiable",
    "sessions": "secrets: people sign in again",
    "throttles": "forgotten in time",
    "to_match": "a queue of an installation: what was published before is not new, and nobody is told of it anew",
    "webhook_endpoints": "secrets, and addresses that expect another sender: people register them anew",
}
"""Tables that are not exported, and why."""

_COMPUTED: Final = "computed again by `enmusubi index`"
_OF_ENTRIES: Final = {
    "embedding": _COMPUTED,
    "embedding_key": _COMPUTED,
    "embedding_encoder": _COMPUTED,
    "terms": _COMPUTED,
    "terms_analysis": _COMPUTED,
    "text_language": _COMPUTED,
    "changed_xid": "of the database that wrote it",
}
LEFT_OUT_COLUMNS: Final[Mapping[str, Mapping[str, str]]] = {
    "accounts": {"password_hash": "a secret: people choose a new password by a link"},
    "seeds": _OF_ENTRIES,
    "needs": {**_OF_ENTRIES, "embedding_parts": _COMPUTED},
}
"""Columns of exported tables that are not exported, and why. Keys of rows are not either: they are of one database."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A column that names a row of another exported table, by that row's public id."""

    column: str
    table: str
    """The table whose rows have the public id."""
    optional: bool
    """Whether the row says something without it."""


def table_of(name: str) -> Table:
    """A table of the models."""
    return Base.metadata.tables[name]


def columns_of(name: str) -> list[Column[Any]]:
    """The columns of a table that are exported, in the order of the model."""
    left_out = LEFT_OUT_COLUMNS.get(name, {})
    return [column for column in table_of(name).columns if column.name != "id" and column.name not in left_out]


def references_of(name: str) -> list[Reference]:
    """Its exported columns that name rows of other tables."""
    found = []
    for column in columns_of(name):
        target = _named(column)
        if target is not None:
            optional = bool(column.nullable) and column.name not in ONE_OF.get(name, ())
            found.append(Reference(column.name, target.name, optional))
    return found


def of_cluster(name: str, cluster_id: int) -> ColumnElement[bool]:
    """Which rows of a table are of a cluster."""
    table = table_of(name)
    if name == CLUSTERS:
        return table.c.id == cluster_id
    return or_(*(_through(table.c[column], cluster_id) for column in EXPORTED.get(name) or MADE_BY_TRIGGERS[name]))


def _through(column: Column[Any], cluster_id: int) -> ColumnElement[bool]:
    target = _named(column)
    assert target is not None, f"{column} names no row by which it is of a cluster"
    if target.name == CLUSTERS:
        return column == cluster_id
    return column.in_(select(target.c.id).where(of_cluster(target.name, cluster_id)))


def _named(column: Column[Any]) -> Table | None:
    """The table with public ids whose key a column holds, also where it is the key of a part of such a row."""
    for foreign in column.foreign_keys:
        target = foreign.column
        if target.name == "id":
            return target.table if isinstance(target.table, Table) else None
        if target.primary_key:
            return _named(target)
    return None
