"""first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# The id of the writing transaction orders changes without a lock: rows below the oldest running transaction
# (the snapshot's watermark) are all committed, rows at or above it are scored as fresh.
STAMP = """
create function enmusubi_stamp_change() returns trigger language plpgsql as $$
begin
  new.changed_xid := pg_current_xact_id()::text::bigint;
  return new;
end $$
"""
STAMPED = ("seeds", "needs")


def upgrade() -> None:
    op.create_table(
        "clusters",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clusters")),
        sa.UniqueConstraint("name", name=op.f("uq_clusters_name")),
        sa.UniqueConstraint("public_id", name=op.f("uq_clusters_public_id")),
    )
    op.create_table(
        "organisations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("cluster_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=True),
        sa.Column("name_en_key", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("size_band", sa.Text(), nullable=True),
        sa.Column("ror", sa.Text(), nullable=True),
        sa.Column("corporate_number", sa.Text(), nullable=True),
        sa.Column("withdrawn", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_modified", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "kind IN ('university', 'public_research', 'company', 'core')", name=op.f("ck_organisations_kind")
        ),
        sa.ForeignKeyConstraint(["cluster_id"], ["clusters.id"], name=op.f("fk_organisations_cluster_id_clusters")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisations")),
        sa.UniqueConstraint("cluster_id", "name_key", name=op.f("uq_organisations_cluster_id_name_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_organisations_public_id")),
    )
    op.create_index(
        "uq_organisations_corporate_number",
        "organisations",
        ["cluster_id", "corporate_number"],
        unique=True,
        postgresql_where=sa.text("corporate_number IS NOT NULL"),
    )
    op.create_index(
        "uq_organisations_ror",
        "organisations",
        ["cluster_id", "ror"],
        unique=True,
        postgresql_where=sa.text("ror IS NOT NULL"),
    )
    op.create_table(
        "accounts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("cluster_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "organisation_id IS NOT NULL OR role IN ('coordinator', 'cluster_administrator')",
            name=op.f("ck_accounts_organisation"),
        ),
        sa.CheckConstraint(
            "role IN ('company', 'university', 'coordinator', 'cluster_administrator')",
            name=op.f("ck_accounts_role"),
        ),
        sa.ForeignKeyConstraint(["cluster_id"], ["clusters.id"], name=op.f("fk_accounts_cluster_id_clusters")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_accounts_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("public_id", name=op.f("uq_accounts_public_id")),
    )
    op.create_index(op.f("ix_accounts_cluster_id"), "accounts", ["cluster_id"], unique=False)
    op.create_index(op.f("ix_accounts_organisation_id"), "accounts", ["organisation_id"], unique=False)
    op.create_table(
        "needs",
        sa.Column("expertise_sought", sa.Text(), nullable=True),
        sa.Column("wanted_trl", sa.SmallInteger(), nullable=True),
        sa.Column("cooperation", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("region_preference", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("deadline", sa.Date(), nullable=True),
        sa.Column("anonymous", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("source_digest", sa.LargeBinary(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.Column("translation_title", sa.Text(), nullable=True),
        sa.Column("translation_summary", sa.Text(), nullable=True),
        sa.Column("applications", sa.Text(), nullable=True),
        sa.Column("technology_keywords", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("market_keywords", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("field_codes", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("sdgs", sa.ARRAY(sa.SmallInteger()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("regions", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("open_for_interest", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("submitted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_modified", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("embedding", sa.LargeBinary(), nullable=True),
        sa.Column("embedding_key", sa.LargeBinary(), nullable=True),
        sa.Column("embedding_encoder", sa.Text(), nullable=True),
        sa.Column("changed_xid", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("cluster_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "status IN ('draft', 'under_review', 'published', 'on_hold', 'rejected', 'expired', 'archived', 'withdrawn')",
            name=op.f("ck_needs_status"),
        ),
        sa.CheckConstraint("NOT (anonymous AND organisation_id IS NOT NULL)", name=op.f("ck_needs_anonymous_owner")),
        sa.CheckConstraint("wanted_trl BETWEEN 1 AND 9", name=op.f("ck_needs_wanted_trl")),
        sa.ForeignKeyConstraint(["cluster_id"], ["clusters.id"], name=op.f("fk_needs_cluster_id_clusters")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_needs_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_needs")),
        sa.UniqueConstraint("cluster_id", "source", "external_id", name=op.f("uq_needs_cluster_id_source_external_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_needs_public_id")),
    )
    op.create_index(op.f("ix_needs_changed_xid"), "needs", ["changed_xid"], unique=False)
    op.create_index(op.f("ix_needs_organisation_id"), "needs", ["organisation_id"], unique=False)
    op.create_index("ix_needs_page", "needs", ["cluster_id", "created", "public_id"], unique=False)
    op.create_table(
        "seeds",
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("advantages", sa.Text(), nullable=True),
        sa.Column("open_challenges", sa.Text(), nullable=True),
        sa.Column("expected_partner", sa.Text(), nullable=True),
        sa.Column("trl", sa.SmallInteger(), nullable=True),
        sa.Column("stage", sa.Text(), nullable=True),
        sa.Column("ipr_status", sa.Text(), nullable=True),
        sa.Column("ipr_numbers", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("licensable", sa.Boolean(), nullable=True),
        sa.Column("transferable", sa.Boolean(), nullable=True),
        sa.Column(
            "researchers",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("source_digest", sa.LargeBinary(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.Column("translation_title", sa.Text(), nullable=True),
        sa.Column("translation_summary", sa.Text(), nullable=True),
        sa.Column("applications", sa.Text(), nullable=True),
        sa.Column("technology_keywords", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("market_keywords", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("field_codes", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("sdgs", sa.ARRAY(sa.SmallInteger()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("regions", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("open_for_interest", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("submitted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_modified", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("embedding", sa.LargeBinary(), nullable=True),
        sa.Column("embedding_key", sa.LargeBinary(), nullable=True),
        sa.Column("embedding_encoder", sa.Text(), nullable=True),
        sa.Column("changed_xid", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("cluster_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "status IN ('draft', 'under_review', 'published', 'on_hold', 'rejected', 'expired', 'archived', 'withdrawn')",
            name=op.f("ck_seeds_status"),
        ),
        sa.CheckConstraint("trl BETWEEN 1 AND 9", name=op.f("ck_seeds_trl")),
        sa.ForeignKeyConstraint(["cluster_id"], ["clusters.id"], name=op.f("fk_seeds_cluster_id_clusters")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_seeds_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seeds")),
        sa.UniqueConstraint("cluster_id", "source", "external_id", name=op.f("uq_seeds_cluster_id_source_external_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_seeds_public_id")),
    )
    op.create_index(op.f("ix_seeds_changed_xid"), "seeds", ["changed_xid"], unique=False)
    op.create_index(op.f("ix_seeds_organisation_id"), "seeds", ["organisation_id"], unique=False)
    op.create_index("ix_seeds_page", "seeds", ["cluster_id", "created", "public_id"], unique=False)
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("revoked", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_api_tokens_account_id_accounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("public_id", name=op.f("uq_api_tokens_public_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_tokens_token_hash")),
    )
    op.create_index(op.f("ix_api_tokens_account_id"), "api_tokens", ["account_id"], unique=False)
    op.create_table(
        "idempotent_replies",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_idempotent_replies_account_id_accounts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "key", name=op.f("pk_idempotent_replies")),
    )
    op.create_index(op.f("ix_idempotent_replies_created"), "idempotent_replies", ["created"], unique=False)
    op.create_table(
        "matches",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("need_id", sa.BigInteger(), nullable=False),
        sa.Column("seed_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("parts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("snapshot", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("precision", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("scored", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status IN ('suggested', 'shortlisted', 'introduced', 'accepted', 'declined', 'disclosed', 'meeting', 'negotiation', 'agreement', 'outcome', 'dismissed')",
            name=op.f("ck_matches_status"),
        ),
        sa.ForeignKeyConstraint(["need_id"], ["needs.id"], name=op.f("fk_matches_need_id_needs"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["seed_id"], ["seeds.id"], name=op.f("fk_matches_seed_id_seeds"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_matches")),
        sa.UniqueConstraint("need_id", "seed_id", name=op.f("uq_matches_need_id_seed_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_matches_public_id")),
    )
    op.create_index(op.f("ix_matches_seed_id"), "matches", ["seed_id"], unique=False)
    op.create_table(
        "need_details",
        sa.Column("need_id", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("requirements", sa.Text(), nullable=True),
        sa.Column("constraints", sa.Text(), nullable=True),
        sa.Column("budget_yen", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["need_id"], ["needs.id"], name=op.f("fk_need_details_need_id_needs"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["organisations.id"], name=op.f("fk_need_details_owner_id_organisations")
        ),
        sa.PrimaryKeyConstraint("need_id", name=op.f("pk_need_details")),
    )
    op.create_index(op.f("ix_need_details_owner_id"), "need_details", ["owner_id"], unique=False)
    op.create_table(
        "need_openings",
        sa.Column("need_id", sa.BigInteger(), nullable=False),
        sa.Column("cluster_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["cluster_id"], ["clusters.id"], name=op.f("fk_need_openings_cluster_id_clusters")),
        sa.ForeignKeyConstraint(
            ["need_id"], ["needs.id"], name=op.f("fk_need_openings_need_id_needs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("need_id", "cluster_id", name=op.f("pk_need_openings")),
    )
    op.create_index(op.f("ix_need_openings_cluster_id"), "need_openings", ["cluster_id"], unique=False)
    op.create_table(
        "seed_openings",
        sa.Column("seed_id", sa.BigInteger(), nullable=False),
        sa.Column("cluster_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["cluster_id"], ["clusters.id"], name=op.f("fk_seed_openings_cluster_id_clusters")),
        sa.ForeignKeyConstraint(
            ["seed_id"], ["seeds.id"], name=op.f("fk_seed_openings_seed_id_seeds"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("seed_id", "cluster_id", name=op.f("pk_seed_openings")),
    )
    op.create_index(op.f("ix_seed_openings_cluster_id"), "seed_openings", ["cluster_id"], unique=False)
    op.create_table(
        "need_exclusions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("need_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["need_id"],
            ["need_details.need_id"],
            name=op.f("fk_need_exclusions_need_id_need_details"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_need_exclusions_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_need_exclusions")),
    )
    op.create_index(op.f("ix_need_exclusions_need_id"), "need_exclusions", ["need_id"], unique=False)
    op.create_table(
        "reviews",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("match_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "reason IN ('too_early', 'benefit_unclear', 'commercial_route_unclear', 'description_unclear', 'scientific_concern', 'out_of_scope', 'ip_position', 'capacity', 'internal_project', 'compliance', 'no_answer', 'already_in_contact', 'terms')",
            name=op.f("ck_reviews_reason"),
        ),
        sa.CheckConstraint("verdict <> 'dismiss' OR reason IS NOT NULL", name=op.f("ck_reviews_dismissal_reason")),
        sa.CheckConstraint("verdict IN ('shortlist', 'dismiss')", name=op.f("ck_reviews_verdict")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_reviews_account_id_accounts")),
        sa.ForeignKeyConstraint(
            ["match_id"], ["matches.id"], name=op.f("fk_reviews_match_id_matches"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        sa.UniqueConstraint("public_id", name=op.f("uq_reviews_public_id")),
    )
    op.create_index(op.f("ix_reviews_match_id"), "reviews", ["match_id"], unique=False)
    op.execute(STAMP)
    for table in STAMPED:
        op.execute(
            f"create trigger {table}_stamp_change before insert or update on {table} "
            "for each row execute function enmusubi_stamp_change()"
        )


def downgrade() -> None:
    for table in STAMPED:
        op.execute(f"drop trigger {table}_stamp_change on {table}")
    op.execute("drop function enmusubi_stamp_change()")
    op.drop_index(op.f("ix_reviews_match_id"), table_name="reviews")
    op.drop_table("reviews")
    op.drop_index(op.f("ix_need_exclusions_need_id"), table_name="need_exclusions")
    op.drop_table("need_exclusions")
    op.drop_index(op.f("ix_seed_openings_cluster_id"), table_name="seed_openings")
    op.drop_table("seed_openings")
    op.drop_index(op.f("ix_need_openings_cluster_id"), table_name="need_openings")
    op.drop_table("need_openings")
    op.drop_index(op.f("ix_need_details_owner_id"), table_name="need_details")
    op.drop_table("need_details")
    op.drop_index(op.f("ix_matches_seed_id"), table_name="matches")
    op.drop_table("matches")
    op.drop_index(op.f("ix_idempotent_replies_created"), table_name="idempotent_replies")
    op.drop_table("idempotent_replies")
    op.drop_index(op.f("ix_api_tokens_account_id"), table_name="api_tokens")
    op.drop_table("api_tokens")
    op.drop_index("ix_seeds_page", table_name="seeds")
    op.drop_index(op.f("ix_seeds_organisation_id"), table_name="seeds")
    op.drop_index(op.f("ix_seeds_changed_xid"), table_name="seeds")
    op.drop_table("seeds")
    op.drop_index("ix_needs_page", table_name="needs")
    op.drop_index(op.f("ix_needs_organisation_id"), table_name="needs")
    op.drop_index(op.f("ix_needs_changed_xid"), table_name="needs")
    op.drop_table("needs")
    op.drop_index(op.f("ix_accounts_organisation_id"), table_name="accounts")
    op.drop_index(op.f("ix_accounts_cluster_id"), table_name="accounts")
    op.drop_table("accounts")
    op.drop_index("uq_organisations_ror", table_name="organisations", postgresql_where=sa.text("ror IS NOT NULL"))
    op.drop_index(
        "uq_organisations_corporate_number",
        table_name="organisations",
        postgresql_where=sa.text("corporate_number IS NOT NULL"),
    )
    op.drop_table("organisations")
    op.drop_table("clusters")
