"""the record: append-only events, chained by hash, and who their actors are."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Every function names its search path, or has a body that was bound when it was made: no name in it is looked up where
# a caller could put its own.

# An account's actor binds the account without telling it: who has neither the salt nor this row cannot say whose it is.
NAME_ACTOR = """
create function record_actor_of(account uuid, salt bytea) returns uuid language sql immutable
return encode(substr(sha256(convert_to('enmusubi-actor-1' || chr(10) || account || chr(10) || encode(salt, 'hex'), 'UTF8')), 1, 16), 'hex')::uuid;

create function record_name_actor() returns trigger language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  salt bytea := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
begin
  insert into record_actors (account_id, salt, actor) values (new.id, salt, record_actor_of(new.public_id, salt));
  return null;
end $$;
"""

# Nobody fills in the link of an event, nor says when it was recorded, but the database.
BEGIN_EVENT = """
create function record_begin_event() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  new.recorded := clock_timestamp();
  new.salt := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
  new.sequence := null;
  new.chained := null;
  new.previous := null;
  new.digest := null;
  new.hash := null;
  return new;
end $$
"""

# The step is a setting of the transaction, not of the function: only a superuser may give a function such a setting.
# A guard against mistakes, for everybody, the owner of the tables too. Whoever means harm and has the owner's rights can
# remove it: that is what the chain is for.
REFUSE = """
create function record_refuse() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
  step text := coalesce(current_setting('enmusubi.record_step', true), '');
begin
  if tg_op = 'UPDATE' and tg_table_name = 'record_events' then
    if step = 'chain' and old.sequence is null
       and row(new.id, new.salt, new.recorded, new.cluster, new.role, new.actor, new.organisation, new.action, new.kind,
               new.object, new.content)
         is not distinct from
           row(old.id, old.salt, old.recorded, old.cluster, old.role, old.actor, old.organisation, old.action, old.kind,
               old.object, old.content) then
      return new;
    end if;
    if step = 'remove' and old.sequence is not null and new.salt is null
       and row(new.id, new.sequence, new.chained, new.previous, new.digest, new.hash)
         = row(old.id, old.sequence, old.chained, old.previous, old.digest, old.hash) then
      return new;
    end if;
  end if;
  if tg_op = 'DELETE' and tg_table_name = 'record_actors' and step = 'erase' then
    return old;
  end if;
  raise exception 'the record is kept: % of % is refused', lower(tg_op), tg_table_name
    using errcode = 'insufficient_privilege', hint = 'see docs/security.md, The record';
end $$
"""

# What is hashed, as text that sha256sum can repeat; enmusubi/app/chain.py says the same in Python, by itself.
ENCODE = """
create function record_time(moment timestamptz) returns text language sql immutable
return to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');

create function record_digest(event record_events) returns bytea language sql stable
return sha256(convert_to(concat_ws(
  chr(10), 'enmusubi-event-1', encode(event.salt, 'hex'), record_time(event.recorded), coalesce(event.cluster::text, '-'),
  event.role, coalesce(event.actor::text, '-'), coalesce(event.organisation::text, '-'),
  event.action, coalesce(event.kind, '-'), coalesce(event.object::text, '-'), event.content
), 'UTF8'));

create function record_hash(previous bytea, sequence bigint, chained timestamptz, digest bytea) returns bytea
language sql immutable
return sha256(convert_to(concat_ws(
  chr(10), 'enmusubi-link-1', encode(previous, 'hex'), sequence::text, record_time(chained), encode(digest, 'hex')
), 'UTF8'));
"""

CHAIN = """
create function record_chain(most integer) returns integer language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  head record_events;
  event record_events;
  linked integer := 0;
begin
  -- One at a time, in a transaction of its own that does nothing else: nobody who writes an event waits for this.
  perform pg_advisory_xact_lock(7305, 1);
  select * into head from record_events where sequence is not null order by sequence desc limit 1;
  if head.sequence is null then
    head.sequence := 0;
    head.hash := decode(repeat('00', 32), 'hex');
  end if;
  perform set_config('enmusubi.record_step', 'chain', true);
  for event in select * from record_events where sequence is null order by id limit most loop
    event.sequence := head.sequence + 1;
    -- Never back, whatever the clock does.
    event.chained := greatest(clock_timestamp(), head.chained);
    event.previous := head.hash;
    event.digest := record_digest(event);
    event.hash := record_hash(event.previous, event.sequence, event.chained, event.digest);
    update record_events set sequence = event.sequence, chained = event.chained, previous = event.previous,
      digest = event.digest, hash = event.hash where id = event.id;
    head := event;
    linked := linked + 1;
  end loop;
  perform set_config('enmusubi.record_step', '', true);
  return linked;
end $$;

create function record_links(since bigint, most integer)
returns table (sequence bigint, chained timestamptz, previous bytea, digest bytea, hash bytea)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select e.sequence, e.chained, e.previous, e.digest, e.hash from record_events e
  where e.sequence > since order by e.sequence limit most
