"""people sign in: passwords, OpenID Connect, invitations, resets, sessions, scopes of tokens, throttles."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ROLES = "role IN ('company', 'university', 'coordinator', 'cluster_administrator', 'auditor')"
LANGUAGES = "language IN ('ja', 'en')"
NO_ORGANISATION = "organisation_id IS NULL OR role NOT IN ('cluster_administrator', 'auditor')"
SCOPES = "scopes <@ ARRAY['read', 'write', 'review', 'administer']"

# What is asked before it is known who asks runs with the rights of the tables' owner: each function answers one
# question about one secret, whose hash the caller must already hold. pg_temp last: nobody's table stands in for ours.
AS_OWNER = "security definer set search_path = pg_catalog, public, pg_temp"

FUNCTIONS = (
    f"""
create function caller_of_token(hash bytea)
returns table (
  account bigint, account_public_id uuid, cluster bigint, organisation bigint, role text,
  credential bigint, scopes text[], due boolean
) language plpgsql stable rows 1 {AS_OWNER} as $$
#variable_conflict use_column
begin
  return query
  select a.id, a.public_id, a.cluster_id, a.organisation_id, a.role, t.id, t.scopes,
    coalesce(t.last_used < now() - interval '1 minute', true)
  from api_tokens t join accounts a on a.id = t.account_id
  where t.token_hash = hash and t.revoked is null and (t.expires is null or t.expires > now()) and a.active;
end $$
""",
    f"""
create function caller_of_session(hash bytea, idle interval)
returns table (
  account bigint, account_public_id uuid, cluster bigint, organisation bigint, role text,
  credential bigint, confirmed double precision, due boolean
) language plpgsql stable rows 1 {AS_OWNER} as $$
#variable_conflict use_column
begin
  return query
  select a.id, a.public_id, a.cluster_id, a.organisation_id, a.role, s.id,
    extract(epoch from now() - s.confirmed)::double precision, s.last_seen < now() - interval '1 minute'
  from sessions s join accounts a on a.id = s.account_id
  where s.token_hash = hash and s.revoked is null and s.expires > now() and s.last_seen > now() - idle and a.active;
end $$
""",
    f"""
create function account_of_email(key text) returns setof accounts language sql stable rows 1 {AS_OWNER}
as $$ select * from accounts where email_key = key and active $$
""",
    f"""
create function account_of_subject(issuer text, subject text) returns setof accounts language sql stable rows 1 {AS_OWNER}
as $$ select * from accounts where oidc_issuer = issuer and oidc_subject = subject and active $$
""",
    f"""
create function open_invitation(hash bytea)
returns table (email text, name text, role text, language text, expires timestamptz, cluster text, organisation text)
language sql stable rows 1 {AS_OWNER} as $$
  select i.email, i.name, i.role, i.language, i.expires, c.name, o.name
  from invitations i join clusters c on c.id = i.cluster_id left join organisations o on o.id = i.organisation_id
  where i.token_hash = hash and i.accepted is null and i.withdrawn is null and i.expires > now()
$$
""",
    # By the hash of the link's token, or by an address that an identity provider has verified.
    f"""
create function accept_invitation(
  hash bytea, key text, made_id uuid, chosen_name text, chosen_language text, chosen_password text,
  issuer text, subject text
) returns setof accounts language plpgsql {AS_OWNER} as $$
declare
  taken invitations;
  made accounts;
