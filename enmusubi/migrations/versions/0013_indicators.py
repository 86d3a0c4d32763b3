"""indicators by fiscal year, and what an entry grew from."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ROLE = "(select caller_role())"
CLUSTER = "(select caller_cluster())"
ORGANISATION = "(select caller_organisation())"
OVERSEES = f"{ROLE} in ('coordinator', 'cluster_administrator', 'auditor')"
COORDINATES = f"{ROLE} = 'coordinator'"
SERVICE = f"{ROLE} = 'service'"
HERE = f"cluster_id = {CLUSTER}"

BREAKDOWNS = "'cluster', 'organisation', 'owner', 'field', 'coordinator'"
COUNTED = "'cluster', 'organisation', 'anonymous', 'elsewhere', 'field', 'coordinator', 'none'"


def _day(moment: str) -> str:
    """The day in Japan, where the fiscal year is counted."""
    return f"({moment} at time zone 'Asia/Tokyo')::date"


# One row for everything that is counted: when, what, and since how many days; docs/indicators.md defines each.
# `side` is the only side that it counts for, where it does not count for both. Who reads it sees what policies let him.
EVENTS = f"""
create view indicator_events with (security_invoker = true) as
with reached as (
  select match_id,
    min(taken) filter (where after = 'shortlisted') as shortlisted,
    min(taken) filter (where after = 'introduced') as introduced,
    min(taken) filter (where after = 'accepted') as accepted,
    min(taken) filter (where after = 'disclosed') as disclosed,
    min(taken) filter (where after = 'agreement') as agreement
  from match_steps where after <> before group by match_id
),
-- Every time that a side was asked, the last of them open or not; silence is what the clock closed.
asks as (
  select waits.match_id, waits.side, waits.since, waits.due_on, waits.ended,
    min(taken) filter (where step <> 'lapse') as answered, bool_or(step = 'lapse') as lapsed
  from waits left join match_steps on match_steps.match_id = waits.match_id
    and (step = 'lapse' or (step in ('accept', 'decline') and match_steps.side = waits.side))
    and taken >= waits.since and (waits.ended is null or taken <= waits.ended + interval '1 minute')
  where awaited = 'answer' group by waits.id
),
first_outcome as (select match_id, min(agreed_on) as agreed_on from outcomes group by match_id),
of_matches as (
  select reached.match_id, first.measure, null::text as detail, {_day("first.at")} as day,
    {_day("first.at")} - {_day("first.since")} as days, null::bigint as amount_yen, null::text as side
  from reached join matches on matches.id = reached.match_id join needs on needs.id = matches.need_id
  cross join lateral (values ('shortlisted', shortlisted, null::timestamptz), ('introduced', introduced, needs.created),
    ('accepted', accepted, introduced), ('disclosed', disclosed, accepted), ('agreement', agreement, disclosed)
  ) as first (measure, at, since) where first.at is not null
  union all
  select match_id, case when step = 'meet' then 'meeting' else after end, case when step <> 'meet' then reason end,
    {_day("taken")}, null, null, null
  from match_steps where step = 'meet' or (after in ('declined', 'dismissed') and before <> after)
  union all
  select match_id, 'asked',
    case when answered is not null then case when {_day("answered")} > due_on then 'late' else 'in_time' end
      when lapsed then 'none' when ended is not null then 'closed'
      when due_on < {_day("now()")} then 'overdue' else 'waiting' end,
    {_day("since")}, null, null, side
  from asks
  union all
  select match_id, 'answered', null, {_day("answered")}, {_day("answered")} - {_day("since")}, null, side
  from asks where answered is not null
  union all
  select match_id, 'outcome', kind, agreed_on, null, amount_yen, null from outcomes
  union all
  select first_outcome.match_id, 'first_outcome', null, agreed_on, agreed_on - {_day("needs.created")}, null, null
  from first_outcome join matches on matches.id = first_outcome.match_id join needs on needs.id = matches.need_id
)
select matches.cluster_id, measure, detail, day, days, amount_yen, side, matches.need_id, matches.seed_id,
  matches.coordinator_id