$$;
"""

REMOVE = """
create function record_retain(before timestamptz) returns bigint language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  removed bigint;
begin
  perform pg_advisory_xact_lock(7305, 1);
  if before > clock_timestamp() then
    raise exception 'before: only what has been recorded can be removed' using errcode = 'invalid_parameter_value';
  end if;
  perform set_config('enmusubi.record_step', 'remove', true);
  update record_events set salt = null, recorded = null, cluster = null, role = null, actor = null,
    organisation = null, action = null, kind = null, object = null, content = null
  where chained < before and salt is not null;
  get diagnostics removed = row_count;
  perform set_config('enmusubi.record_step', '', true);
  if removed > 0 then
    insert into record_events (role, action, kind, content) values ('operator', 'retained', 'record',
      '{"before":"' || record_time(before) || '","events":' || removed || '}');
  end if;
  return removed;
end $$;

create function record_erase(account uuid) returns uuid language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  erased uuid;
begin
  perform set_config('enmusubi.record_step', 'erase', true);
  delete from record_actors a using accounts where accounts.id = a.account_id and accounts.public_id = account
    returning a.actor into erased;
  perform set_config('enmusubi.record_step', '', true);
  if erased is not null then
    -- Names the pseudonym alone: that it was erased tells a missing row from one that somebody took away.
    insert into record_events (cluster, role, action, kind, object, content)
    select clusters.public_id, 'operator', 'erased', 'account', erased, '{}'
    from accounts join clusters on clusters.id = accounts.cluster_id where accounts.public_id = account;
  end if;
  return erased;
end $$;
"""

FUNCTIONS = (
    "record_erase(uuid)",
    "record_retain(timestamptz)",
    "record_links(bigint, integer)",
    "record_chain(integer)",
    "record_hash(bytea, bigint, timestamptz, bytea)",
    "record_digest(record_events)",
    "record_time(timestamptz)",
    "record_refuse()",
    "record_begin_event()",
    "record_name_actor()",
    "record_actor_of(uuid, bytea)",
)


def upgrade() -> None:
    op.create_table(
        "record_actors",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("actor", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_record_actors_account_id_accounts")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_record_actors")),
        sa.UniqueConstraint("actor", name=op.f("uq_record_actors_actor")),
    )
    word = "^[a-z][a-z_]{0,39}$"
    op.create_table(
        "record_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("chained", sa.DateTime(timezone=True), nullable=True),
        sa.Column("previous", sa.LargeBinary(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("hash", sa.LargeBinary(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("recorded", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cluster", sa.Uuid(), nullable=True),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("actor", sa.Uuid(), nullable=True),
        sa.Column("organisation", sa.Uuid(), nullable=True),
        sa.Column("action", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("object", sa.Uuid(), nullable=True),
        sa.Column("content", sa.Text(), nullable=True),
        # Words, so that what is hashed has one event a text; which words there are is the code's to say.
        sa.CheckConstraint(
            f"action ~ '{word}' AND role ~ '{word}' AND (kind IS NULL OR kind ~ '{word}')",
            name=op.f("ck_record_events_words"),
        ),
        sa.CheckConstraint(
            "num_nonnulls(salt, recorded, role, action, content) = 5 OR "
            "num_nonnulls(salt, recorded, cluster, role, actor, organisation, action, kind, object, content) = 0",
            name=op.f("ck_record_events_whole"),
        ),
        sa.CheckConstraint(
            "num_nonnulls(sequence, chained, previous, digest, hash) IN (0, 5)", name=op.f("ck_record_events_link")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_record_events")),
        sa.UniqueConstraint("sequence", name=op.f("uq_record_events_sequence")),
    )
    op.create_index("ix_record_events_waiting", "record_events", ["id"], postgresql_where=sa.text("sequence IS NULL"))
    op.create_index("ix_record_events_object", "record_events", ["object", "id"])
    op.create_index("ix_record_events_cluster", "record_events", ["cluster", "sequence"])
    for statement in (NAME_ACTOR, BEGIN_EVENT, REFUSE, ENCODE, CHAIN, REMOVE):
        op.execute(statement)
    op.execute(
        "create trigger accounts_name_actor after insert on accounts for each row execute function record_name_actor()"
    )
    op.execute(
        "create trigger record_events_begin before insert on record_events for each row execute function record_begin_event()"
    )
    op.execute("alter table record_events enable always trigger record_events_begin")
    for table in ("record_events", "record_actors"):
        for when, what in (("row", "update or delete"), ("statement", "truncate")):
            op.execute(
                f"create trigger {table}_refuse_{when} before {what} on {table} "
                f"for each {when} execute function record_refuse()"
            )
            op.execute(f"alter table {table} enable always trigger {table}_refuse_{when}")
    # The service chains and reads links; only the owner removes.
    for function in ("record_retain(timestamptz)", "record_erase(uuid)"):
        op.execute(f"revoke execute on function {function} from public")
    op.execute(
        "insert into record_actors (account_id, salt, actor) select id, salt, record_actor_of(public_id, salt) from "
        "(select id, public_id, uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) as salt from accounts) a"
    )


def downgrade() -> None:
    op.execute(
        "do $$ begin if exists (select from record_events) then raise exception "
        "'the record has events, which the older form cannot hold: export it, and empty the table first'; end if; end $$"
    )
    op.execute("drop trigger accounts_name_actor on accounts")
    for table in ("record_events", "record_actors"):
        op.execute(f"drop trigger {table}_refuse_row on {table}")
        op.execute(f"drop trigger {table}_refuse_statement on {table}")
    op.execute("drop trigger record_events_begin on record_events")
    for function in FUNCTIONS:
        op.execute(f"drop function {function}")
    op.drop_table("record_events")
    op.drop_table("record_actors")