begin
  select * into taken from invitations
  where (token_hash = hash or (hash is null and email_key = key))
    and accepted is null and withdrawn is null and expires > now()
  order by created desc, id desc limit 1 for update;
  if taken.id is null then
    return;
  end if;
  -- Which cluster is meant is the person's to say, by a letter's link; not that of whoever invited last.
  if hash is null and exists (
    select from invitations where email_key = key and cluster_id <> taken.cluster_id
      and accepted is null and withdrawn is null and expires > now()
  ) then
    raise cardinality_violation using message = 'invitations of several clusters';
  end if;
  -- In whatever cluster, active or not. With its own words, which hold no address: the server logs them.
  if exists (select from accounts where email_key = taken.email_key) then
    raise unique_violation using message = 'the address has an account', constraint = 'uq_accounts_email_key';
  end if;
  update invitations set accepted = now() where id = taken.id;
  insert into accounts (
    public_id, cluster_id, organisation_id, name, role, email, email_key, language, password_hash, oidc_issuer, oidc_subject
  ) values (
    made_id, taken.cluster_id, taken.organisation_id, coalesce(chosen_name, taken.name, taken.email), taken.role,
    taken.email, taken.email_key, coalesce(chosen_language, taken.language), chosen_password, issuer, subject
  ) returning * into made;
  update invitations set account_id = made.id where id = taken.id;
  -- Others of the cluster are done with; another cluster's are its own.
  update invitations set withdrawn = now()
  where email_key = taken.email_key and cluster_id = taken.cluster_id and accepted is null and withdrawn is null;
  return next made;
end $$
""",
    # The same work whether or not the address is known: a row is written either way.
    f"""
create function begin_reset(key text, hash bytea, lifetime interval)
returns table (email text, name text, language text) language plpgsql rows 1 {AS_OWNER} as $$
#variable_conflict use_column
declare
  known accounts;
begin
  select * into known from accounts where email_key = key and active;
  delete from password_resets where expires < now();
  insert into password_resets (account_id, token_hash, expires) values (known.id, hash, now() + lifetime);
  -- A stranger who asks takes nobody's link away: the last five work.
  delete from password_resets where id in (
    select id from password_resets where account_id = known.id order by id desc offset 5
  );
  return query select known.email, known.name, known.language where known.id is not null;
end $$
""",
    f"""
create function open_reset(hash bytea) returns setof accounts language sql stable rows 1 {AS_OWNER} as $$
  select a.* from password_resets r join accounts a on a.id = r.account_id
  where r.token_hash = hash and r.used is null and r.expires > now() and a.active
$$
""",
    f"""
create function accept_reset(hash bytea, chosen_password text) returns setof accounts language plpgsql {AS_OWNER} as $$
declare
  changed bigint;
begin
  update password_resets set used = now()
  where token_hash = hash and used is null and expires > now() and account_id is not null
  returning account_id into changed;
  update password_resets set used = now() where account_id = changed and used is null;
  -- First the account, which a sign-in under way holds: the session that it opens is ended with the others.
  return query update accounts set password_hash = chosen_password where id = changed and active returning *;
  update sessions set revoked = now() where account_id = changed and revoked is null;
end $$
""",
    f"""
create function begin_oidc(state bytea, browser bytea, expected_nonce text, code_verifier text, confirming boolean,
  lifetime interval) returns void language sql {AS_OWNER} as $$
  delete from oidc_sign_ins where expires < now();
  insert into oidc_sign_ins (state_hash, browser_hash, nonce, verifier, confirms, expires)
  values (state, browser, expected_nonce, code_verifier, confirming, now() + lifetime)
$$
""",
    f"""
create function end_oidc(state bytea) returns setof oidc_sign_ins language sql {AS_OWNER}
as $$ delete from oidc_sign_ins where state_hash = state and expires > now() returning * $$
""",
    # The generic cell rate algorithm: `until` is when the bucket will be empty again.
    f"""
create function throttle_take(bucket bytea, burst integer, every interval) returns interval
language plpgsql {AS_OWNER} as $$
declare
  arrived timestamptz := clock_timestamp();
  emptied timestamptz;
begin
  delete from throttles where key in (
    select key from throttles where changed < arrived - interval '2 days' limit 20 for update skip locked
  );
  insert into throttles as t (key, failures, until, changed) values (bucket, 0, arrived + every, arrived)
  on conflict (key) do update set until = greatest(t.until, arrived) + every, changed = arrived
  where greatest(t.until, arrived) + every <= arrived + burst * every
  returning until into emptied;
  if emptied is not null then
    return interval '0';
  end if;
  select until into emptied from throttles where key = bucket;
  return emptied + every - burst * every - arrived;
end $$
""",
    # Counts an attempt before it is known whether it fails, so that many at once do not all get through.
    f"""
