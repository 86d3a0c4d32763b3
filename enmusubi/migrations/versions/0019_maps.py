"""maps of clusters: where entries lie, by meaning."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

SERVICE = "(select caller_role()) = 'service'"
HERE = "cluster_id = (select caller_cluster())"
# A position tells that an entry is there, and what it is about: whoever does not see the entry does not see this.
SEEN = "(exists (select from seeds where seeds.id = seed_id) or exists (select from needs where needs.id = need_id))"

POLICIES = {
    "map_drawings": {"select": f"{SERVICE} or {HERE}"},
    "map_positions": {"select": f"{SERVICE} or ({HERE} and {SEEN})", "delete": SERVICE},
}


def upgrade() -> None:
    op.create_table(
        "map_drawings",
        sa.Column("cluster_id", sa.BigInteger(), nullable=False),
        sa.Column("snapshot", sa.Text(), nullable=False),
        sa.Column("drawn", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["cluster_id"], ["clusters.id"], name=op.f("fk_map_drawings_cluster_id_clusters"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("cluster_id", name=op.f("pk_map_drawings")),
    )
    op.create_table(
        "map_positions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("cluster_id", sa.BigInteger(), nullable=False),
        sa.Column("seed_id", sa.BigInteger(), nullable=True),
        sa.Column("need_id", sa.BigInteger(), nullable=True),
        sa.Column("x", sa.Double(), nullable=False),
        sa.Column("y", sa.Double(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.CheckConstraint("num_nonnulls(seed_id, need_id) = 1", name=op.f("ck_map_positions_entry")),
        sa.ForeignKeyConstraint(
            ["cluster_id"], ["clusters.id"], name=op.f("fk_map_positions_cluster_id_clusters"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["need_id"], ["needs.id"], name=op.f("fk_map_positions_need_id_needs"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["seed_id"], ["seeds.id"], name=op.f("fk_map_positions_seed_id_seeds"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_map_positions")),
        sa.UniqueConstraint("cluster_id", "need_id", name=op.f("uq_map_positions_cluster_id_need_id")),
        sa.UniqueConstraint("cluster_id", "seed_id", name=op.f("uq_map_positions_cluster_id_seed_id")),
    )
    op.create_index(op.f("ix_map_positions_need_id"), "map_positions", ["need_id"])
    op.create_index(op.f("ix_map_positions_seed_id"), "map_positions", ["seed_id"])
    for table, conditions in POLICIES.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy operator on {table} to current_user using (true) with check (true)")
        for command, condition in conditions.items():
            op.execute(f"create policy {command}_rows on {table} for {command} using ({condition})")
        op.execute(f"create policy insert_rows on {table} for insert with check ({SERVICE})")
        op.execute(f"create policy update_rows on {table} for update using ({SERVICE}) with check ({SERVICE})")


def downgrade() -> None:
    op.drop_table("map_positions")
    op.drop_table("map_drawings")
