"""row-level security: what visibility.py says, said once more by the database."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Sub-selects, so that each is computed once a statement and not once a row.
ROLE = "(select caller_role())"
CLUSTER = "(select caller_cluster())"
ORGANISATION = "(select caller_organisation())"
ACCOUNT = "(select caller_account())"

PUBLISHED = "status = 'published' and expires_on >= current_date"
OVERSEES = f"{ROLE} in ('coordinator', 'cluster_administrator', 'auditor')"
COORDINATES = f"{ROLE} = 'coordinator'"
HERE = f"cluster_id = {CLUSTER}"
# A coordinator follows entries through their whole life; what an owner has not submitted yet stays the owner's.
FOLLOWED = "submitted and status <> 'draft'"
# The service's own work, on nobody's behalf: it keeps the index of what was ever submitted, in every cluster.
SERVICE = f"{ROLE} = 'service'"

# What policies ask of tables whose own policies ask back, or which the caller may not read. They answer about the
# caller, or yes or no.
FUNCTIONS = {
    "seeds_opened_here()": (
        "setof bigint",
        "select seed_id from seed_openings where cluster_id = caller_cluster()",
    ),
    "needs_opened_here()": (
        "setof bigint",
        "select need_id from need_openings where cluster_id = caller_cluster()",
    ),
    "own_needs()": (
        "setof bigint",
        "select need_id from need_details where owner_id = caller_organisation()",
    ),
    "handles_need(need bigint)": (
        "boolean",
        "select caller_role() = 'coordinator' and exists (select from needs where id = need "
        f"and cluster_id = caller_cluster() and {FOLLOWED})",
    ),
    # Who stands behind a pseudonym of the record, for those who may read the event.
    "actor_named(pseudonym uuid)": (
        "table (account_id uuid, account_name text)",
        "select accounts.public_id, accounts.name from record_actors join accounts on accounts.id = "
        "record_actors.account_id where record_actors.actor = pseudonym",
    ),
    # How far the record goes.
    "record_head()": (
        "table (sequence bigint, hash bytea)",
        "select sequence, hash from record_events where sequence is not null order by sequence desc limit 1",
    ),
    # What readers learn of the company behind an anonymous need.
    "owners_outlined(needs bigint[])": (
        "table (need_id bigint, kind text, size_band text, region text)",
        "select detail.need_id, owner.kind, owner.size_band, owner.region from need_details as detail "
        "join organisations as owner on owner.id = detail.owner_id join needs as need on need.id = detail.need_id "
        "where need.anonymous and need.submitted and detail.need_id = any (owners_outlined.needs)",
    ),
    "handles_seed(seed bigint)": (
        "boolean",
        "select caller_role() = 'coordinator' and exists (select from seeds where id = seed "
        f"and cluster_id = caller_cluster() and {FOLLOWED})",
    ),
    # Whom a need must not be proposed to: its own organisation, and those it names, by key or by one of their names.
    "excluded_organisations(need bigint)": (
        "setof bigint",
        "select owner_id from need_details where need_id = need and owner_id is not null "
        "union select exclusion.organisation_id from need_exclusions as exclusion "
        "where exclusion.need_id = need and exclusion.organisation_id is not null "
        "union select named.id from need_exclusions as exclusion join organisations as named "
        "on exclusion.name_key = named.name_key or exclusion.name_key = named.name_en_key "
        "where exclusion.need_id = need",
    ),
    # The same from the other side.
    "needs_excluding(organisation bigint)": (
        "setof bigint",
        "select need_id from need_details where owner_id = organisation "
        "union select exclusion.need_id from need_exclusions as exclusion where exclusion.organisation_id = organisation "
        "union select exclusion.need_id from organisations as named join need_exclusions as exclusion "
        "on exclusion.name_key = named.name_key or exclusion.name_key = named.name_en_key "
        "where named.id = organisation",
    ),
    "excludes(need bigint, organisation bigint)": (
        "boolean",
        "select organisation in (select excluded_organisations(need))",
    ),
    # An organisation that a need is to exclude may be one that its company does not see.
    "organisation_of(public uuid)": ("bigint", "select id from organisations where public_id = public"),
    # What the record does not tell those who read all of it: drafts, and what a company did to an anonymous need.
    "veils(entry uuid, by_role text)": (
        "boolean",
        "select exists (select from seeds where public_id = entry and not submitted) "
        "or exists (select from needs where public_id = entry "
        "and (not submitted or (anonymous and by_role = 'company')))",
    ),
}

# What the index of a cluster has to know of entries that a transaction from `watermark` on has changed. Of its own and
# of those opened to it: what they hold, or that they are not published. Of all others the key alone, so that the index
# drops what it still holds of one whose opening was taken back; it keeps no key that it does not hold. On behalf of an
# account, of its own cluster alone.
# Vectors and terms are of public texts; which of them a caller is shown is asked for each ranking.
CHANGED = """
create function changed_{table}(watermark bigint, of_cluster bigint) returns table (
  id bigint, status text, embedding bytea, text_language text, terms text, embedding_encoder text, terms_analysis text,
  changed_xid bigint, oldest_running bigint
) language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select id, case when here then status end, case when shown then embedding end, case when shown then text_language end,
    case when shown then terms end, case when shown then embedding_encoder end,
    case when shown then terms_analysis end, changed_xid, pg_snapshot_xmin(pg_current_snapshot())::text::bigint
  from (select *, here and status = 'published' as shown from (
    select *, cluster_id = of_cluster or id in (select {entry}_id from {entry}_openings where cluster_id = of_cluster)
      as here from {table} where changed_xid >= watermark and submitted
      and of_cluster = coalesce((select caller_cluster()), of_cluster)) as changed) as entries