from of_matches join matches on matches.id = of_matches.match_id
union all
select cluster_id, 'need_posted', null, {_day("created")}, null, null, null, id, null, null from needs where submitted
union all
select cluster_id, 'seed_registered', null, {_day("created")}, null, null, null, null, id, null
from seeds where submitted
"""

# Sections of the vocabularies: the letter of IPC, CPC, KAKENHI and JSIC, else the first number.
SECTIONS = """
select id, split_part(code, ':', 1) || ':' || substring(split_part(code, ':', 2) from '^([A-Z]|[0-9]{1,2})') as section
"""

# How far what is counted goes; a change that commits later than one behind it is found within the hour.
SEEN = f"""
select concat_ws(' ', {_day("now()")}, (select max(id) from match_steps), (select max(id) from outcomes),
  (select max(changed_xid) from seeds), (select max(changed_xid) from needs))
"""

# Counts one year of a cluster for one breakdown anew, where what is kept is older than `oldest` and something has been
# added since. Whoever oversees the cluster may have it done, and the service itself. Who comes while another counts gets
# what is kept, and waits where there is nothing yet.
COUNT = f"""
create function indicators_count(of_cluster bigint, of_year integer, of_breakdown text, oldest interval)
returns void language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  kept indicator_states;
  reached text;
  began timestamptz;
  held integer := hashtext(format('enmusubi indicators %s %s', of_year, of_breakdown));
