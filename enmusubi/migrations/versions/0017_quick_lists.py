"""lists of matches and of what waits are read by indexes; of one's own entries nothing is looked up."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

ROLE = "(select caller_role())"
CLUSTER = "(select caller_cluster())"
ORGANISATION = "(select caller_organisation())"
OVERSEES = f"{ROLE} in ('coordinator', 'cluster_administrator', 'auditor')"
SERVICE = f"{ROLE} = 'service'"
HIDDEN = "('suggested', 'shortlisted', 'dismissed')"

OWN_SEEDS = """
create function own_seeds() returns setof bigint language sql stable security definer
set search_path = pg_catalog, public, pg_temp as $$
  select id from seeds where organisation_id = caller_organisation()
$$
"""
# What a list of one's own matches begins with: in which order they come, not what is in them. Keys as arrays, which are
# read first: of a join it would be thought that it finds most matches, and all would be read.
OWN_MATCHES = """
create function own_matches() returns table (id bigint, created timestamptz, public_id uuid)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select matches.id, matches.created, matches.public_id from matches
  where need_id = any (array(select need_id from need_details where owner_id = caller_organisation()))
    or seed_id = any (array(select seeds.id from seeds where organisation_id = caller_organisation()))
$$
"""
OWN_NEED = "need_id in (select own_needs())"
NEED_IS_SEEN = "(select true from needs where needs.id = need_id)"
SEED_IS_SEEN = "(select true from seeds where seeds.id = seed_id)"
NOT_BARRED = f"need_id not in (select needs_excluding({ORGANISATION}))"
TOLD = f"status not in {HIDDEN}"
RIGHT_CLUSTER = "exists (select from needs where needs.id = need_id and needs.cluster_id = matches.cluster_id)"
UNDECIDED = "status = 'suggested'"


def _seen(own_seed: str, need_is_seen: str, seed_is_seen: str) -> str:
    return (
        f"((({OVERSEES} and cluster_id = {CLUSTER}) or {OWN_NEED} or ({own_seed} and ({TOLD} or {NOT_BARRED}))) "
        f"and ({TOLD} or ({need_is_seen} and {seed_is_seen})))"
    )


# As 0010 said it.
BEFORE = _seen(
    f"seed_id in (select id from seeds where organisation_id = {ORGANISATION})", NEED_IS_SEEN, SEED_IS_SEEN
)  # fmt: skip
# One's own entry is seen, whatever its status: of a side's matches half is not looked up one by one.
OWN_SEED = "seed_id in (select own_seeds())"
NOW = _seen(OWN_SEED, f"({OWN_NEED} or {NEED_IS_SEEN})", f"({OWN_SEED} or {SEED_IS_SEEN})")

# Who handles a match, said of its waits too: a coordinator's queue is read without a look at every match.
HANDLED = """
create function handle_wait() returns trigger language plpgsql security definer
set search_path = pg_catalog, public, pg_temp as $$
begin
  new.coordinator_id := (select coordinator_id from matches where id = new.match_id);
  return new;
end $$
"""
HANDED_ON = """
create function hand_waits_on() returns trigger language plpgsql security definer
set search_path = pg_catalog, public, pg_temp as $$
begin
  update waits set coordinator_id = new.coordinator_id where match_id = new.id and ended is null;
  return null;
end $$
"""
TRIGGERS = (
    "create trigger waits_handled before insert on waits for each row when (new.ended is null) "
    "execute function handle_wait()",
    "create trigger matches_hand_waits_on after update of coordinator_id on matches for each row "
    "when (new.coordinator_id is distinct from old.coordinator_id) execute function hand_waits_on()",
)


def _say(condition: str) -> None:
    op.execute(f"alter policy select_rows on matches using ({condition} or {SERVICE})")
    op.execute(
        f"alter policy update_rows on matches using (({ROLE} <> 'auditor' and {UNDECIDED} and {condition}) or {SERVICE}) "
        f"with check ({RIGHT_CLUSTER} and (({UNDECIDED} and {condition}) or {SERVICE}))"
    )


def upgrade() -> None:
    op.execute(OWN_SEEDS)
    op.execute(OWN_MATCHES)
    _say(NOW)
    # Every list begins with the cluster, and ends in the order in which it is shown.
    op.drop_index(op.f("ix_matches_cluster_id"), table_name="matches")
    op.create_index("ix_matches_in_status", "matches", ["cluster_id", "status", "created", "public_id"])
    op.create_index("ix_matches_by_need", "matches", ["cluster_id", "need_id", "score", "public_id"])
    back = sa.text("reopened IS NOT NULL")
    op.create_index("ix_matches_back", "matches", ["cluster_id", "created", "public_id"], postgresql_where=back)
    op.drop_index(op.f("ix_matches_coordinator_id"), table_name="matches")
    op.create_index("ix_matches_handled", "matches", ["coordinator_id", "created", "public_id"])
    op.add_column("waits", sa.Column("coordinator_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_waits_coordinator_id_accounts"), "waits", "accounts", ["coordinator_id"], ["id"])
    op.execute(
        "update waits set coordinator_id = matches.coordinator_id from matches "
        "where matches.id = match_id and ended is null and matches.coordinator_id is not null"
    )
    for statement in (HANDLED, HANDED_ON, *TRIGGERS):
        op.execute(statement)
    is_open = sa.text("ended IS NULL")
    op.create_index("ix_waits_handled", "waits", ["coordinator_id"], postgresql_where=is_open)
    raised = sa.text("ended IS NULL AND raised IS NOT NULL")
    op.create_index("ix_waits_raised", "waits", ["cluster_id", "due_on", "public_id"], postgresql_where=raised)
    op.create_index("ix_waits_side", "waits", ["cluster_id", "side", "due_on"], postgresql_where=is_open)


def downgrade() -> None:
    op.drop_index("ix_waits_side", table_name="waits")
    op.drop_index("ix_waits_raised", table_name="waits")
    op.execute("drop trigger matches_hand_waits_on on matches")
    op.execute("drop trigger waits_handled on waits")
    op.execute("drop function hand_waits_on()")
    op.execute("drop function handle_wait()")
    op.drop_index("ix_waits_handled", table_name="waits")
    op.drop_constraint(op.f("fk_waits_coordinator_id_accounts"), "waits")
    op.drop_column("waits", "coordinator_id")
    op.drop_index("ix_matches_handled", table_name="matches")
    op.create_index(op.f("ix_matches_coordinator_id"), "matches", ["coordinator_id"])
    op.drop_index("ix_matches_back", table_name="matches")
    op.drop_index("ix_matches_by_need", table_name="matches")
    op.drop_index("ix_matches_in_status", table_name="matches")
    op.create_index(op.f("ix_matches_cluster_id"), "matches", ["cluster_id"])
    _say(BEFORE)
    op.execute("drop function own_matches()")
    op.execute("drop function own_seeds()")
