"""review queue: views of it that people keep, and indexes by which its pages are found."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# What somebody keeps for themselves is nobody else's to read.
OWN = "account_id = (select caller_account())"


def upgrade() -> None:
    op.create_table(
        "queue_views",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("filters", postgresql.JSONB(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_queue_views_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue_views")),
        sa.UniqueConstraint("public_id", name=op.f("uq_queue_views_public_id")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_queue_views_account_id_name")),
    )
    op.execute("alter table queue_views enable row level security")
    op.execute("alter table queue_views force row level security")
    op.execute("create policy operator on queue_views to current_user using (true) with check (true)")
    op.execute(f"create policy select_rows on queue_views for select using ({OWN})")
    op.execute(f"create policy insert_rows on queue_views for insert with check ({OWN})")
    op.execute(f"create policy update_rows on queue_views for update using ({OWN}) with check ({OWN})")
    op.execute(f"create policy delete_rows on queue_views for delete using ({OWN})")
    op.create_index("ix_matches_best", "matches", ["need_id", "score", "public_id"])


def downgrade() -> None:
    op.drop_index("ix_matches_best", table_name="matches")
    op.drop_table("queue_views")