begin
  if not coalesce(caller_role() = 'service' or (caller_cluster() = of_cluster
      and caller_role() in ('coordinator', 'cluster_administrator', 'auditor')), false) then
    return;
  end if;
  select * into kept from indicator_states
  where cluster_id = of_cluster and fiscal_year = of_year and breakdown = of_breakdown;
  if caller_role() <> 'service' and kept.asked < now() - interval '10 minutes' then
    update indicator_states set asked = now()
    where cluster_id = of_cluster and fiscal_year = of_year and breakdown = of_breakdown;
  end if;
  if kept.as_of > clock_timestamp() - oldest then
    return;
  end if;
  if kept.as_of is null then
    perform pg_advisory_xact_lock(held, of_cluster::integer);
  elsif not pg_try_advisory_xact_lock(held, of_cluster::integer) then
    return;
  end if;
  select * into kept from indicator_states
  where cluster_id = of_cluster and fiscal_year = of_year and breakdown = of_breakdown;
  reached := ({SEEN});
  if kept.as_of > clock_timestamp() - oldest
      or (oldest > interval '0' and kept.seen = reached and kept.as_of > clock_timestamp() - interval '1 hour') then
    return;
  end if;
  began := clock_timestamp();
  delete from indicator_figures
  where cluster_id = of_cluster and fiscal_year = of_year and breakdown = of_breakdown;
  insert into indicator_figures
    (cluster_id, fiscal_year, breakdown, counted, organisation_id, coordinator_id, field, figures)
  with events as materialized (
    select measure, detail, days, amount_yen, side, need_id, seed_id, coordinator_id from indicator_events
    where cluster_id = of_cluster and day >= make_date(of_year, 4, 1) and day < make_date(of_year + 1, 4, 1)
  ),
  -- Whose the entries are, as far as the breakdown tells.
  parties as materialized (
    select 'seed' as entry, seeds.id,
      case when owner.id is null then 'none' when owner.cluster_id <> of_cluster then 'elsewhere'
        else 'organisation' end as counted,
      case when owner.cluster_id = of_cluster then owner.id end as organisation_id
    from seeds left join organisations as owner on owner.id = seeds.organisation_id
    where of_breakdown in ('organisation', 'owner') and seeds.id in (select seed_id from events)
    union all
    select 'need', id, case when anonymous then 'anonymous' when organisation_id is null then 'none'
      else 'organisation' end, organisation_id
    from needs where of_breakdown = 'organisation' and id in (select need_id from events)
    union all
    select 'need', need_id, case when owner_id is null then 'none' else 'organisation' end, owner_id
    from need_details where of_breakdown = 'owner' and need_id in (select need_id from events)
  ),
  sections as materialized (
    select distinct 'seed' as entry, id, section from (
      {SECTIONS} from seeds, unnest(field_codes) as code
      where of_breakdown = 'field' and id in (select seed_id from events)) as found
    union all
    select distinct 'need', id, section from (
      {SECTIONS} from needs, unnest(field_codes) as code
      where of_breakdown = 'field' and id in (select need_id from events)) as found
  ),
  placed as (
    select 'cluster' as counted, null::bigint as organisation_id, null::bigint as coordinator_id, null::text as field,
      measure, detail, days, amount_yen
    from events where of_breakdown = 'cluster'
    union all
    select case when coordinator_id is null then 'none' else 'coordinator' end, null, coordinator_id, null, measure,
      detail, days, amount_yen
    from events where of_breakdown = 'coordinator'
    union all
    select case when section is null then 'none' else 'field' end, null, null, section, measure, detail, days, amount_yen
    from events left join sections on entry = case when seed_id is null then 'need' else 'seed' end
      and sections.id = coalesce(seed_id, need_id)
    where of_breakdown = 'field'
    union all
    select counted, organisation_id, null, null, measure, detail, days, amount_yen
    from events join parties on entry = 'seed' and parties.id = seed_id where side is distinct from 'need'
    union all
    select needing.counted, needing.organisation_id, null, null, measure, detail, days, amount_yen
    from events join parties as needing on needing.entry = 'need' and needing.id = need_id
      left join parties as seeding on seeding.entry = 'seed' and seeding.id = seed_id
    -- Where both sides are of one organisation, what counts for both counts once.
    where side is distinct from 'seed' and (side is not null or needing.organisation_id is null
      or seeding.organisation_id is distinct from needing.organisation_id)
  ),
  -- By the day first: a median of few hundred days is found at once, one of sorted events is not.
  by_days as materialized (
    select counted, organisation_id, coordinator_id, field, measure, detail, days, count(*) as number,
      sum(amount_yen) as amount_yen, count(amount_yen) as amounts
    from placed group by 1, 2, 3, 4, 5, 6, 7
  ),
  ranked as (
    select *, sum(number) over (so_far order by days) as upto, sum(number) over so_far as timed
    from by_days where days is not null
    window so_far as (partition by counted, organisation_id, coordinator_id, field, measure)
  ),
  listed as (
    select counted, organisation_id, coordinator_id, field, jsonb_build_object('measure', measure, 'detail', detail,
      'count', sum(number), 'amount_yen', sum(amount_yen), 'amounts', sum(amounts)) as figure
    from by_days group by 1, 2, 3, 4, measure, detail
    union all
    -- The day in the middle, or the mean of the two in the middle.
    select counted, organisation_id, coordinator_id, field, jsonb_build_object('measure', measure, 'timed', max(timed),
      'median_days', (min(days) filter (where 2 * upto >= timed) + min(days) filter (where 2 * upto > timed)) / 2.0)
    from ranked group by 1, 2, 3, 4, measure
  )
  select of_cluster, of_year, of_breakdown, counted, organisation_id, coordinator_id, field, jsonb_agg(figure)
  from listed group by counted, organisation_id, coordinator_id, field;
  insert into indicator_states (cluster_id, fiscal_year, breakdown, as_of, seen)
  values (of_cluster, of_year, of_breakdown, began, reached)
  on conflict (cluster_id, fiscal_year, breakdown) do update set as_of = excluded.as_of, seen = excluded.seen;
