"""external ids apart for what only owners see; whether an organisation has entries that one may not read."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# Anonymous needs name their owner in a part that cluster administrators may not read; drafts are nobody's to know of.
HAS_OPEN_ENTRIES = """
create function has_open_entries(organisation bigint) returns boolean
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select caller_role() in ('coordinator', 'cluster_administrator')
    and exists (select from organisations where id = organisation and cluster_id = caller_cluster())
    and (exists (select from seeds where organisation_id = organisation
           and submitted and status in ('published', 'on_hold', 'under_review'))
      or exists (select from need_details as detail join needs on needs.id = detail.need_id
           where detail.owner_id = organisation and submitted and status in ('published', 'on_hold', 'under_review')))
$$
"""
COLUMNS = ["cluster_id", "source", "external_id"]


def upgrade() -> None:
    op.execute(HAS_OPEN_ENTRIES)
    for table in ("seeds", "needs"):
        op.drop_constraint(op.f(f"uq_{table}_cluster_id_source_external_id"), table)
        op.create_index(
            f"uq_{table}_external_id", table, [*COLUMNS, sa.text("(submitted AND status <> 'draft')")], unique=True
        )


def downgrade() -> None:
    op.execute("drop function has_open_entries(bigint)")
    # Fails where a draft has the id of a submitted entry: which of the two is to keep it is for people to say.
    for table in ("seeds", "needs"):
        op.drop_index(f"uq_{table}_external_id", table_name=table)
        op.create_unique_constraint(op.f(f"uq_{table}_cluster_id_source_external_id"), table, COLUMNS)
