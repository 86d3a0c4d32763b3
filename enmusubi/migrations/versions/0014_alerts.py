"""alerts: what a "no" was said for and what answers it; new entries find their partners, saved searches, alerts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

REASONS = (
    "'too_early', 'benefit_unclear', 'commercial_route_unclear', 'description_unclear', 'scientific_concern', "
    "'out_of_scope', 'ip_position', 'capacity', 'internal_project', 'compliance', 'no_answer', 'already_in_contact', "
    "'terms'"
)
SIDES = "'need', 'seed', 'cluster'"

SERVICE = "(select caller_role()) = 'service'"
DEFINER = "security definer set search_path = pg_catalog, public, pg_temp"

# Words alone: neither punctuation, blanks, width nor case make a text another one.
TEXT_DIGEST = f"""
create function text_digest(given text) returns text language sql stable {DEFINER} as $$
  select encode(sha256(convert_to(regexp_replace(lower(normalize(given, NFKC)), '[[\\:space\\:][\\:punct\\:]、。・「」『』…]', '', 'g'),
    'UTF8')), 'hex')
$$
"""
SUBJECT = (
    "title, summary, translation_title, translation_summary, applications, array_to_string(technology_keywords, ' '), "
    "array_to_string(market_keywords, ' ')"
)
# What an entry is like, as far as a "no" may depend on it; public values, and digests of public texts.
FACTS = f"""
create function seed_facts(seed bigint) returns jsonb language sql stable {DEFINER} as $$
  select jsonb_build_object('version', version, 'trl', trl, 'stage', stage, 'ipr_status', ipr_status,
    'licensable', licensable, 'transferable', transferable, 'subject', text_digest(concat_ws(' ', {SUBJECT})),
    'text', text_digest(concat_ws(' ', {SUBJECT}, description, advantages, open_challenges, expected_partner)))
  from seeds where id = seed
$$;
create function need_facts(need bigint) returns jsonb language sql stable {DEFINER} as $$
  select jsonb_build_object('version', version, 'wanted_trl', wanted_trl, 'deadline', deadline,
    'subject', text_digest(concat_ws(' ', {SUBJECT})),
    'text', text_digest(concat_ws(' ', {SUBJECT}, expertise_sought)))
  from needs where id = need
$$
"""
KEEP = f"""
create function keep_decline(of_match bigint, by_side text, for_reason text) returns void language plpgsql {DEFINER} as $$
begin
  update declines set ended = now() where match_id = of_match and ended is null;
  insert into declines (match_id, refused_by, reason, seed_then, need_then)
  select id, by_side, for_reason, seed_facts(seed_id), need_facts(need_id) from matches where id = of_match;
end $$
"""
# Whatever step turns a match down is kept with what both entries are then. Where one side alone was silent, it is its
# silence; where both were, either may be heard of again.
KEEP_STEP = f"""
create function keep_refusing_step() returns trigger language plpgsql {DEFINER} as $$
declare
  silent text[];
begin
  select array_agg(side) into silent from interests where match_id = new.match_id and answer in ('waiting', 'none');
  perform keep_decline(new.match_id,
    case when new.side = 'cluster' and new.reason = 'no_answer' and cardinality(silent) = 1 then silent[1] else new.side end, new.reason);
  return null;
