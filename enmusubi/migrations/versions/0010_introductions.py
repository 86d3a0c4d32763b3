"""introductions: the steps of a match, who is waited for, what each side answered, disclosures and outcomes; terms."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

STATUSES = (
    "'suggested', 'shortlisted', 'introduced', 'accepted', 'declined', 'disclosed', 'meeting', 'negotiation', "
    "'agreement', 'outcome', 'dismissed'"
)
STEPS = (
    "'shortlist', 'dismiss', 'reconsider', 'pair', 'introduce', 'express_interest', 'accept', 'decline', 'disclose', "
    "'meet', 'negotiate', 'agree', 'report_outcome', 'close', 'lapse', 'reopen', 'hand_over', 'remind', 'escalate', 'raise'"
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
ORGANISATION = "(select caller_organisation())"
ACCOUNT = "(select caller_account())"
OVERSEES = f"{ROLE} in ('coordinator', 'cluster_administrator', 'auditor')"
COORDINATES = f"{ROLE} = 'coordinator'"
ADMINISTERS = f"{ROLE} = 'cluster_administrator'"
SERVICE = f"{ROLE} = 'service'"
OF_CLUSTER = f"cluster_id = {CLUSTER}"
# What the two sides are not told apart.
HIDDEN = "('suggested', 'shortlisted', 'dismissed')"

DAYS = {
    "answer_days": 10, "introduce_days": 5, "disclose_days": 3, "meeting_days": 10, "report_days": 20,
    "outcome_days": 60, "remind_days": 5, "escalate_days": 5, "raise_days": 5, "lapse_days": 5,
}  # fmt: skip

FUNCTIONS = {
    # Whose steps of a match the caller may take: of an organisation's entry its people, of an entry without one the
    # coordinators who handle the match.
    "match_sides(of_match bigint)": (
        "setof text",
        "select 'need' from matches join need_details as detail on detail.need_id = matches.need_id "
        "where matches.id = of_match and caller_role() in ('company', 'university', 'coordinator') "
        "and (detail.owner_id = caller_organisation() or (detail.owner_id is null "
        "and caller_role() = 'coordinator' and matches.cluster_id = caller_cluster())) "
        "union all select 'seed' from matches join seeds on seeds.id = matches.seed_id "
        "where matches.id = of_match and caller_role() in ('company', 'university', 'coordinator') "
        "and (seeds.organisation_id = caller_organisation() or (seeds.organisation_id is null "
        "and caller_role() = 'coordinator' and matches.cluster_id = caller_cluster())) "
        "union all select 'cluster' from matches where id = of_match and caller_role() = 'coordinator' "
        "and cluster_id = caller_cluster()",
    ),
    # The sides whose entry is of no organisation.
    "unowned_sides(of_match bigint)": (
        "setof text",
        "select 'need' from matches join need_details as detail on detail.need_id = matches.need_id "
        "where matches.id = of_match and detail.owner_id is null and caller_role() = 'service' "
        "union all select 'seed' from matches join seeds on seeds.id = matches.seed_id "
        "where matches.id = of_match and seeds.organisation_id is null and caller_role() = 'service'",
    ),
    # Of the seeds in introductions, those of the needs of the caller's organisation; for who oversees a cluster, those
    # of other clusters. They stay readable when they are put on hold, expire or are withdrawn.
    "introduced_seeds()": (
        "setof bigint",
        "select matches.seed_id from need_details as detail join matches on matches.need_id = detail.need_id "
        f"where detail.owner_id = caller_organisation() and matches.status not in {HIDDEN} "
        "union all select matches.seed_id from seeds join matches on matches.seed_id = seeds.id "
        "where caller_role() in ('coordinator', 'cluster_administrator', 'auditor') "
        f"and matches.cluster_id = caller_cluster() and matches.status not in {HIDDEN} "
        # Of other clusters, so that an index finds them: asked with every statement over seeds.
        "and (seeds.cluster_id < caller_cluster() or seeds.cluster_id > caller_cluster())",
    ),
    "introduced_needs()": (
        "setof bigint",
        "select matches.need_id from seeds join matches on matches.seed_id = seeds.id "
        f"where seeds.organisation_id = caller_organisation() and matches.status not in {HIDDEN}",
    ),
    # Who is behind both sides of a match that both have accepted, for its coordinator to disclose.
    "introduction_parties(of_match bigint)": (
        "table (side text, organisation text, organisation_en text, person text, email text)",
        "select parties.side, owner.name, owner.name_en, account.name, account.email from ("
        "select 'need' as side, detail.owner_id as organisation_id, matches.id as match_id from matches "
        "join need_details as detail on detail.need_id = matches.need_id "
        "union all select 'seed', seeds.organisation_id, matches.id from matches "
        "join seeds on seeds.id = matches.seed_id) as parties "
        "join matches on matches.id = parties.match_id "
        "left join organisations as owner on owner.id = parties.organisation_id "
        "left join accounts as account on account.organisation_id = owner.id and account.active "
        "where matches.id = of_match and matches.status = 'accepted' and caller_role() = 'coordinator' "
        "and matches.cluster_id = caller_cluster() order by parties.side, account.id",
    ),
}
VEILS = """
create or replace function veils(entry uuid, by_role text) returns boolean
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select exists (select from seeds where public_id = entry and not submitted)
    or exists (select from needs where public_id = entry and (not submitted or (anonymous and by_role = 'company')))
    {matches}
