"""notices to whoever a side is; neither the record nor earlier steps tell whose an anonymous need is."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ROLE = "(select caller_role())"
ORGANISATION = "(select caller_organisation())"

NEEDS_OWNER = (
    "(select owner_id from need_details where need_id = "
    "coalesce(notices.need_id, (select need_id from matches where matches.id = notices.match_id)))"
)
SEEDS_OWNER = (
    "(select organisation_id from seeds where seeds.id = "
    "coalesce(notices.seed_id, (select seed_id from matches where matches.id = notices.match_id)))"
)
COORDINATOR = (
    "(select accounts.id from matches join accounts on accounts.active "
    "and accounts.id = matches.coordinator_id where matches.id = notices.match_id)"
)


def _recipients(needing: str, seeding: str) -> str:
    return (
        "create or replace function recipients_of(notice bigint) returns setof bigint language sql stable "
        "security definer set search_path = pg_catalog, public, pg_temp as $$ "
        "select account.id from notices join accounts as account on account.active and case notices.audience "
        "when 'account' then account.id = notices.account_id "
        f"when 'need_side' then account.role in ({needing}) and account.organisation_id = {NEEDS_OWNER} "
        f"when 'seed_side' then account.role in ({seeding}) and account.organisation_id = {SEEDS_OWNER} "
        "when 'administrators' then account.role = 'cluster_administrator' and account.cluster_id = notices.cluster_id "
        "else account.role = 'coordinator' and account.cluster_id = notices.cluster_id "
        f"and account.id = coalesce({COORDINATOR}, account.id) end "
        "where notices.id = notice and caller_role() = 'service' $$"
    )


# A company's import is of needs, and its ranking of a seed finds its own needs: which company it was tells, with what
# appears at the same moment, whose an anonymous need is.
BESIDE = "and not (role = 'company' and (kind = 'import' or (kind = 'seed' and action = 'proposed')))"


def _events(further: str) -> str:
    return (
        f"({ROLE} in ('auditor', 'cluster_administrator') "
        "and (cluster is null or cluster = (select public_id from clusters where id = caller_cluster())) "
        f"and not (kind in ('seed', 'need', 'match') and veils(object, role)) {further}) "
        "or (action = 'viewed' and kind = 'need' and exists (select from needs join need_details as detail "
        "on detail.need_id = needs.id where needs.public_id = record_events.object)) "
        "or (action = 'viewed' and kind = 'seed' and exists (select from seeds where "
        "seeds.public_id = record_events.object and "
        f"(seeds.organisation_id = {ORGANISATION} or handles_seed(seeds.id))))"
    )


# Whose a need is that becomes anonymous is not told either by steps that its company has taken before.
VEIL = """
create function veil_earlier_steps() returns trigger language plpgsql security definer
set search_path = pg_catalog, public, pg_temp as $$
begin
  update step_actors set veiled = true from match_steps, matches
  where match_steps.id = step_actors.step_id and matches.id = match_steps.match_id and matches.need_id = new.id
    and match_steps.side = 'need' and step_actors.organisation_id is not null;
  return null;
end $$
"""
VEILING = """
create trigger needs_veil_earlier_steps after update of anonymous on needs for each row
when (new.anonymous and not old.anonymous) execute function veil_earlier_steps()
"""


def upgrade() -> None:
    op.execute(VEIL)
    op.execute(VEILING)
    # A coordinator may have entered a seed of a company, or a need of a university: their people are asked all the same.
    op.execute(_recipients("'company', 'university'", "'company', 'university'"))
    op.execute(f"alter policy select_rows on record_events using ({_events(BESIDE)})")


def downgrade() -> None:
    op.execute("drop trigger needs_veil_earlier_steps on needs")
    op.execute("drop function veil_earlier_steps()")
    op.execute(f"alter policy select_rows on record_events using ({_events('')})")
    op.execute(_recipients("'company'", "'university'"))