end $$;
create trigger keep_refusing_step after insert on match_steps for each row
when (new.after in ('declined', 'dismissed') and new.reason is not null) execute function keep_refusing_step()
"""
# The functions below work for the service alone: on behalf of nobody, inside the transaction of who causes it.
# Only where the pair may be proposed: what is not open now waits, and is looked at again when it is.
STANDING = f"""
create function standing_declines(of_seeds bigint[], of_needs bigint[]) returns table (
  decline bigint, match uuid, cluster bigint, refused_by text, reason text, seed bigint, need bigint,
  seed_then jsonb, need_then jsonb, seed_now jsonb, need_now jsonb
) language sql stable {DEFINER} as $$
  select declines.id, matches.public_id, matches.cluster_id, declines.refused_by, declines.reason,
    seeds.id, needs.id, declines.seed_then, declines.need_then, seed_facts(seeds.id), need_facts(needs.id)
  from matches join declines on declines.match_id = matches.id and declines.ended is null
  join seeds on seeds.id = matches.seed_id join needs on needs.id = matches.need_id
  where caller_role() = 'service' and matches.status in ('declined', 'dismissed')
    and (matches.seed_id = any (of_seeds) or matches.need_id = any (of_needs))
    and seeds.status = 'published' and seeds.expires_on >= current_date and seeds.open_for_interest
    and needs.status = 'published' and needs.expires_on >= current_date and needs.open_for_interest
    and (needs.deadline is null or needs.deadline >= current_date)
    and not coalesce(excludes(needs.id, seeds.organisation_id), false)
  order by matches.id
$$
"""
END = f"""
create function end_decline(standing bigint) returns boolean language sql {DEFINER} as $$
  with done as (update declines set ended = now()
    where caller_role() = 'service' and id = standing and ended is null returning 1)
  select exists (select from done)
$$
"""
# Of an entry's owner: "no" of the sides where it was asked itself, and of the cluster among the pairs that it sees.
COUNTED = f"""
create function declines_counted(side text, entry bigint, seen bigint[], only_asked boolean) returns table (
  refused_by text, reason text, pairs bigint
) language sql stable {DEFINER} as $$
  select declines.refused_by, declines.reason, count(*) from declines join matches on matches.id = declines.match_id
  where caller_role() = 'service' and declines.ended is null and matches.status in ('declined', 'dismissed')
    and case side when 'seed' then matches.seed_id else matches.need_id end = entry
    and (matches.id = any (seen) or (only_asked and declines.refused_by <> 'cluster'))
    and (not only_asked or declines.refused_by = 'cluster'
      or exists (select from interests where interests.match_id = matches.id and interests.side = declines_counted.side))
  group by 1, 2 order by 1, 2
$$
"""
# What becomes open, or says something else, is matched soon; a trigger, so that no way of publishing can forget it.
QUEUE = f"""
create function queue_to_match() returns trigger language plpgsql {DEFINER} as $$
begin
  if tg_table_name = 'seeds' then
    insert into to_match (seed_id) values (new.id) on conflict (seed_id) do update set queued = now(), tries = 0;
  else
    insert into to_match (need_id) values (new.id) on conflict (need_id) do update set queued = now(), tries = 0;
  end if;
  return null;
end $$
"""
OPEN = "new.status = 'published' and new.open_for_interest"
NEWLY = "old.status <> 'published' or not old.open_for_interest or old.search_text is distinct from new.search_text"
# Who may be told of something new, for the service alone: of accounts with an address or not, that have not stopped it.
READERS = f"""
create function alert_readers(searching boolean) returns table (
  id bigint, public_id uuid, cluster bigint, organisation bigint, role text, frequency text, digested_on date
) language sql stable {DEFINER} as $$
  select account.id, account.public_id, account.cluster_id, account.organisation_id, account.role,
    coalesce(settings.frequency, 'daily'), settings.digested_on
  from accounts as account left join alert_settings as settings on settings.account_id = account.id
  where caller_role() = 'service' and account.active and case when searching
    then exists (select from saved_searches where account_id = account.id and frequency <> 'never')
    else account.role in ('company', 'university', 'coordinator') end
  order by account.id
$$
"""
# By whoever has the link: it stops what it says, however often it is opened, and tells what that was.
STOP = f"""
create function stop_alerts(presented bytea) returns table (stops text, name text, language text)
language plpgsql {DEFINER} as $$
declare
  link alert_stops;
