"""people of a former owner are not named to the present one; the index holds nothing expired; lists by age."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

OVERSEEING = "('coordinator', 'cluster_administrator', 'auditor')"
# Who may read an event may not always know who did it: an owner reads also of looks that a former owner took.
NAMED = f"""
  and (caller_role() in {OVERSEEING} or accounts.role in {OVERSEEING}
       or accounts.organisation_id = caller_organisation())
"""
ACTOR_NAMED = """
create or replace function actor_named(pseudonym uuid) returns table (account_id uuid, account_name text)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select accounts.public_id, accounts.name from record_actors join accounts on accounts.id = record_actors.account_id
  where record_actors.actor = pseudonym {named}
$$
"""

# As 0006 made it, but for `status`: an entry that is published and past its last day is told to be expired.
CHANGED = """
create or replace function changed_{table}(watermark bigint, of_cluster bigint) returns table (
  id bigint, status text, embedding bytea, text_language text, terms text, embedding_encoder text, terms_analysis text,
  changed_xid bigint, oldest_running bigint
) language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select id, case when here then {status} end, case when shown then embedding end, case when shown then text_language end,
    case when shown then terms end, case when shown then embedding_encoder end,
    case when shown then terms_analysis end, changed_xid, pg_snapshot_xmin(pg_current_snapshot())::text::bigint
  from (select *, here and {status} = 'published' as shown from (
    select *, cluster_id = of_cluster or id in (select {entry}_id from {entry}_openings where cluster_id = of_cluster)
      as here from {table} where changed_xid >= watermark and submitted
      and of_cluster = coalesce((select caller_cluster()), of_cluster)) as changed) as entries
$$
"""
EXPIRING = "case when status = 'published' and expires_on < current_date then 'expired' else status end"
ENTRIES = ("seed", "need")
TABLES = ("seeds", "needs")


# Uncompressed: a search for a rare word reads the text of every entry, and unpacking them took most of its time.
STORED = """
alter table {table} alter column search_text set storage external;
alter table {table} disable trigger {table}_stamp_change;
update {table} set search_text = search_text || '';
alter table {table} enable trigger {table}_stamp_change
"""


def upgrade() -> None:
    op.execute(ACTOR_NAMED.format(named=NAMED))
    _tell_changes_with(EXPIRING)
    for table in TABLES:
        op.drop_index(f"ix_{table}_page", table_name=table)
        op.create_index(f"ix_{table}_newest", table, ["created", "public_id"])
        # The entries have not changed: they keep their stamps, and stay in the snapshots that hold them.
        for statement in STORED.format(table=table).split(";"):
            op.execute(statement)


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"alter table {table} alter column search_text set storage extended")  # as new texts are stored
        op.drop_index(f"ix_{table}_newest", table_name=table)
        op.create_index(f"ix_{table}_page", table, ["cluster_id", "created", "public_id"])
    _tell_changes_with("status")
    op.execute(ACTOR_NAMED.format(named=""))


def _tell_changes_with(status: str) -> None:
    for entry in ENTRIES:
        op.execute(CHANGED.format(entry=entry, table=f"{entry}s", status=status))