$$
"""
# Which company took a step of a match tells whose its anonymous need is.
VEILED_MATCH = (
    "or (by_role = 'company' and exists (select from matches join needs on needs.id = matches.need_id "
    "where matches.public_id = entry and needs.anonymous))"
)
NEW_CLUSTER = """
create function new_cluster_settings() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  insert into cluster_settings (cluster_id) values (new.id);
  return null;
end $$
"""

NOT_EXCLUDED = f"not excludes(need_id, {ORGANISATION})"
OWN_SEED = f"exists (select from seeds where seeds.id = seed_id and seeds.organisation_id = {ORGANISATION})"
# Looked up pair by pair: `exists` would have the planner read all needs and seeds first, for a page of fifty too.
ENTRIES_ARE_SEEN = (
    "(select true from needs where needs.id = need_id) and (select true from seeds where seeds.id = seed_id)"
)
BEFORE = f"""
  {ENTRIES_ARE_SEEN}
  and (({OVERSEES} and cluster_id = {CLUSTER}) or need_id in (select own_needs()) or ({OWN_SEED} and {NOT_EXCLUDED}))
"""
# The same, looked up once a statement.
NOT_BARRED = f"need_id not in (select needs_excluding({ORGANISATION}))"
# Who was introduced has been told already: nothing more is asked, neither of the entries nor of exclusions.
TOLD = f"status not in {HIDDEN}"
NOW = f"""
  (({OVERSEES} and cluster_id = {CLUSTER}) or need_id in (select own_needs())
   or (seed_id in (select id from seeds where organisation_id = {ORGANISATION}) and ({TOLD} or {NOT_BARRED})))
  and ({TOLD} or ({ENTRIES_ARE_SEEN}))
