"""alerts: what a "no" was said for and what answers it; new entries find their partners, saved searches, alerts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0009"
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
NOTE = f"""
create function note_decline(of_match bigint, by_side text, for_reason text) returns void
language plpgsql {DEFINER} as $$
begin
  if caller_role() is distinct from 'service' then return; end if;
  perform keep_decline(of_match, by_side, for_reason);
end $$
"""
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
PUT_BACK = f"""
create function put_back(standing bigint, since jsonb) returns boolean language plpgsql {DEFINER} as $$
declare
  refusal declines;
  pair matches;
begin
  if caller_role() is distinct from 'service' then return false; end if;
  select matches.* into pair from matches join declines on declines.match_id = matches.id
    where declines.id = standing for update of matches;
  if pair.id is null or pair.status not in ('declined', 'dismissed') then return false; end if;
  update declines set ended = now() where id = standing and ended is null returning * into refusal;
  if refusal.id is null then return false; end if;
  update matches set status = 'suggested', reopened = now(), reopened_for = refusal.reason,
    reopened_since = since || jsonb_build_object('refused_by', refusal.refused_by), version = version + 1
    where id = pair.id;
  insert into match_steps (public_id, match_id, step, before, after, side, reason, facts)
  values (gen_random_uuid(), pair.id, 'reopen', pair.status, 'suggested', since ->> 'entry', refusal.reason, since);
  return true;
end $$
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
FUNCTIONS = (
    "declines_counted",
    "put_back",
    "standing_declines",
    "note_decline",
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
    for function in (TEXT_DIGEST, FACTS, KEEP, KEEP_STEP, NOTE, STANDING, PUT_BACK, COUNTED):
        op.execute(function)
    op.execute(DISMISSED_BEFORE)
    _protect("declines", {})


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
    for function in FUNCTIONS:
        op.execute(f"drop function {function}")
    op.drop_table("declines")
    op.drop_column("matches", "reopened_since")
