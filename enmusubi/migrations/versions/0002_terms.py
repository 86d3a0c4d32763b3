"""terms of entries, weighed and calibrated matches, what is fitted to reviews, vectors of passages."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ENTRIES = ("seeds", "needs")


def upgrade() -> None:
    for table in ENTRIES:
        op.add_column(table, sa.Column("terms", sa.Text(), nullable=True))
        op.add_column(table, sa.Column("terms_analysis", sa.Text(), nullable=True))
        op.add_column(table, sa.Column("text_language", sa.Text(), nullable=True))
    op.add_column("needs", sa.Column("embedding_parts", sa.LargeBinary(), nullable=True))
    for column in ("need_version", "seed_version"):
        op.add_column("matches", sa.Column(column, sa.Integer(), nullable=True))
    op.add_column("matches", sa.Column("fresh", sa.Boolean(), nullable=True))
    for column in ("probability", "probability_low", "probability_high"):
        op.add_column("matches", sa.Column(column, sa.Double(), nullable=True))
    op.add_column("matches", sa.Column("calibration", sa.Text(), nullable=True))
    # What was stored so far was asked by needs, or cannot be told.
    op.add_column("matches", sa.Column("asking", sa.Text(), server_default=sa.text("'need'"), nullable=False))
    op.create_check_constraint(op.f("ck_matches_asking"), "matches", "asking IN ('need', 'seed')")
    op.create_table(
        "fittings",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("in_use", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('policy', 'calibration')", name=op.f("ck_fittings_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fittings")),
        sa.UniqueConstraint("name", name=op.f("uq_fittings_name")),
    )
    op.create_index("ix_fittings_in_use", "fittings", ["kind"], unique=True, postgresql_where=sa.text("in_use"))
    op.create_table(
        "passages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("seed_id", sa.BigInteger(), nullable=True),
        sa.Column("need_id", sa.BigInteger(), nullable=True),
        sa.Column("entry_version", sa.Integer(), nullable=False),
        sa.Column("made_with", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("num_nonnulls(seed_id, need_id) = 1", name=op.f("ck_passages_entry")),
        sa.ForeignKeyConstraint(["need_id"], ["needs.id"], name=op.f("fk_passages_need_id_needs"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["seed_id"], ["seeds.id"], name=op.f("fk_passages_seed_id_seeds"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passages")),
        sa.UniqueConstraint("need_id", name=op.f("uq_passages_need_id")),
        sa.UniqueConstraint("seed_id", name=op.f("uq_passages_seed_id")),
    )
    # What ranked so far had one part, and weighed it as it was.
    op.execute(
        "update matches set parts = coalesce((select jsonb_object_agg(key, jsonb_build_object("
        "'value', value, 'weight', 1, 'estimated', false)) from jsonb_each(parts)), '{}')"
    )


def downgrade() -> None:
    op.execute(
        "update matches set parts = coalesce((select jsonb_object_agg(key, value -> 'value') from jsonb_each(parts)), '{}')"
    )
    op.drop_table("passages")
    op.drop_table("fittings")
    op.drop_constraint(op.f("ck_matches_asking"), "matches")
    for column in (
        "asking", "calibration", "probability_high", "probability_low", "probability", "fresh", "seed_version", "need_version",
    ):  # fmt: skip
        op.drop_column("matches", column)
    op.drop_column("needs", "embedding_parts")
    for table in ENTRIES:
        op.drop_column(table, "text_language")
        op.drop_column(table, "terms_analysis")
        op.drop_column(table, "terms")