"""
RIGHT_CLUSTER = "exists (select from needs where needs.id = need_id and needs.cluster_id = matches.cluster_id)"
# Rankings store and score what nobody has decided on; every step is written down by the service, on behalf of whoever
# may take it.
UNDECIDED = "status = 'suggested'"
MATCHES_BEFORE: dict[str, str | tuple[str, str]] = {
    "select": BEFORE,
    "insert": f"{RIGHT_CLUSTER} and {ROLE} <> 'auditor' and ({BEFORE})",
    "update": (f"{ROLE} <> 'auditor' and ({BEFORE})", f"{RIGHT_CLUSTER} and ({BEFORE})"),
}
MATCHES: dict[str, str | tuple[str, str]] = {
    "select": f"({NOW}) or {SERVICE}",
    "insert": f"{RIGHT_CLUSTER} and {ROLE} <> 'auditor' and {UNDECIDED} and ({BEFORE})",
    "update": (
        f"({ROLE} <> 'auditor' and {UNDECIDED} and ({NOW})) or {SERVICE}",
        f"{RIGHT_CLUSTER} and (({UNDECIDED} and ({NOW})) or {SERVICE})",
    ),
}


HERE = f"matches.cluster_id = {CLUSTER}"
DISCLOSED_HERE = f"{HERE} and matches.status = 'disclosed'"
CAME_OUT = "matches.status = 'outcome'"


def _events(kinds: str) -> str:
    return (
        f"({ROLE} in ('auditor', 'cluster_administrator') "
        "and (cluster is null or cluster = (select public_id from clusters where id = caller_cluster())) "
        f"and not (kind in ({kinds}) and veils(object, role))) "
        "or (action = 'viewed' and kind = 'need' and exists (select from needs join need_details as detail "
        "on detail.need_id = needs.id where needs.public_id = record_events.object)) "
        "or (action = 'viewed' and kind = 'seed' and exists (select from seeds where "
        "seeds.public_id = record_events.object and "
        f"(seeds.organisation_id = {ORGANISATION} or handles_seed(seeds.id))))"
    )


# What tells of an organisation: looked up for each, where `exists` would have the planner read all seeds first. Between
# and in order, not equal, so that only the index of owners serves: otherwise it hopes to meet one soon among all.
NAMED_NOW = (
    "(select true from {entries} where {entries}.organisation_id between organisations.id and organisations.id "
    "and {published} order by {entries}.organisation_id limit 1)"
)
NAMED_BEFORE = "exists (select from {entries} where {entries}.organisation_id = organisations.id and {published})"
PUBLISHED = "status = 'published' and expires_on >= current_date"


def _organisations(named: str) -> str:
    seeds, needs = (named.format(entries=entries, published=PUBLISHED) for entries in ("seeds", "needs"))
    return (
        f"id = {ORGANISATION} or ({OF_CLUSTER} and ({OVERSEES} or kind <> 'company')) or {seeds} "
        f"or ({ROLE} <> 'company' and {needs})"
    )


def _of_match(table: str, condition: str = "true") -> str:
    return f"(select true from matches where matches.id = {table}.match_id and {condition})"


def _is_party(table: str) -> str:
    return f"side in (select match_sides({table}.match_id))"


# Of each table, conditions to read, insert, change and delete; a match that is not seen has none of these rows.
POLICIES: dict[str, dict[str, str | tuple[str, str]]] = {
    "match_steps": {
        "select": f"({OVERSEES} and {OF_CLUSTER}) or {SERVICE} or (after not in {HIDDEN} and {_of_match('match_steps')})",
        # One's own side's, from where the match is by now.
        "insert": (
            _of_match("match_steps", "matches.cluster_id = match_steps.cluster_id and matches.status = after")
            + f" and ({SERVICE} or {_is_party('match_steps')} "
            f"or ({ADMINISTERS} and {OF_CLUSTER} and step = 'hand_over' and side = 'cluster'))"
        ),
    },
    "step_actors": {
        "select": (
            f"({OF_CLUSTER} and ({COORDINATES} or ({OVERSEES} and not veiled))) "
            f"or organisation_id = {ORGANISATION} or account_id = {ACCOUNT}"
        ),
        "insert": (
            f"account_id = {ACCOUNT} and (organisation_id is null or organisation_id = {ORGANISATION}) and exists (select from "
            "match_steps where match_steps.id = step_id and match_steps.cluster_id = step_actors.cluster_id)"
        ),
    },
    "interests": {
        "select": (f"{SERVICE} or ({OVERSEES} and {_of_match('interests', HERE)}) or {_is_party('interests')}"),
        "insert": f"({SERVICE} and answer = 'waiting') or (answer = 'yes' and {_is_party('interests')})",
        "update": (
            f"{SERVICE} or (answer = 'waiting' and {_is_party('interests')})",
            f"({SERVICE} and answer in ('waiting', 'none')) or (answer in ('yes', 'no') and {_is_party('interests')})",
        ),
        "delete": SERVICE,
    },
    "waits": {
        "select": (
            f"({OVERSEES} and {OF_CLUSTER}) or {SERVICE} or (awaited <> 'introduction' and {_of_match('waits')})"
        ),
        "insert": SERVICE,
        "update": (SERVICE, SERVICE),
    },
    "disclosures": {
        "select": (
            f"({COORDINATES} and {_of_match('disclosures', HERE)}) "
            "or told in (select match_sides(disclosures.match_id))"
        ),
        "insert": (
            f"{COORDINATES} and account_id = {ACCOUNT} "
            f"and {_of_match('disclosures', DISCLOSED_HERE)} "
            "and (select count(*) from interests where interests.match_id = disclosures.match_id "
            "and interests.answer = 'yes') = 2"
        ),
    },
    "outcomes": {
        "select": _of_match("outcomes"),
        "insert": (
            f"account_id = {ACCOUNT} and {_of_match('outcomes', CAME_OUT)} "
            "and exists (select match_sides(outcomes.match_id))"
        ),
    },
    "cluster_settings": {
        "select": f"{OF_CLUSTER} or {SERVICE}",
        "update": (f"{ADMINISTERS} and {OF_CLUSTER}", f"{ADMINISTERS} and {OF_CLUSTER}"),
    },
}
# Beside the policies of 0006. PostgreSQL asks policies in the reverse order of their names: what these look up, once a
# statement, is not looked up where the others say yes.
FURTHER = {
    ("seeds", "introduced_rows"): "for select using (id in (select introduced_seeds()))",
    ("needs", "introduced_rows"): "for select using (id in (select introduced_needs()))",
    # What the service does by itself is recorded too.
    ("record_events", "by_service_rows"): f"for insert with check ({SERVICE} and role = {ROLE})",
}
# What was decided before there were steps.
FILL = """
insert into match_steps (public_id, match_id, cluster_id, step, before, after, side, reason, taken)
select reviews.public_id, match_id, matches.cluster_id, verdict,
  coalesce(lag(led) over (partition by match_id order by reviews.id), 'suggested'), led, 'cluster', reason,
  reviews.created
