"""Who may log in to the embedded server, and with what password: three roles, and a file for each.

Passwords are set while the server is stopped, by PostgreSQL's mode for one user, which no connection can reach.
So at no moment is there a server that lets in somebody without a password, and lost files are simply made anew.
"""

import hashlib
import os
from pathlib import Path
from typing import Final

from enmusubi.app import secret_files
from enmusubi.app.embedded import account, programs
from enmusubi.app.errors import ConfigurationError

SUPERUSER: Final = "postgres"
OWNER: Final = "enmusubi"
SERVICE: Final = "enmusubi_service"
DATABASE: Final = "postgres"
"""As folders of earlier versions have it: a renamed database would be one more thing to be killed in the midst of."""

FILES: Final = {SUPERUSER: "database-superuser", OWNER: "database-owner", SERVICE: "database-service"}

_MARK = "enmusubi.roles"
_VERSION = "1"  # of the statements below: another one has them run at the next start

_RULES = """\
# Written by Enmusubi at each start of the server: every role, from everywhere, needs its password.
local all all scram-sha-256
host all all all scram-sha-256
"""

_PLAIN = "nosuperuser nobypassrls nocreatedb nocreaterole noreplication inherit login"

# What a former version made belongs to the superuser. REASSIGN OWNED refuses that role, for what the server itself
# needs; a sequence of a column goes with its table.
_HAND_OVER = f"""\
do $$ declare one record; begin
for one in select oid::regclass as name from pg_class
  where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm') and relowner <> '{OWNER}'::regrole
loop execute format('alter table %s owner to {OWNER}', one.name); end loop;
for one in select oid::regclass as name from pg_class s
  where relnamespace = 'public'::regnamespace and relkind = 'S' and relowner <> '{OWNER}'::regrole and not exists
  (select from pg_depend where classid = 'pg_class'::regclass and objid = s.oid and deptype in ('a', 'i'))
loop execute format('alter sequence %s owner to {OWNER}', one.name); end loop;
for one in select oid::regprocedure as name from pg_proc
  where pronamespace = 'public'::regnamespace and proowner <> '{OWNER}'::regrole
loop execute format('alter routine %s owner to {OWNER}', one.name); end loop;
for one in select oid::regtype as name from pg_type t
  where typnamespace = 'public'::regnamespace and typowner <> '{OWNER}'::regrole and (typtype in ('e', 'd', 'r')
  or (typtype = 'c' and exists (select from pg_class where pg_class.oid = t.typrelid and relkind = 'c')))
loop execute format('alter type %s owner to {OWNER}', one.name); end loop;
end $$"""  # noqa: S608 its only words are constants


def passwords(home: Path) -> dict[str, str]:
    """The password of each role; made where there is none yet."""
    folder = secret_files.folder_of(home)
    return {role: secret_files.read_or_make(folder / name) for role, name in FILES.items()}


def are_set(data: Path, home: Path) -> bool:
    """Whether the folder's roles have been given the passwords that the files hold."""
    folder = secret_files.folder_of(home)
    known = {role: secret_files.read(folder / name) for role, name in FILES.items()}
    found = {role: secret for role, secret in known.items() if secret is not None}
    try:
        mark = (data / _MARK).read_text(encoding="ascii").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return False
    return found.keys() == FILES.keys() and mark == _digest(found)


def close(data: Path) -> None:
    """Have every connection ask for a password, and nobody but the server's account enter the folder."""
    data.chmod(0o700)
    rules = data / "pg_hba.conf"
    if rules.read_text(encoding="utf-8") != _RULES:
        _write(rules, _RULES)


def give_passwords(data: Path, home: Path) -> None:
    """Make the roles of a stopped server, hand the tables to their owner, and note that it is done.

    Whoever is killed meanwhile has done some of it; the next start does it all again.
    """
    secrets = passwords(home)
    programs.run_alone(data, DATABASE, statements(secrets))
    _write(data / _MARK, _digest(secrets) + "\n")


def statements(secrets: dict[str, str]) -> list[str]:
    """What makes the roles and hands over the tables; each may be repeated, and the whole begun again at any place."""
    quoted = {role: "'" + secret.replace("'", "''") + "'" for role, secret in secrets.items()}
    roles = [f"alter role {SUPERUSER} password {quoted[SUPERUSER]}"]
    for role in (OWNER, SERVICE):
        roles += [
            f"do $$ begin if to_regrole('{role}') is null then create role {role}; end if; end $$",
            f"alter role {role} {_PLAIN} password {quoted[role]}",
        ]
    return [
        *roles,
        # The owner may take the service's part, which tests and checks do; it inherits nothing from it.
        f"grant {SERVICE} to {OWNER} with inherit false, set true",
        f"alter database {DATABASE} owner to {OWNER}",
        f"revoke all on database {DATABASE} from public",
        "revoke all on database template1 from public",
        f"grant connect on database {DATABASE} to {SERVICE}",
        "revoke create on schema public from public",
        _HAND_OVER,
    ]


def trusting_rules(data: Path) -> list[str]:
    """Lines of the server's rules that let somebody in without a password."""
    lines = (data / "pg_hba.conf").read_text(encoding="utf-8", errors="replace").splitlines()
    words = [(line, line.partition("#")[0].split()) for line in lines]
    return [line.strip() for line, found in words if any(word in ("trust", "password", "md5") for word in found[3:])]


def lost(data: Path, home: Path) -> ConfigurationError:
    """The error where a running server's passwords are not those of the files."""
    return ConfigurationError(
        f"the passwords in {secret_files.folder_of(home)} are not those of the embedded PostgreSQL running in {data}; "
        "end every Enmusubi process on this home, the service too, and run a command: it sets them anew"
    )


def _digest(secrets: dict[str, str]) -> str:
    # Of long random words: nobody finds them from it.
    told = "\n".join([_VERSION, *(secrets[role] for role in FILES)])
    return hashlib.sha256(told.encode()).hexdigest()


def _write(path: Path, content: str) -> None:
    """Replace a file of the data folder, whole and on the disk, or not at all."""
    aside = path.with_name(f"{path.name}.new")
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    account.give(aside)
    aside.replace(path)
    secret_files.sync(path.parent)