$$
"""
ENTRIES = ("seed", "need")

READ_SEED = f"""
  ({PUBLISHED} and ({HERE} or id in (select seeds_opened_here())))
  or organisation_id = {ORGANISATION}
  or ({OVERSEES} and {HERE} and {FOLLOWED})
  or ({SERVICE} and submitted)
"""
WRITE_SEED = f"{HERE} and ({COORDINATES} or ({ROLE} = 'university' and organisation_id = {ORGANISATION}))"
READ_NEED = f"""
  ({ROLE} <> 'company' and {PUBLISHED} and ({HERE} or id in (select needs_opened_here()))
   and ({OVERSEES} or id not in (select needs_excluding({ORGANISATION}))))
  or id in (select own_needs())
  or ({OVERSEES} and {HERE} and {FOLLOWED})
  or ({SERVICE} and submitted)
"""
WRITE_NEED = f"{HERE} and ({COORDINATES} or ({ROLE} = 'company' and id in (select own_needs())))"
READ_DETAIL = f"owner_id = {ORGANISATION} or handles_need(need_id)"
WRITE_DETAIL = f"({ROLE} = 'company' and owner_id = {ORGANISATION}) or handles_need(need_id)"
OWN_SEED = f"exists (select from seeds where seeds.id = seed_id and seeds.organisation_id = {ORGANISATION})"
READ_SEED_DETAIL = f"{OWN_SEED} or handles_seed(seed_id)"
WRITE_SEED_DETAIL = f"({ROLE} = 'university' and {OWN_SEED}) or handles_seed(seed_id)"
DETAIL_IS_READ = "exists (select from need_details as detail where detail.need_id = need_exclusions.need_id)"
PAIR_IS_SEEN = f"""
  exists (select from needs where needs.id = need_id) and exists (select from seeds where seeds.id = seed_id)
  and (
    ({OVERSEES} and cluster_id = {CLUSTER})
    or need_id in (select own_needs())
    or (exists (select from seeds where seeds.id = seed_id and seeds.organisation_id = {ORGANISATION})
        and not excludes(need_id, {ORGANISATION}))
  )