begin
  select * into link from alert_stops where token_hash = presented for update;
  if link.token_hash is null then return; end if;
  if link.stops = 'search' then
    update saved_searches set frequency = 'never', version = version + 1
      where id = link.saved_search_id and frequency <> 'never';
  else
    insert into alert_settings (account_id, frequency) values (link.account_id, 'never')
      on conflict (account_id) do update set frequency = 'never';
  end if;
  if link.stops = 'daily' then
    update saved_searches set frequency = 'never', version = version + 1
      where account_id = link.account_id and frequency = 'daily';
  end if;
  if link.used is null then
    update alert_stops set used = now() where token_hash = presented;
    insert into record_events (cluster, role, actor, organisation, action, kind, object, content)
    select clusters.public_id, account.role, actors.actor, organisations.public_id, 'alerts_stopped', 'account',
      actors.actor, '{{"stops":"' || link.stops || '"}}'
    from accounts as account join clusters on clusters.id = account.cluster_id
    left join organisations on organisations.id = account.organisation_id
    left join record_actors as actors on actors.account_id = account.id where account.id = link.account_id;
  end if;
  return query select link.stops, searches.name, account.language from accounts as account
    left join saved_searches as searches on searches.id = link.saved_search_id where account.id = link.account_id;
end $$
"""
OWN = "account_id = (select caller_account())"
TOLD = f"{SERVICE} or {OWN}"
POLICIES: dict[str, dict[str, str | tuple[str, str]]] = {
    "declines": {},
    "to_match": {"select": SERVICE, "update": (SERVICE, SERVICE), "delete": SERVICE},
    # What somebody looks for is nobody else's to read, the service's own work included.
    "saved_searches": {"select": OWN, "insert": OWN, "update": (OWN, OWN), "delete": OWN},
    "alert_settings": {"select": TOLD, "insert": TOLD, "update": (TOLD, TOLD)},
    "alerts": {"select": TOLD, "insert": SERVICE, "update": (SERVICE, SERVICE)},
    "alert_stops": {"insert": SERVICE},
}

# "No"s of one side that the owner on the other, asked too, has not been told of, where the last digest of that entry is
# long enough ago.
UNTOLD = f"""
create function untold_declines(told_at timestamptz, apart interval) returns table (
  decline bigint, cluster bigint, side text, entry bigint, reason text
) language sql stable {DEFINER} as $$
  with told as (
    select declines.id, declines.reason, declines.digested, declines.ended, matches.cluster_id, matches.id as pair,
      case refused_by when 'need' then 'seed' else 'need' end as other,
      case refused_by when 'need' then matches.seed_id else matches.need_id end as entry
    from declines join matches on matches.id = declines.match_id
    where caller_role() = 'service' and refused_by <> 'cluster'
  )
  select told.id, coalesce(case other when 'seed' then (select seeds.cluster_id from seeds where id = entry) end, cluster_id),
    other, told.entry, told.reason
  from told where told.digested is null and told.ended is null
    and exists (select from interests where interests.match_id = pair and interests.side = other)
    and not exists (select from told as before where before.entry = told.entry and before.other = told.other
      and before.digested > told_at - apart)
  order by told.id
$$
"""
NOTE_TOLD = f"""
create function note_declines_told(given bigint[], told_at timestamptz) returns void language sql {DEFINER} as $$
  update declines set digested = told_at where caller_role() = 'service' and id = any (given)
$$
"""
FUNCTIONS = (
    "note_declines_told",
    "untold_declines",
    "stop_alerts",
    "alert_readers",
    "queue_to_match",
    "declines_counted",
    "end_decline",
    "standing_declines",
    "keep_refusing_step",
    "keep_decline",
    "need_facts",
    "seed_facts",
    "text_digest",
)

# What was dismissed before there was this table: from now on it returns with a change from what the entries are today.
DISMISSED_BEFORE = """
insert into declines (match_id, refused_by, reason, noted, seed_then, need_then)
select matches.id, 'cluster', review.reason, review.created, seed_facts(matches.seed_id), need_facts(matches.need_id)
from matches cross join lateral (select reason, created from reviews where reviews.match_id = matches.id
  and verdict = 'dismiss' order by id desc limit 1) as review