create function lockout_attempt(bucket bytea, free integer, shortest interval, longest interval) returns interval
language plpgsql {AS_OWNER} as $$
declare
  arrived timestamptz := clock_timestamp();
  counted integer;
  opens timestamptz;
begin
  insert into throttles as t (key, failures, until, changed) values (bucket, 1, arrived, arrived)
  on conflict (key) do update set
    failures = case when t.changed < arrived - interval '1 day' then 1 else t.failures + 1 end, changed = arrived
  where t.until <= arrived
  returning failures into counted;
  if counted is null then
    select until into opens from throttles where key = bucket;
    return greatest(opens - arrived, interval '1 second');
  end if;
  if counted >= free then
    update throttles set until = arrived + least(longest, shortest * power(2, least(counted - free, 20)))
    where key = bucket;
  end if;
  return interval '0';
end $$
""",
    f"""
create function lockout_forget(bucket bytea) returns void language sql {AS_OWNER}
as $$ delete from throttles where key = bucket $$
""",
    # Of a trigger, so that the service deletes no invitation but these.
    f"""
create function forget_ended_invitations() returns trigger language plpgsql {AS_OWNER} as $$
begin
  delete from invitations where least(accepted, withdrawn, expires) < now() - interval '30 days';
  return null;
end $$
""",
    """