end $$
"""

# The way back from entries to what they grew from; `union` ends it where it comes round.
LOOP = """
create function origins_loop(of_seed bigint, of_need bigint, seeds_named bigint[], needs_named bigint[])
returns table (kind text, id uuid, from_kind text, from_id uuid) language plpgsql security definer
set search_path = pg_catalog, public, pg_temp as $$
begin
  -- Until the transaction ends: two that each see only their own half would close a loop together.
  perform pg_advisory_xact_lock(hashtext('enmusubi origins'), 0);
  return query with recursive parents as materialized (
    select origin.seed_id, origin.need_id, coalesce(origin.from_seed_id, paired.seed_id) as from_seed,
      coalesce(origin.from_need_id, paired.need_id) as from_need
    from origins as origin left join outcomes as outcome on outcome.id = origin.from_outcome_id
      left join matches as paired on paired.id = coalesce(origin.from_match_id, outcome.match_id)
  ),
  edges as (
    select seed_id, need_id, from_seed, null::bigint as from_need from parents where from_seed is not null
    union all select seed_id, need_id, null, from_need from parents where from_need is not null
  ),
  back as (
    select null::bigint as seed_id, null::bigint as need_id, named as from_seed, null::bigint as from_need
    from unnest(seeds_named) as named
    union select null, null, null, named from unnest(needs_named) as named
    union select edges.* from back join edges on edges.seed_id = back.from_seed or edges.need_id = back.from_need
  )
  select case when back.seed_id is not null then 'seed' when back.need_id is not null then 'need' end,
    coalesce(seed.public_id, need.public_id),
    case when back.from_seed is not null then 'seed' else 'need' end,
    coalesce(from_seed.public_id, from_need.public_id)
  from back left join seeds as seed on seed.id = back.seed_id left join needs as need on need.id = back.need_id
    left join seeds as from_seed on from_seed.id = back.from_seed
    left join needs as from_need on from_need.id = back.from_need
  where exists (select from back as last where last.from_seed = of_seed or last.from_need = of_need);
end $$
"""
REFUSE_LOOP = """
create function enmusubi_refuse_loop() returns trigger language plpgsql security definer
set search_path = pg_catalog, public, pg_temp as $$
declare
  named record;
begin
  select coalesce(new.from_seed_id, paired.seed_id) as seed, coalesce(new.from_need_id, paired.need_id) as need
  into named from (values (0)) as once (nothing)
    left join outcomes as outcome on outcome.id = new.from_outcome_id
    left join matches as paired on paired.id = coalesce(new.from_match_id, outcome.match_id);
  if exists (select from origins_loop(new.seed_id, new.need_id,
      array_remove(array[named.seed], null), array_remove(array[named.need], null))) then
    raise exception 'an entry would grow from itself' using errcode = 'check_violation';
  end if;
  return null;
end $$
"""

# Who may know of both ends. What an anonymous need grew from, or what of a company grew from it, may tell whose it is:
# that is for those who read its confidential part. What a university made of it is not.
KNOWN = "exists (select from need_details as detail where detail.need_id = {need}.id)"
OF_COMPANY = """exists (select from seeds as entry join organisations as owner on owner.id = entry.organisation_id
  where entry.id = origins.seed_id and owner.kind = 'company')"""
TOLD = f"(not {{need}}.anonymous or (origins.seed_id is not null and not {OF_COMPANY}) or {KNOWN})"
# Looked up one by one: `exists` would have the planner read all entries and matches first.
FROM_IS_SEEN = f"""
  (from_seed_id is null or (select true from seeds where seeds.id = from_seed_id))
  and (from_need_id is null or (select true from needs where needs.id = from_need_id and {TOLD.format(need="needs")}))
  and (from_match_id is null or (select true from matches join needs as asking on asking.id = matches.need_id
    where matches.id = from_match_id and {TOLD.format(need="asking")}))
  and (from_outcome_id is null or (select true from outcomes join matches as paired on paired.id = outcomes.match_id
    join needs as asking on asking.id = paired.need_id
    where outcomes.id = from_outcome_id and {TOLD.format(need="asking")}))
"""
ENTRY_IS_SEEN = f"""
  (seed_id is null or (select true from seeds where seeds.id = origins.seed_id))
  and (need_id is null or (select true from needs where needs.id = origins.need_id
    and (not needs.anonymous or {KNOWN.format(need="needs")})))
"""
ENTRY_IS_WRITTEN = f"""
  (exists (select from seeds where seeds.id = origins.seed_id and seeds.{HERE} and ({COORDINATES}
     or ({ROLE} = 'university' and seeds.organisation_id = {ORGANISATION})))
   or exists (select from needs where needs.id = origins.need_id and needs.{HERE} and ({COORDINATES}
     or ({ROLE} = 'company' and needs.id in (select own_needs())))))
