"""a word before the last day; who is asked has somebody to answer; old notices are forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

KINDS = (
    "interest_asked", "interest_answered", "introduction_closed", "disclosed", "step_due", "step_overdue", "handed_over",
    "entry_expiring", "entry_expired", "entry_reviewed", "entry_submitted", "declines_digest", "alert", "alert_digest",
    "import_finished", "webhook_off",
)  # fmt: skip
LONG = "least(answer_days, disclose_days, introduce_days, meeting_days, report_days, outcome_days) >= 1"

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
DEFINER = "security definer set search_path = pg_catalog, public, pg_temp"
# Who may answer for an organisation, as `match_sides` says.
PEOPLE = (
    "exists (select from accounts where accounts.organisation_id = {owner} and accounts.active "
    "and accounts.role in ('company', 'university', 'coordinator'))"
)
OWNERS = (
    "select 'need' as side, detail.owner_id as owner from matches "
    "join need_details as detail on detail.need_id = matches.need_id where matches.id = of_match "
    "union all select 'seed', seeds.organisation_id from matches join seeds on seeds.id = matches.seed_id "
    "where matches.id = of_match"
)
# The sides whose organisation has nobody to answer, for the service and the match's coordinators alone. Held, nobody
# is the last to leave before the transaction ends.
SIDES_WITHOUT_PEOPLE = f"""
create function sides_without_people(of_match bigint, hold boolean) returns setof text language plpgsql {DEFINER} as $$
begin
  if caller_role() is distinct from 'service' and not (caller_role() = 'coordinator' and exists (
      select from matches where matches.id = of_match and matches.cluster_id = caller_cluster())) then
    return;
  end if;
  if hold then
    perform pg_advisory_xact_lock_shared(7309, hashtext(owners.owner::text))
    from ({OWNERS} order by owner) as owners where owners.owner is not null;
  end if;
  return query select owners.side from ({OWNERS}) as owners
    where owners.owner is not null and not {PEOPLE.format(owner="owners.owner")};
end $$
"""
# The answers that an organisation is waited for, where nobody is left to give them; for the service alone.
LEFT_ALONE = f"""
create function left_alone(of_organisation bigint) returns table (in_match bigint, in_cluster bigint, for_side text)
language plpgsql {DEFINER} as $$
begin
  if caller_role() is distinct from 'service' then
    return;
  end if;
  perform pg_advisory_xact_lock(7309, hashtext(of_organisation::text));
  if {PEOPLE.format(owner="of_organisation")} then
    return;
  end if;
  return query select waits.match_id, waits.cluster_id, waits.side from waits
    join matches on matches.id = waits.match_id
    where waits.ended is null and waits.awaited = 'answer' and case waits.side
      when 'need' then exists (select from need_details as detail
        where detail.need_id = matches.need_id and detail.owner_id = of_organisation)
      else exists (select from seeds where seeds.id = matches.seed_id and seeds.organisation_id = of_organisation) end
    order by waits.id;
end $$
"""
# What was read, or could be for twice as long. Nothing that is still to be sent.
FORGET = f"""
create function forget_old_notices(age interval, most integer) returns bigint language sql {DEFINER} as $$
  with old as (
    select id from deliveries where caller_role() = 'service' and created < now() - age and state <> 'waiting'
      and (account_id is null or read is not null or created < now() - 2 * age)
    order by id limit most for update skip locked
  ), forgotten as (
    delete from deliveries where id in (select id from old) returning id
  ), empty as (
    select id from notices where caller_role() = 'service' and created < now() - age and dispatched is not null
      and not exists (select from deliveries where deliveries.notice_id = notices.id)
    order by id limit most for update skip locked
  ), gone as (
    delete from notices where id in (select id from empty) returning id
  )
  select (select count(*) from forgotten) + (select count(*) from gone)