from (select *, case verdict when 'shortlist' then 'shortlisted' else 'dismissed' end as led from reviews) as reviews
join matches on matches.id = reviews.match_id order by reviews.id;
insert into step_actors (step_id, cluster_id, account_id, organisation_id, veiled, note)
select match_steps.id, match_steps.cluster_id, account_id, accounts.organisation_id, false, reviews.note
from reviews join match_steps on match_steps.public_id = reviews.public_id
join accounts on accounts.id = reviews.account_id;
update matches set coordinator_id = (select account_id from reviews where match_id = matches.id and
  verdict = 'shortlist' order by id desc limit 1) where status = 'shortlisted';
insert into waits (public_id, match_id, cluster_id, awaited, side, acts, due_on, next_on)
select gen_random_uuid(), id, cluster_id, 'introduction', 'cluster', 'cluster', current_date + 7, current_date + 15 from matches
where status = 'shortlisted';
"""


def _key() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


def _number(name: str, default: int, kind: sa.SmallInteger | sa.Integer) -> sa.Column[int]:
    return sa.Column(name, kind, server_default=sa.text(str(default)), nullable=False)


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
    introduced = sa.text(f"status NOT IN {HIDDEN}")
    op.create_index("ix_matches_of_seed", "matches", ["seed_id", "need_id"], postgresql_where=introduced)
    op.create_index("ix_matches_of_need", "matches", ["need_id", "seed_id"], postgresql_where=introduced)
    op.create_index("ix_matches_page", "matches", ["cluster_id", "created", "public_id"])
    op.create_table(
        "cluster_settings",
        sa.Column("cluster_id", sa.BigInteger(), autoincrement=False, nullable=False),
        *(_number(name, days, sa.SmallInteger()) for name, days in DAYS.items()),
        _number("most_open_interests", 20, sa.Integer()),
        _number("version", 1, sa.Integer()),
        sa.CheckConstraint(
            "least(answer_days, disclose_days, introduce_days, meeting_days, report_days, outcome_days) >= 1 "
            "AND least(remind_days, escalate_days, raise_days, lapse_days) >= 0",
            name=op.f("ck_cluster_settings_days"),
        ),
        sa.CheckConstraint("most_open_interests >= 1", name=op.f("ck_cluster_settings_most_open_interests")),
        _to("cluster_settings", "cluster_id", "clusters", cascade=True),
        sa.PrimaryKeyConstraint("cluster_id", name=op.f("pk_cluster_settings")),
    )
    op.execute("insert into cluster_settings (cluster_id) select id from clusters")
    op.execute(NEW_CLUSTER)
    op.execute(
        "create trigger new_cluster_settings after insert on clusters for each row execute function new_cluster_settings()"
    )
    op.create_table(
        "match_steps",
        _key(),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("match_id", sa.BigInteger(), nullable=False),
        sa.Column("cluster_id", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("facts", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        _moment("taken", now=True),
        sa.CheckConstraint(f"step IN ({STEPS})", name=op.f("ck_match_steps_step")),
        sa.CheckConstraint(f"before IN ({STATUSES})", name=op.f("ck_match_steps_before")),
        sa.CheckConstraint(f"after IN ({STATUSES})", name=op.f("ck_match_steps_after")),
        sa.CheckConstraint(f"side IN ({SIDES})", name=op.f("ck_match_steps_side")),
        sa.CheckConstraint(f"reason IN ({REASONS})", name=op.f("ck_match_steps_reason")),
        _to("match_steps", "match_id", "matches", cascade=True),
        _to("match_steps", "cluster_id", "clusters"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_match_steps")),
        sa.UniqueConstraint("public_id", name=op.f("uq_match_steps_public_id")),
    )
    op.create_index("ix_match_steps_page", "match_steps", ["match_id", "id"])
    op.create_table(
        "step_actors",
        sa.Column("step_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("cluster_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("veiled", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        _to("step_actors", "step_id", "match_steps", cascade=True),
        _to("step_actors", "cluster_id", "clusters"),
        _to("step_actors", "account_id", "accounts"),
        _to("step_actors", "organisation_id", "organisations"),
        sa.PrimaryKeyConstraint("step_id", name=op.f("pk_step_actors")),
    )
    op.create_index(op.f("ix_step_actors_account_id"), "step_actors", ["account_id"])
    op.create_index(op.f("ix_step_actors_organisation_id"), "step_actors", ["organisation_id"])
    op.create_table(
        "interests",
        _key(),
        sa.Column("match_id", sa.BigInteger(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        _moment("asked", now=True),
        sa.Column("answer", sa.Text(), nullable=False),
        _moment("answered"),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("discloses", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.CheckConstraint("side IN ('need', 'seed')", name=op.f("ck_interests_side")),
        sa.CheckConstraint("answer IN ('waiting', 'yes', 'no', 'none')", name=op.f("ck_interests_answer")),
        sa.CheckConstraint(f"reason IN ({REASONS})", name=op.f("ck_interests_reason")),
        sa.CheckConstraint("answer <> 'no' OR reason IS NOT NULL", name=op.f("ck_interests_refusal_reason")),
        _to("interests", "match_id", "matches", cascade=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interests")),
        sa.UniqueConstraint("match_id", "side", name=op.f("uq_interests_match_id_side")),
    )
    op.create_table(
        "waits",
        _key(),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("match_id", sa.BigInteger(), nullable=False),
        sa.Column("cluster_id", sa.BigInteger(), nullable=False),
        sa.Column("awaited", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        _moment("since", now=True),
        sa.Column("acts", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("next_on", sa.Date(), nullable=True),
        *(_moment(name) for name in ("reminded", "escalated", "raised", "ended")),
        sa.CheckConstraint(f"awaited IN ({AWAITED})", name=op.f("ck_waits_awaited")),
        sa.CheckConstraint(f"side IN ({SIDES})", name=op.f("ck_waits_side")),
        sa.CheckConstraint(f"acts IN ({SIDES})", name=op.f("ck_waits_acts")),
        _to("waits", "match_id", "matches", cascade=True),
        _to("waits", "cluster_id", "clusters"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waits")),
        sa.UniqueConstraint("public_id", name=op.f("uq_waits_public_id")),
    )
    op.create_index(op.f("ix_waits_match_id"), "waits", ["match_id"])
    is_open = sa.text("ended IS NULL")
    op.create_index("uq_waits_open", "waits", ["match_id", "side", "awaited"], unique=True, postgresql_where=is_open)
    op.create_index("ix_waits_due", "waits", ["cluster_id", "acts", "due_on", "public_id"], postgresql_where=is_open)
    op.create_index("ix_waits_next", "waits", ["next_on", "id"], postgresql_where=is_open)
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
    op.execute(FILL)
    for signature, (returned, definition) in FUNCTIONS.items():
        op.execute(
            f"create function {signature} returns {returned} language sql stable security definer "
            f"set search_path = pg_catalog, public, pg_temp as $$ {definition} $$"
        )
    op.execute(VEILS.format(matches=VEILED_MATCH))
    op.execute("alter policy select_rows on record_events using (" + _events("'seed', 'need', 'match'") + ")")
    op.execute(f"alter policy select_rows on organisations using ({_organisations(NAMED_NOW)})")
    _say_of_matches(MATCHES)
    for table, conditions in POLICIES.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy operator on {table} to current_user using (true) with check (true)")
        for command, condition in conditions.items():
            op.execute(f"create policy {command}_rows on {table} for {command} {_clauses(command, condition)}")
    for (table, name), rest in FURTHER.items():
        op.execute(f"create policy {name} on {table} {rest}")


def _say_of_matches(conditions: dict[str, str | tuple[str, str]]) -> None:
    for command, condition in conditions.items():
        op.execute(f"alter policy {command}_rows on matches {_clauses(command, condition)}")


def _clauses(command: str, condition: str | tuple[str, str]) -> str:
    if isinstance(condition, tuple):
        return f"using ({condition[0]}) with check ({condition[1]})"
    return f"with check ({condition})" if command == "insert" else f"using ({condition})"


# What the older form has no room for is not thrown away without a word.
KEPT = """
do $$ begin
  if exists (select from interests) or exists (select from disclosures) or exists (select from outcomes) then
    raise exception 'there are introductions, which the older form cannot hold';
  end if;
