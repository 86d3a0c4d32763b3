"""introductions: the steps of a match, who is waited for, what each side answered, disclosures and outcomes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

STATUSES = (
    "'suggested', 'shortlisted', 'introduced', 'accepted', 'declined', 'disclosed', 'meeting', 'negotiation', "
    "'agreement', 'outcome', 'dismissed'"
)
STEPS = (
    "'shortlist', 'dismiss', 'reconsider', 'pair', 'introduce', 'express_interest', 'accept', 'decline', 'disclose', "
    "'meet', 'negotiate', 'agree', 'report_outcome', 'close', 'lapse', 'reopen', 'hand_over'"
)
REASONS = (
    "'too_early', 'benefit_unclear', 'commercial_route_unclear', 'description_unclear', 'scientific_concern', "
    "'out_of_scope', 'ip_position', 'capacity', 'internal_project', 'compliance', 'no_answer', 'already_in_contact', "
    "'terms'"
)
SIDES = "'need', 'seed', 'cluster'"
AWAITED = "'introduction', 'answer', 'disclosure', 'meeting', 'report', 'outcome'"
OUTCOMES = (
    "'joint_research', 'commissioned_research', 'technical_consultation', 'academic_guidance', 'clinical_trial', "
    "'patent_application', 'licence', 'start_up', 'commercialisation'"
)

ROLE = "(select caller_role())"
CLUSTER = "(select caller_cluster())"
ACCOUNT = "(select caller_account())"
OVERSEES = f"{ROLE} in ('coordinator', 'cluster_administrator', 'auditor')"
SERVICE = f"{ROLE} = 'service'"
HERE = f"exists (select from matches where matches.id = match_id and matches.cluster_id = {CLUSTER})"
SEEN = "exists (select from matches where matches.id = match_id)"
ACTS = f"{ROLE} in ('company', 'university', 'coordinator', 'cluster_administrator', 'service')"

# Of each table, conditions to read, insert and change; a match that is not seen has none of these rows.
POLICIES: dict[str, dict[str, str | tuple[str, str]]] = {
    "match_steps": {"select": f"{SEEN} or {SERVICE}", "insert": f"{ACTS} and ({SEEN} or {SERVICE})"},
    "interests": {
        "select": f"{SEEN} or {SERVICE}",
        "insert": f"{ACTS} and ({SEEN} or {SERVICE})",
        "update": (f"{ACTS} and ({SEEN} or {SERVICE})", f"{ACTS} and ({SEEN} or {SERVICE})"),
    },
    "waits": {
        "select": f"{SEEN} or {SERVICE}",
        "insert": f"{ACTS} and ({SEEN} or {SERVICE})",
        "update": (f"{ACTS} and ({SEEN} or {SERVICE})", f"{ACTS} and ({SEEN} or {SERVICE})"),
    },
    "disclosures": {
        "select": f"({OVERSEES} and {HERE}) or {SEEN}",
        "insert": f"{ROLE} = 'coordinator' and {HERE}",
    },
    "outcomes": {"select": SEEN, "insert": f"{ACTS} and {SEEN}"},
}


def _key() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


def _moment(name: str, *, now: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=not now)


def _to(table: str, column: str, other: str, *, cascade: bool = False) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete="CASCADE" if cascade else None)


def upgrade() -> None:
    op.add_column("matches", sa.Column("coordinator_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_matches_coordinator_id_accounts"), "matches", "accounts", ["coordinator_id"], ["id"])
    op.create_index(op.f("ix_matches_coordinator_id"), "matches", ["coordinator_id"])
    op.add_column("matches", sa.Column("by_hand", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("matches", _moment("reopened"))
    op.add_column("matches", sa.Column("reopened_for", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("ck_matches_reopened_for"), "matches", f"reopened_for IN ({REASONS})")
    op.create_table(
        "match_steps",
        _key(),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("match_id", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("facts", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        _moment("taken", now=True),
        sa.CheckConstraint(f"step IN ({STEPS})", name=op.f("ck_match_steps_step")),
        sa.CheckConstraint(f"before IN ({STATUSES})", name=op.f("ck_match_steps_before")),
        sa.CheckConstraint(f"after IN ({STATUSES})", name=op.f("ck_match_steps_after")),
        sa.CheckConstraint(f"side IN ({SIDES})", name=op.f("ck_match_steps_side")),
        sa.CheckConstraint(f"reason IN ({REASONS})", name=op.f("ck_match_steps_reason")),
        _to("match_steps", "match_id", "matches", cascade=True),
        _to("match_steps", "account_id", "accounts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_match_steps")),
        sa.UniqueConstraint("public_id", name=op.f("uq_match_steps_public_id")),
    )
    op.create_index("ix_match_steps_page", "match_steps", ["match_id", "id"])
    op.create_index(op.f("ix_match_steps_account_id"), "match_steps", ["account_id"])
    op.create_table(
        "interests",
        _key(),
        sa.Column("match_id", sa.BigInteger(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        _moment("asked", now=True),
        sa.Column("answer", sa.Text(), nullable=False),
        _moment("answered"),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("discloses", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.CheckConstraint("side IN ('need', 'seed')", name=op.f("ck_interests_side")),
        sa.CheckConstraint("answer IN ('waiting', 'yes', 'no', 'none')", name=op.f("ck_interests_answer")),
        sa.CheckConstraint(f"reason IN ({REASONS})", name=op.f("ck_interests_reason")),
        sa.CheckConstraint("answer <> 'no' OR reason IS NOT NULL", name=op.f("ck_interests_refusal_reason")),
        _to("interests", "match_id", "matches", cascade=True),
        _to("interests", "account_id", "accounts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interests")),
        sa.UniqueConstraint("match_id", "side", name=op.f("uq_interests_match_id_side")),
    )
    op.create_table(
        "waits",
        _key(),
        sa.Column("match_id", sa.BigInteger(), nullable=False),
        sa.Column("awaited", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        _moment("since", now=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        *(_moment(name) for name in ("reminded", "escalated", "raised", "ended")),
        sa.CheckConstraint(f"awaited IN ({AWAITED})", name=op.f("ck_waits_awaited")),
        sa.CheckConstraint(f"side IN ({SIDES})", name=op.f("ck_waits_side")),
        _to("waits", "match_id", "matches", cascade=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waits")),
    )
    op.create_index(op.f("ix_waits_match_id"), "waits", ["match_id"])
    is_open = sa.text("ended IS NULL")
    op.create_index("uq_waits_open", "waits", ["match_id", "side", "awaited"], unique=True, postgresql_where=is_open)
    op.create_index("ix_waits_due", "waits", ["due_on"], postgresql_where=is_open)
    op.create_table(
        "disclosures",
        _key(),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("match_id", sa.BigInteger(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        _moment("disclosed", now=True),
        sa.CheckConstraint("told IN ('need', 'seed')", name=op.f("ck_disclosures_told")),
        _to("disclosures", "match_id", "matches", cascade=True),
        _to("disclosures", "account_id", "accounts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disclosures")),
        sa.UniqueConstraint("public_id", name=op.f("uq_disclosures_public_id")),
    )
    op.create_index(op.f("ix_disclosures_match_id"), "disclosures", ["match_id"])
    op.create_table(
        "outcomes",
        _key(),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("match_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_yen", sa.BigInteger(), nullable=True),
        sa.Column("agreed_on", sa.Date(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        _moment("created", now=True),
        sa.CheckConstraint(f"kind IN ({OUTCOMES})", name=op.f("ck_outcomes_kind")),
        sa.CheckConstraint("amount_yen >= 0", name=op.f("ck_outcomes_amount_yen")),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_outcomes_ends_on")),
        _to("outcomes", "match_id", "matches", cascade=True),
        _to("outcomes", "account_id", "accounts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outcomes")),
        sa.UniqueConstraint("public_id", name=op.f("uq_outcomes_public_id")),
    )
    op.create_index(op.f("ix_outcomes_match_id"), "outcomes", ["match_id"])
    for table, conditions in POLICIES.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy operator on {table} to current_user using (true) with check (true)")
        for command, condition in conditions.items():
            op.execute(f"create policy {command}_rows on {table} for {command} {_clauses(command, condition)}")


def _clauses(command: str, condition: str | tuple[str, str]) -> str:
    if isinstance(condition, tuple):
        return f"using ({condition[0]}) with check ({condition[1]})"
    return f"with check ({condition})" if command == "insert" else f"using ({condition})"


def downgrade() -> None:
    for table in reversed(POLICIES):
        op.drop_table(table)
    op.drop_constraint(op.f("ck_matches_reopened_for"), "matches")
    op.drop_column("matches", "reopened_for")
    op.drop_column("matches", "reopened")
    op.drop_column("matches", "by_hand")
    op.drop_index(op.f("ix_matches_coordinator_id"), table_name="matches")
    op.drop_constraint(op.f("fk_matches_coordinator_id_accounts"), "matches")
    op.drop_column("matches", "coordinator_id")
