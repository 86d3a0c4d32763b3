"""external ids are unique among what others than the owner may see, and among what they may not."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

COLUMNS = ["cluster_id", "source", "external_id"]


def upgrade() -> None:
    for table in ("seeds", "needs"):
        op.drop_constraint(op.f(f"uq_{table}_cluster_id_source_external_id"), table)
        op.create_index(
            f"uq_{table}_external_id", table, [*COLUMNS, sa.text("(submitted AND status <> 'draft')")], unique=True
        )


def downgrade() -> None:
    # Fails where a draft has the id of a submitted entry: which of the two is to keep it is for people to say.
    for table in ("seeds", "needs"):
        op.drop_index(f"uq_{table}_external_id", table_name=table)
        op.create_unique_constraint(op.f(f"uq_{table}_cluster_id_source_external_id"), table, COLUMNS)