create trigger forget_ended_invitations after insert on invitations
for each statement execute function forget_ended_invitations()
""",
)
SIGNATURES = (
    "lockout_forget(bytea)",
    "lockout_attempt(bytea, integer, interval, interval)",
    "throttle_take(bytea, integer, interval)",
    "end_oidc(bytea)",
    "begin_oidc(bytea, bytea, text, text, boolean, interval)",
    "accept_reset(bytea, text)",
    "open_reset(bytea)",
    "begin_reset(text, bytea, interval)",
    "accept_invitation(bytea, text, uuid, text, text, text, text, text)",
    "open_invitation(bytea)",
    "account_of_subject(text, text)",
    "account_of_email(text)",
    "caller_of_session(bytea, interval)",
    "caller_of_token(bytea)",
)


def _moment(name: str, *, now: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=not now)


def _key() -> sa.Column[object]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


def upgrade() -> None:
    # What their organisation owns would be their own, confidential parts and all; the other accounts of it remain.
    op.execute("update accounts set organisation_id = null where role in ('cluster_administrator', 'auditor')")
    op.create_check_constraint(op.f("ck_accounts_no_organisation"), "accounts", NO_ORGANISATION)
    op.create_unique_constraint(op.f("uq_organisations_cluster_id_id"), "organisations", ["cluster_id", "id"])
    op.drop_constraint(op.f("fk_accounts_organisation_id_organisations"), "accounts")
    op.create_foreign_key(
        op.f("fk_accounts_cluster_id_organisation_id_organisations"),
        "accounts", "organisations", ["cluster_id", "organisation_id"], ["cluster_id", "id"],
    )  # fmt: skip
    for name in ("email", "email_key", "password_hash", "oidc_issuer", "oidc_subject"):
        op.add_column("accounts", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("accounts", sa.Column("language", sa.Text(), server_default=sa.text("'ja'"), nullable=False))
    op.create_check_constraint(op.f("ck_accounts_language"), "accounts", LANGUAGES)
    op.create_check_constraint(op.f("ck_accounts_oidc"), "accounts", "num_nulls(oidc_issuer, oidc_subject) IN (0, 2)")
    op.create_unique_constraint(op.f("uq_accounts_email_key"), "accounts", ["email_key"])
    op.create_unique_constraint(
        op.f("uq_accounts_oidc_issuer_oidc_subject"), "accounts", ["oidc_issuer", "oidc_subject"]
    )

    everything = sa.text("'{read,write,review,administer}'")  # what the tokens there are could do so far
    op.add_column("api_tokens", sa.Column("name", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("api_tokens", sa.Column("scopes", sa.ARRAY(sa.Text()), server_default=everything, nullable=False))
    op.add_column("api_tokens", _moment("expires"))
    op.add_column("api_tokens", _moment("last_used"))
    op.create_check_constraint(op.f("ck_api_tokens_scopes"), "api_tokens", SCOPES)

    op.create_table(
        "invitations",
        _key(),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("cluster_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("invited_by_id", sa.BigInteger(), nullable=True),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        _moment("created", now=True),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        _moment("accepted"),
        _moment("withdrawn"),
        sa.CheckConstraint(ROLES, name=op.f("ck_invitations_role")),
        sa.CheckConstraint(LANGUAGES, name=op.f("ck_invitations_language")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_invitations_account_id_accounts")),
        sa.ForeignKeyConstraint(["cluster_id"], ["clusters.id"], name=op.f("fk_invitations_cluster_id_clusters")),
        sa.ForeignKeyConstraint(["invited_by_id"], ["accounts.id"], name=op.f("fk_invitations_invited_by_id_accounts")),
        sa.CheckConstraint(NO_ORGANISATION, name=op.f("ck_invitations_no_organisation")),
        sa.ForeignKeyConstraint(
            ["cluster_id", "organisation_id"],
            ["organisations.cluster_id", "organisations.id"],
            name=op.f("fk_invitations_cluster_id_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("public_id", name=op.f("uq_invitations_public_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitations_token_hash")),
    )
    op.create_index(op.f("ix_invitations_cluster_id"), "invitations", ["cluster_id"])
    op.create_index(op.f("ix_invitations_email_key"), "invitations", ["email_key"])
    op.create_table(
        "password_resets",
        _key(),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        _moment("created", now=True),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        _moment("used"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_password_resets_account_id_accounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_password_resets")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_password_resets_token_hash")),
    )
    op.create_index(op.f("ix_password_resets_account_id"), "password_resets", ["account_id"])
    op.create_index(op.f("ix_password_resets_expires"), "password_resets", ["expires"])
    op.create_table(
        "sessions",
        _key(),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        _moment("created", now=True),
        _moment("last_seen", now=True),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        _moment("confirmed"),
        _moment("revoked"),
        sa.CheckConstraint("method IN ('password', 'oidc')", name=op.f("ck_sessions_method")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_sessions_account_id_accounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("public_id", name=op.f("uq_sessions_public_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sessions_token_hash")),
    )
    op.create_index(op.f("ix_sessions_account_id"), "sessions", ["account_id"])
    op.create_table(
        "oidc_sign_ins",
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("confirms", sa.Boolean(), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_oidc_sign_ins")),
    )
    op.create_index(op.f("ix_oidc_sign_ins_expires"), "oidc_sign_ins", ["expires"])
    op.create_table(
        "throttles",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_throttles")),
    )
    op.create_index(op.f("ix_throttles_changed"), "throttles", ["changed"])
    for function in FUNCTIONS:
        op.execute(function)


def downgrade() -> None:
    for signature in SIGNATURES:
        op.execute(f"drop function {signature}")
    for table in ("throttles", "oidc_sign_ins", "sessions", "password_resets", "invitations"):
        op.drop_table(table)
    op.execute("drop function forget_ended_invitations()")
    op.drop_constraint(op.f("ck_api_tokens_scopes"), "api_tokens")
    for column in ("last_used", "expires", "scopes", "name"):
        op.drop_column("api_tokens", column)
    op.drop_constraint(op.f("uq_accounts_oidc_issuer_oidc_subject"), "accounts")
    op.drop_constraint(op.f("uq_accounts_email_key"), "accounts")
    op.drop_constraint(op.f("ck_accounts_oidc"), "accounts")
    op.drop_constraint(op.f("ck_accounts_language"), "accounts")
    for column in ("language", "oidc_subject", "oidc_issuer", "password_hash", "email_key", "email"):
        op.drop_column("accounts", column)
    op.drop_constraint(op.f("fk_accounts_cluster_id_organisation_id_organisations"), "accounts")
    op.create_foreign_key(
        op.f("fk_accounts_organisation_id_organisations"), "accounts", "organisations", ["organisation_id"], ["id"]
    )
    op.drop_constraint(op.f("uq_organisations_cluster_id_id"), "organisations")
    op.drop_constraint(op.f("ck_accounts_no_organisation"), "accounts")