$$
"""


def _recipients(asked: str) -> str:
    return (
        "create or replace function recipients_of(notice bigint) returns setof bigint language sql stable "
        f"{DEFINER} as $$ "
        "select account.id from notices join accounts as account on account.active and case notices.audience "
        "when 'account' then account.id = notices.account_id "
        f"when 'need_side' then account.role in ({asked}) and account.organisation_id = {NEEDS_OWNER} "
        f"when 'seed_side' then account.role in ({asked}) and account.organisation_id = {SEEDS_OWNER} "
        "when 'administrators' then account.role = 'cluster_administrator' and account.cluster_id = notices.cluster_id "
        "else account.role = 'coordinator' and account.cluster_id = notices.cluster_id "
        f"and account.id = coalesce({COORDINATOR}, account.id) end "
        "where notices.id = notice and caller_role() = 'service' $$"
    )


def _endpoints(condition: str) -> str:
    return (
        "create or replace function endpoints_of(notice bigint) returns setof bigint language sql stable "
        f"{DEFINER} as $$ "
        "select endpoint.id from notices join webhook_endpoints as endpoint "
        "on (endpoint.events = '{}' or notices.kind = any (endpoint.events)) and case notices.audience "
        f"when 'need_side' then endpoint.organisation_id = {NEEDS_OWNER} "
        f"when 'seed_side' then endpoint.organisation_id = {SEEDS_OWNER} "
        "when 'account' then false "
        "else endpoint.organisation_id is null and endpoint.cluster_id = notices.cluster_id end "
        f"where notices.id = notice and caller_role() = 'service' {condition}$$"
    )


def _set_kinds(*kinds: str) -> None:
    quoted = ", ".join(f"'{kind}'" for kind in kinds)
    op.drop_constraint(op.f("ck_notices_kind"), "notices")
    op.create_check_constraint(op.f("ck_notices_kind"), "notices", f"kind IN ({quoted})")
    op.drop_constraint(op.f("ck_webhook_endpoints_events"), "webhook_endpoints")
    op.create_check_constraint(op.f("ck_webhook_endpoints_events"), "webhook_endpoints", f"events <@ ARRAY[{quoted}]")


def _set_days(*graces: str) -> None:
    op.drop_constraint(op.f("ck_cluster_settings_days"), "cluster_settings")
    least = f"{LONG} AND least({', '.join(graces)}) >= 0"
    op.create_check_constraint(op.f("ck_cluster_settings_days"), "cluster_settings", least)


def upgrade() -> None:
    op.add_column("cluster_settings", sa.Column("warn_days", sa.SmallInteger(), server_default="2", nullable=False))
    _set_days("warn_days", "remind_days", "escalate_days", "raise_days", "lapse_days")
    op.add_column("waits", sa.Column("warned", sa.DateTime(timezone=True), nullable=True))
    _set_kinds(*KINDS, "nobody_answers")
    op.execute(SIDES_WITHOUT_PEOPLE)
    op.execute(LEFT_ALONE)
    op.execute(FORGET)
    # A core organisation's entries are answered for by its coordinators.
    op.execute(_recipients("'company', 'university', 'coordinator'"))
    # The cluster's webhooks are its administrators' too. Who closes the last account of a company would learn by it
    # which anonymous need is that company's.
    op.execute(_endpoints("and notices.kind <> 'nobody_answers' "))


def downgrade() -> None:
    op.execute(_endpoints(""))
    op.execute(_recipients("'company', 'university'"))
    op.execute("drop function forget_old_notices(interval, integer)")
    op.execute("drop function left_alone(bigint)")
    op.execute("drop function sides_without_people(bigint, boolean)")
    op.execute("delete from notices where kind = 'nobody_answers'")
    # One that takes this kind alone would take every kind without it.
    op.execute("delete from webhook_endpoints where events = array['nobody_answers']")
    op.execute("update webhook_endpoints set events = array_remove(events, 'nobody_answers')")
    _set_kinds(*KINDS)
    op.drop_column("waits", "warned")
    _set_days("remind_days", "escalate_days", "raise_days", "lapse_days")
    op.drop_column("cluster_settings", "warn_days")