end $$
"""


def downgrade() -> None:
    op.execute(KEPT)
    for table, name in FURTHER:
        op.execute(f"drop policy {name} on {table}")
    for table in ("outcomes", "disclosures", "waits", "interests", "step_actors", "match_steps"):
        op.drop_table(table)
    _say_of_matches(MATCHES_BEFORE)
    op.execute(f"alter policy select_rows on organisations using ({_organisations(NAMED_BEFORE)})")
    op.execute("alter policy select_rows on record_events using (" + _events("'seed', 'need'") + ")")
    op.execute(VEILS.format(matches=""))
    for signature in reversed(FUNCTIONS):
        op.execute(f"drop function {signature.split('(')[0]}")
    op.execute("drop trigger new_cluster_settings on clusters")
    op.execute("drop function new_cluster_settings()")
    op.drop_table("cluster_settings")
    op.drop_index("ix_matches_page", table_name="matches")
    op.drop_index("ix_matches_of_need", table_name="matches")
    op.drop_index("ix_matches_of_seed", table_name="matches")
    op.drop_constraint(op.f("ck_matches_reopened_for"), "matches")
    op.drop_column("matches", "reopened_for")
    op.drop_column("matches", "reopened")
    op.drop_column("matches", "by_hand")
    op.drop_index(op.f("ix_matches_coordinator_id"), table_name="matches")
    op.drop_constraint(op.f("fk_matches_coordinator_id_accounts"), "matches")
    op.drop_column("matches", "coordinator_id")