where matches.status = 'dismissed'
"""


def _key() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


def _moment(name: str, *, now: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=not now)


def _to(table: str, column: str, other: str, *, cascade: bool = False) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete="CASCADE" if cascade else None)


def upgrade() -> None:
    op.add_column("matches", sa.Column("reopened_since", postgresql.JSONB(), nullable=True))
    op.create_table(
        "declines",
        _key(),
        sa.Column("match_id", sa.BigInteger(), nullable=False),
        sa.Column("refused_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _moment("noted", now=True),
        sa.Column("seed_then", postgresql.JSONB(), nullable=False),
        sa.Column("need_then", postgresql.JSONB(), nullable=False),
        *(_moment(name) for name in ("ended", "digested")),
        sa.CheckConstraint(f"refused_by IN ({SIDES})", name=op.f("ck_declines_refused_by")),
        sa.CheckConstraint(f"reason IN ({REASONS})", name=op.f("ck_declines_reason")),
        _to("declines", "match_id", "matches", cascade=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_declines")),
    )
    op.create_index(op.f("ix_declines_match_id"), "declines", ["match_id"])
    standing = sa.text("ended IS NULL")
    op.create_index("uq_declines_standing", "declines", ["match_id"], unique=True, postgresql_where=standing)
    for function in (TEXT_DIGEST, FACTS, KEEP, KEEP_STEP, STANDING, END, COUNTED):
        op.execute(function)
    op.execute(DISMISSED_BEFORE)
    op.create_table(
        "to_match",
        _key(),
        sa.Column("seed_id", sa.BigInteger(), nullable=True),
        sa.Column("need_id", sa.BigInteger(), nullable=True),
        _moment("queued", now=True),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("num_nonnulls(seed_id, need_id) = 1", name=op.f("ck_to_match_entry")),
        _to("to_match", "seed_id", "seeds", cascade=True),
        _to("to_match", "need_id", "needs", cascade=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_to_match")),
        sa.UniqueConstraint("seed_id", name=op.f("uq_to_match_seed_id")),
        sa.UniqueConstraint("need_id", name=op.f("uq_to_match_need_id")),
    )
    op.create_table(
        "saved_searches",
        _key(),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("against", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("field", "language", "region")),
        *(sa.Column(name, sa.SmallInteger(), nullable=True) for name in ("trl_min", "trl_max")),
        sa.Column("floor", sa.Double(), nullable=True),
        sa.Column("frequency", sa.Text(), nullable=False),
        _moment("last_run"),
        sa.Column("version", sa.Integer(), nullable=False),
        _moment("created", now=True),
        sa.CheckConstraint("against IN ('seeds', 'needs')", name=op.f("ck_saved_searches_against")),
        sa.CheckConstraint("language IN ('ja', 'en')", name=op.f("ck_saved_searches_language")),
        sa.CheckConstraint("frequency IN ('at_once', 'daily', 'never')", name=op.f("ck_saved_searches_frequency")),
        sa.CheckConstraint("trl_min BETWEEN 1 AND 9", name=op.f("ck_saved_searches_trl_min")),
        sa.CheckConstraint("trl_max BETWEEN 1 AND 9", name=op.f("ck_saved_searches_trl_max")),
        sa.CheckConstraint("floor BETWEEN 0 AND 1", name=op.f("ck_saved_searches_floor")),
        _to("saved_searches", "account_id", "accounts", cascade=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_searches")),
        sa.UniqueConstraint("public_id", name=op.f("uq_saved_searches_public_id")),
    )
    op.create_index("ix_saved_searches_page", "saved_searches", ["account_id", "created", "public_id"])
    op.create_table(
        "alert_settings",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("frequency", sa.Text(), nullable=False),
        sa.Column("digested_on", sa.Date(), nullable=True),
        sa.CheckConstraint("frequency IN ('at_once', 'daily', 'never')", name=op.f("ck_alert_settings_frequency")),
        _to("alert_settings", "account_id", "accounts", cascade=True),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_alert_settings")),
    )
    op.create_table(
        "alerts",
        _key(),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=True)
            for name in ("match_id", "saved_search_id", "seed_id", "need_id")
        ),
        _moment("created", now=True),
        *(_moment(name) for name in ("sent", "dropped")),
        sa.CheckConstraint(
            "CASE WHEN saved_search_id IS NULL THEN match_id IS NOT NULL AND num_nonnulls(seed_id, need_id) = 0 "
            "ELSE match_id IS NULL AND num_nonnulls(seed_id, need_id) = 1 END",
            name=op.f("ck_alerts_found"),
        ),
        _to("alerts", "account_id", "accounts", cascade=True),
        _to("alerts", "match_id", "matches", cascade=True),
        _to("alerts", "saved_search_id", "saved_searches", cascade=True),
        _to("alerts", "seed_id", "seeds", cascade=True),
        _to("alerts", "need_id", "needs", cascade=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sa.UniqueConstraint("public_id", name=op.f("uq_alerts_public_id")),
    )
    for name, first, second in (
        ("match", "account", "match"),
        ("seed", "saved_search", "seed"),
        ("need", "saved_search", "need"),
    ):
        op.create_index(f"uq_alerts_{name}", "alerts", [f"{first}_id", f"{second}_id"], unique=True)
    for column in ("match_id", "seed_id", "need_id"):
        op.create_index(op.f(f"ix_alerts_{column}"), "alerts", [column])
    op.create_index("ix_alerts_page", "alerts", ["account_id", "created", "public_id"])
    waiting = sa.text("sent IS NULL AND dropped IS NULL")
    op.create_index("ix_alerts_waiting", "alerts", ["account_id"], postgresql_where=waiting)
    op.create_table(
        "alert_stops",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("stops", sa.Text(), nullable=False),
        sa.Column("saved_search_id", sa.BigInteger(), nullable=True),
        _moment("created", now=True),
        _moment("used"),
        sa.CheckConstraint("stops IN ('entries', 'search', 'daily')", name=op.f("ck_alert_stops_stops")),
        sa.CheckConstraint("(stops = 'search') = (saved_search_id IS NOT NULL)", name=op.f("ck_alert_stops_search")),
        _to("alert_stops", "account_id", "accounts", cascade=True),
        _to("alert_stops", "saved_search_id", "saved_searches", cascade=True),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_alert_stops")),
    )
    for column in ("account_id", "saved_search_id"):
        op.create_index(op.f(f"ix_alert_stops_{column}"), "alert_stops", [column])
    for function in (QUEUE, READERS, STOP, UNTOLD, NOTE_TOLD):
        op.execute(function)
    for table in ("seeds", "needs"):
        op.execute(
            f"create trigger queue_new after insert on {table} for each row when ({OPEN}) execute function queue_to_match()"
        )
        op.execute(
            f"create trigger queue_changed after update on {table} for each row when ({OPEN} and ({NEWLY})) "
            "execute function queue_to_match()"
        )
    for table, conditions in POLICIES.items():
        _protect(table, conditions)


def _protect(table: str, conditions: dict[str, str | tuple[str, str]]) -> None:
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
    op.execute("drop trigger keep_refusing_step on match_steps")
    for table in ("seeds", "needs"):
        op.execute(f"drop trigger queue_new on {table}")
        op.execute(f"drop trigger queue_changed on {table}")
    for function in FUNCTIONS:
        op.execute(f"drop function {function}")
    for table in ("alert_stops", "alerts", "alert_settings", "saved_searches", "to_match", "declines"):
        op.drop_table(table)
    op.drop_column("matches", "reopened_since")