"""
POLICIES = {
    "indicator_figures": {"select": f"{OVERSEES} and {HERE} and (breakdown <> 'owner' or {COORDINATES})"},
    "indicator_states": {"select": f"({OVERSEES} and {HERE}) or {SERVICE}"},
    "origins": {
        "select": f"{ENTRY_IS_SEEN} and {FROM_IS_SEEN}",
        "insert": f"{ENTRY_IS_WRITTEN} and {FROM_IS_SEEN}",
        "delete": ENTRY_IS_WRITTEN,
    },
}


def _to(table: str, column: str, other: str, *, cascade: bool = False) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete="CASCADE" if cascade else None)


def upgrade() -> None:
    op.create_table(
        "indicator_figures",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("cluster_id", sa.BigInteger(), nullable=False),
        sa.Column("fiscal_year", sa.SmallInteger(), nullable=False),
        sa.Column("breakdown", sa.Text(), nullable=False),
        sa.Column("counted", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("coordinator_id", sa.BigInteger(), nullable=True),
        sa.Column("field", sa.Text(), nullable=True),
        sa.Column("figures", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint(f"breakdown IN ({BREAKDOWNS})", name=op.f("ck_indicator_figures_breakdown")),
        sa.CheckConstraint(f"counted IN ({COUNTED})", name=op.f("ck_indicator_figures_counted")),
        _to("indicator_figures", "cluster_id", "clusters"),
        _to("indicator_figures", "organisation_id", "organisations"),
        _to("indicator_figures", "coordinator_id", "accounts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_indicator_figures")),
    )
    op.create_index("ix_indicator_figures_read", "indicator_figures", ["cluster_id", "fiscal_year", "breakdown"])
    op.create_table(
        "indicator_states",
        sa.Column("cluster_id", sa.BigInteger(), nullable=False),
        sa.Column("fiscal_year", sa.SmallInteger(), nullable=False),
        sa.Column("breakdown", sa.Text(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("seen", sa.Text(), nullable=False),
        sa.Column("asked", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(f"breakdown IN ({BREAKDOWNS})", name=op.f("ck_indicator_states_breakdown")),
        _to("indicator_states", "cluster_id", "clusters"),
        sa.PrimaryKeyConstraint("cluster_id", "fiscal_year", "breakdown", name=op.f("pk_indicator_states")),
    )
    ends = {
        "seed_id": "seeds",
        "need_id": "needs",
        "from_match_id": "matches",
        "from_outcome_id": "outcomes",
        "from_seed_id": "seeds",
        "from_need_id": "needs",
    }
    op.create_table(
        "origins",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ends),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("num_nonnulls(seed_id, need_id) = 1", name=op.f("ck_origins_entry")),
        sa.CheckConstraint(
            "num_nonnulls(from_match_id, from_outcome_id, from_seed_id, from_need_id) = 1",
            name=op.f("ck_origins_from_one"),
        ),
        *(_to("origins", name, table, cascade=True) for name, table in ends.items()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_origins")),
        sa.UniqueConstraint(*ends, name="uq_origins_pair", postgresql_nulls_not_distinct=True),
    )
    for name in list(ends)[1:]:
        op.create_index(op.f(f"ix_origins_{name}"), "origins", [name])
    op.execute(EVENTS)
    op.execute(COUNT)
    op.execute(LOOP)
    op.execute(REFUSE_LOOP)
    op.execute(
        "create trigger origins_refuse_loop after insert or update on origins "
        "for each row execute function enmusubi_refuse_loop()"
    )
    for table, conditions in POLICIES.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy operator on {table} to current_user using (true) with check (true)")
        for command, condition in conditions.items():
            clause = f"with check ({condition})" if command == "insert" else f"using ({condition})"
            op.execute(f"create policy {command}_rows on {table} for {command} {clause}")


def downgrade() -> None:
    op.drop_table("origins")
    op.execute("drop function enmusubi_refuse_loop()")
    op.execute("drop function origins_loop(bigint, bigint, bigint[], bigint[])")
    op.execute("drop function indicators_count(bigint, integer, text, interval)")
    op.execute("drop view indicator_events")
    op.drop_table("indicator_states")
    op.drop_table("indicator_figures")