"""
RIGHT_CLUSTER = "exists (select from needs where needs.id = need_id and needs.cluster_id = matches.cluster_id)"
REVIEWED_HERE = f"exists (select from matches where matches.id = match_id and matches.cluster_id = {CLUSTER})"


def _entry_is_seen(table: str) -> str:
    return (
        f"exists (select from seeds where seeds.id = {table}.seed_id) or "
        f"exists (select from needs where needs.id = {table}.need_id)"
    )


def _opening(kind: str) -> tuple[str, str, str, str]:
    seen = f"exists (select from {kind}s where {kind}s.id = {kind}_id"
    written = WRITE_SEED if kind == "seed" else WRITE_NEED
    written = written.replace("cluster_id =", f"{kind}s.cluster_id =").replace(" id in", " needs.id in")
    changed = f"{seen} and {written})"
    return (f"{seen})", changed, "", changed)


# Of each table, conditions to read, insert, change (lock and see; leave behind) and delete; empty: nobody may.
POLICIES: dict[str, dict[str, str | tuple[str, str]]] = {
    "seeds": {
        "select": READ_SEED,
        "insert": WRITE_SEED,
        # The service locks what it reads, and changes none of it.
        "update": (f"({WRITE_SEED}) or ({SERVICE} and submitted)", WRITE_SEED),
    },
    "needs": {
        "select": READ_NEED,
        # Whose it is follows with the detail, in the same transaction.
        "insert": f"{HERE} and {ROLE} in ('company', 'coordinator')",
        "update": (f"({WRITE_NEED}) or ({SERVICE} and submitted)", WRITE_NEED),
    },
    "need_details": {
        "select": READ_DETAIL,
        "insert": WRITE_DETAIL,
        "update": (WRITE_DETAIL, WRITE_DETAIL),
    },
    "seed_details": {
        "select": READ_SEED_DETAIL,
        "insert": WRITE_SEED_DETAIL,
        "update": (WRITE_SEED_DETAIL, WRITE_SEED_DETAIL),
        "delete": WRITE_SEED_DETAIL,
    },
    "need_exclusions": {
        "select": DETAIL_IS_READ,
        "insert": f"{DETAIL_IS_READ} and {ROLE} in ('company', 'coordinator')",
        "delete": f"{DETAIL_IS_READ} and {ROLE} in ('company', 'coordinator')",
    },
    "passages": {
        "select": f"{SERVICE} or {_entry_is_seen('passages')}",
        "insert": SERVICE,
        "update": (SERVICE, SERVICE),
        # Who changes a text takes its vectors away.
        "delete": (
            f"exists (select from seeds where seeds.id = seed_id and seeds.{WRITE_SEED}) or "
            f"exists (select from needs where needs.id = need_id and needs.{WRITE_NEED.replace(' id in', ' needs.id in')})"
        ),
    },
    "matches": {
        "select": PAIR_IS_SEEN,
        "insert": f"{RIGHT_CLUSTER} and {ROLE} <> 'auditor' and ({PAIR_IS_SEEN})",
        "update": (f"{ROLE} <> 'auditor' and ({PAIR_IS_SEEN})", f"{RIGHT_CLUSTER} and ({PAIR_IS_SEEN})"),
    },
    "reviews": {
        "select": f"{OVERSEES} and {REVIEWED_HERE}",
        "insert": f"{COORDINATES} and account_id = {ACCOUNT} and {REVIEWED_HERE}",
    },
    "idempotent_replies": {
        "select": f"account_id = {ACCOUNT}",
        "insert": f"account_id = {ACCOUNT}",
        "update": (f"account_id = {ACCOUNT}", f"account_id = {ACCOUNT}"),
    },
    "organisations": {
        # A company is seen by who handles its cluster, by itself, and where an entry that is seen names it.
        "select": (
            f"id = {ORGANISATION} or ({HERE} and ({OVERSEES} or kind <> 'company')) "
            f"or exists (select from seeds where seeds.organisation_id = organisations.id and {PUBLISHED}) "
            f"or ({ROLE} <> 'company' and "
            f"exists (select from needs where needs.organisation_id = organisations.id and {PUBLISHED}))"
        ),
        "insert": f"{HERE} and {ROLE} in ('coordinator', 'cluster_administrator')",
        "update": (
            f"{HERE} and {ROLE} in ('coordinator', 'cluster_administrator')",
            f"{HERE} and {ROLE} in ('coordinator', 'cluster_administrator')",
        ),
    },
}
# Who signs in, with what, and what is recorded.
OWN_ACCOUNT = f"account_id = {ACCOUNT}"
ADMINISTERS = f"{ROLE} = 'cluster_administrator'"
ADMINISTERED = f"({ADMINISTERS} and exists (select from accounts where accounts.id = account_id and accounts.{HERE}))"
INVITES = f"{HERE} and {ROLE} in ('coordinator', 'cluster_administrator')"
OWN_OR_ADMINISTERED = f"{OWN_ACCOUNT} or {ADMINISTERED}"
CLUSTERS_ID = "(select public_id from clusters where id = caller_cluster())"
POLICIES |= {
    "accounts": {
        "select": f"id = {ACCOUNT} or ({HERE} and ({OVERSEES} or organisation_id = {ORGANISATION}))",
        "update": (f"id = {ACCOUNT} or ({HERE} and {ADMINISTERS})", f"id = {ACCOUNT} or ({HERE} and {ADMINISTERS})"),
    },
    "api_tokens": {
        "select": OWN_OR_ADMINISTERED,
        "insert": OWN_ACCOUNT,
        "update": (OWN_OR_ADMINISTERED, OWN_OR_ADMINISTERED),
    },
    "sessions": {
        "select": OWN_OR_ADMINISTERED,
        "insert": OWN_ACCOUNT,
        "update": (OWN_OR_ADMINISTERED, OWN_OR_ADMINISTERED),
        "delete": OWN_ACCOUNT,
    },
    "invitations": {"select": INVITES, "insert": INVITES, "update": (INVITES, INVITES)},
    # Reached by functions alone.
    "password_resets": {},
    "oidc_sign_ins": {},
    "throttles": {},
    # The pseudonyms of those whose accounts the caller sees.
    "record_actors": {"select": "exists (select from accounts where accounts.id = account_id)"},
    "record_events": {
        # Auditors read their cluster's; of a confidential part, who may read it reads who did.
        "select": (
            f"({ROLE} in ('auditor', 'cluster_administrator') and (cluster is null or cluster = {CLUSTERS_ID}) "
            "and not (kind in ('seed', 'need') and veils(object, role))) "
            "or (action = 'viewed' and kind = 'need' and exists (select from needs join need_details as detail "
            "on detail.need_id = needs.id where needs.public_id = record_events.object)) "
            "or (action = 'viewed' and kind = 'seed' and exists (select from seeds where "
            f"seeds.public_id = record_events.object and "
            f"(seeds.organisation_id = {ORGANISATION} or handles_seed(seeds.id))))"
        ),
        "insert": f"cluster = {CLUSTERS_ID} and role = {ROLE}",
    },
}
for _kind in ("seed", "need"):
    _read, _insert, _, _delete = _opening(_kind)
    POLICIES[f"{_kind}_openings"] = {"select": _read, "insert": _insert, "delete": _delete}

END_SESSION = (
    "create function end_session(presented bytea) returns void language sql security definer "
    "set search_path = pg_catalog, public, pg_temp "
    "begin atomic update sessions set revoked = now() where token_hash = presented and revoked is null; end"
)
FORGET = (
    "create function forget_old_replies(age interval) returns void language sql security definer "
    "set search_path = pg_catalog, public, pg_temp "
    "begin atomic delete from idempotent_replies where created < now() - age; end"
)


def upgrade() -> None:
    op.add_column("matches", sa.Column("cluster_id", sa.BigInteger(), nullable=True))
    op.execute("update matches set cluster_id = needs.cluster_id from needs where needs.id = matches.need_id")
    op.alter_column("matches", "cluster_id", nullable=False)
    op.create_foreign_key(op.f("fk_matches_cluster_id_clusters"), "matches", "clusters", ["cluster_id"], ["id"])
    op.create_index(op.f("ix_matches_cluster_id"), "matches", ["cluster_id"])
    op.add_column("matches", sa.Column("ranked_in", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_matches_ranked_in_clusters"), "matches", "clusters", ["ranked_in"], ["id"])
    op.create_table(
        "seed_details",
        sa.Column("seed_id", sa.BigInteger(), nullable=False),
        sa.Column("unpublished", sa.Text(), nullable=True),
        sa.Column("filing_expected_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["seed_id"], ["seeds.id"], name=op.f("fk_seed_details_seed_id_seeds"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("seed_id", name=op.f("pk_seed_details")),
    )
    for signature, (returned, body) in FUNCTIONS.items():
        op.execute(
            f"create function {signature} returns {returned} language sql stable security definer "
            f"set search_path = pg_catalog, public, pg_temp as $$ {body} $$"
        )
    for entry in ENTRIES:
        op.execute(CHANGED.format(entry=entry, table=f"{entry}s"))
    op.execute(FORGET)
    op.execute(END_SESSION)
    for table, conditions in POLICIES.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        # The owner of the tables: migrations, and the commands of whoever runs the server.
        op.execute(f"create policy operator on {table} to current_user using (true) with check (true)")
        for command, condition in conditions.items():
            op.execute(f"create policy {command}_rows on {table} for {command} {_clauses(command, condition)}")


def _clauses(command: str, condition: str | tuple[str, str]) -> str:
    if isinstance(condition, tuple):
        return f"using ({condition[0]}) with check ({condition[1]})"
    return f"with check ({condition})" if command == "insert" else f"using ({condition})"


# What the older form has no room for is not thrown away without a word.
KEPT = """
do $$ begin
  if exists (select from seed_details) then
    raise exception 'seeds have unpublished parts, which the older form cannot hold: take them out first';
  end if;
end $$
"""


def downgrade() -> None:
    op.execute(KEPT)
    for table, conditions in POLICIES.items():
        for command in (*(f"{name}_rows" for name in conditions), "operator"):
            op.execute(f"drop policy {command} on {table}")
        op.execute(f"alter table {table} no force row level security")
        op.execute(f"alter table {table} disable row level security")
    op.execute("drop function forget_old_replies(interval)")
    op.execute("drop function end_session(bytea)")
    for entry in ENTRIES:
        op.execute(f"drop function changed_{entry}s(bigint, bigint)")
    for signature in reversed(FUNCTIONS):
        op.execute(f"drop function {signature.split('(')[0]}")
    op.drop_table("seed_details")
    op.drop_constraint(op.f("fk_matches_ranked_in_clusters"), "matches")
    op.drop_column("matches", "ranked_in")
    op.drop_index(op.f("ix_matches_cluster_id"), table_name="matches")
    op.drop_constraint(op.f("fk_matches_cluster_id_clusters"), "matches")
    op.drop_column("matches", "cluster_id")
