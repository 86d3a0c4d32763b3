"""The commands, their options and help; each imports what it needs when it runs."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from enmusubi.app.vocabulary import FileContent, Language, Role, Scope

app = typer.Typer(
    name="enmusubi",
    help="Enmusubi (縁結び): seeds-to-needs matchmaking for regional research clusters.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # they print local variables, which may hold confidential texts
    context_settings={"help_option_names": ["-h", "--help"]},
)
account = typer.Typer(help="Accounts and their API tokens.", no_args_is_help=True)
cluster = typer.Typer(help="Clusters.", no_args_is_help=True)
audit = typer.Typer(help="The record of who saw and did what.", no_args_is_help=True)
app.add_typer(account, name="account")
app.add_typer(audit, name="audit")
app.add_typer(cluster, name="cluster")

AccountArgument = Annotated[str, typer.Argument(help="The account's id.")]
ScopeOption = Annotated[
    list[Scope] | None, typer.Option(help="What the token may be used for, repeated for several; all if left out.")
]
ExpiresOption = Annotated[int | None, typer.Option(help="Days until the token expires; never if left out.", min=1)]
ClusterOption = Annotated[str | None, typer.Option("--cluster", help="Name or id; needed where there are several.")]


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)] = None,
) -> None:
    """Serve the HTTP API until interrupted."""
    from enmusubi.app.cli import serving

    serving.serve(host, port)


@app.command()
def worker() -> None:
    """Send notices and do chores until interrupted; `enmusubi serve` does it by itself on the embedded server."""
    from enmusubi.app.cli import working

    working.work()


@app.command()
def migrate() -> None:
    """Bring the database to the newest form."""
    from enmusubi.app.cli import upgrading

    upgrading.migrate()


@app.command()
def ingest(
    kind: Annotated[FileContent, typer.Argument(help="What the files hold.")],
    files: Annotated[list[Path], typer.Argument(help="CSV, TSV, .xlsx, .xls, JSON Lines, or a BEIR folder.")],
    cluster: ClusterOption = None,
    source: Annotated[str | None, typer.Option(help="Name of the source; the file's name by default.")] = None,
    organisation: Annotated[str | None, typer.Option(help="Owner of rows that name none: name or id.")] = None,
    column_map: Annotated[
        list[str] | None, typer.Option("--map", help="column=field, for headings that are not recognised.")
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of a text file, where it cannot be told.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be read; write nothing.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse a whole file with any bad row.")] = False,
    complete: Annotated[
        bool, typer.Option("--complete", help="The file is complete: withdraw its source's other entries.")
    ] = False,
    no_index: Annotated[bool, typer.Option("--no-index", help="Store only; embed and publish later.")] = False,
) -> None:
    """Read files into the catalogue, embed what is new, publish a snapshot, and report."""
    from enmusubi.app.cli import ingesting

    options = ingesting.Options(
        cluster=cluster,
        source=source,
        organisation=organisation,
        mapping=tuple(column_map or ()),
        sheet=sheet,
        encoding=encoding,
        dry_run=dry_run,
        strict=strict,
        complete=complete,
        index=not no_index,
    )
    if not ingesting.ingest(kind, files, options):
        raise typer.Exit(1)


@app.command()
def index(
    sentences: Annotated[
        bool, typer.Option("--sentences", help="Store sentence vectors too, by which matches are explained.")
    ] = False,
    no_map: Annotated[
        bool, typer.Option("--no-map", help="Leave the map of the cluster to the worker, who draws it soon after.")
    ] = False,
) -> None:
    """Embed what has no up-to-date embedding, publish a snapshot, and draw the map after it."""
    from enmusubi.app.cli import ingesting

    ingesting.index(sentences=sentences, maps=not no_map)


@app.command()
def match(
    need: Annotated[str | None, typer.Option(help="Rank seeds for this need: id, external id or reference.")] = None,
    seed: Annotated[str | None, typer.Option(help="Rank needs for this seed: id, external id or reference.")] = None,
    text: Annotated[str | None, typer.Option(help="Rank seeds for a text, which is not stored.")] = None,
    top: Annotated[int, typer.Option(help="How many.", min=1, max=100)] = 10,
    misses: Annotated[bool, typer.Option(help="Also where none is a good match yet: the nearest ones.")] = False,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Say why: what is wanted beside what the seed says, and what is against it."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    cluster: ClusterOption = None,
) -> None:
    """Print the best matches of a need, a seed or a text."""
    from enmusubi.app.cli import matching

    if sum(given is not None for given in (need, seed, text)) != 1:
        raise typer.BadParameter("give one of --need, --seed and --text")
    matching.match(need, seed, text, top, as_json=as_json, cluster=cluster, misses=misses, explain=explain)


@app.command()
def evaluate(
    folders: Annotated[
        list[Path],
        typer.Argument(help="BEIR folders (corpus.jsonl, queries.jsonl, qrels.tsv), or that of the samples."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    queries: Annotated[Path | None, typer.Option(help="Another file of queries, for one folder.")] = None,
    needs_unknown: Annotated[
        bool, typer.Option("--needs-unknown", help="Rank as if the queries were not among the needs known.")
    ] = False,
    compare: Annotated[
        str | None,
        typer.Option(
            help="Configurations beside, with commas: ideas, peers, without, or single ones such as dense,bm25."
        ),
    ] = None,
    against: Annotated[
        str, typer.Option(help="What each is compared with: the first of them, or the previous one.")
    ] = "first",
    by: Annotated[str | None, typer.Option(help="Figures by groups of queries: language,direction,length.")] = None,
    exposure: Annotated[bool, typer.Option("--exposure", help="Which seeds ever reach a top ten.")] = False,
    run_file: Annotated[
        Path | None, typer.Option(help="Write the ranking in TREC's format; into this folder, where there are several.")
    ] = None,
    policy: Annotated[Path | None, typer.Option(help="Rank with the policy in this JSON file.")] = None,
    bilingual: Annotated[
        bool, typer.Option("--bilingual", help="Of the samples, ask those needs that are written in both languages.")
    ] = False,
) -> None:
    """Rank judged folders' queries against their corpora with the production matchmaker and print the measures."""
    from enmusubi.app.cli import evaluating

    options = evaluating.Options(
        as_json=as_json,
        queries=queries,
        needs_unknown=needs_unknown,
        compare=evaluating.names(compare),
        against=against,
        by=evaluating.names(by),
        exposure=exposure,
        run_file=run_file,
        policy=policy,
        bilingual=bilingual,
    )
    evaluating.evaluate(folders, options)


@app.command()
def openapi() -> None:
    """Print the API's description as JSON."""
    import json

    from enmusubi.app.cli.opening import read_settings
    from enmusubi.app.main import create_app

    typer.echo(json.dumps(create_app(read_settings()).openapi(), ensure_ascii=False, indent=2))


@app.command("export")
def export_cluster(
    cluster: Annotated[str, typer.Argument(help="The cluster's name or id.")],
    file: Annotated[Path, typer.Argument(help="The zip file to write; it must not be there yet.")],
) -> None:
    """Write all of a cluster to a file that another installation, or another system, can read."""
    from enmusubi.app.cli import moving

    moving.export(cluster, file)


@app.command("import")
def import_cluster(
    file: Annotated[Path, typer.Argument(help="A zip file that `enmusubi export` wrote.")],
    without_foreign: Annotated[
        bool, typer.Option("--without-foreign", help="Leave out what refers to clusters that are not here.")
    ] = False,
) -> None:
    """Read an exported cluster into this installation: all of it, or nothing."""
    from enmusubi.app.cli import moving

    moving.import_(file, without_foreign=without_foreign)


@app.command()
def demo(
    serve_api: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve the API afterwards.")] = True,
    samples: Annotated[Path | None, typer.Option(help="Folder of the samples.")] = None,
) -> None:
    """Set up a fictional cluster, show the best matches of three needs, then serve the API."""
    from enmusubi.app.cli import demonstrating

    demonstrating.demo(samples, serve_api=serve_api)


@app.command()
def calibrate(
    off: Annotated[bool, typer.Option("--off", help="Go back to the shipped calibration.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would come of it; change nothing.")] = False,
) -> None:
    """Fit the probabilities of matches to this installation's own reviews, where that does no harm."""
    from enmusubi.app.cli import learning

    if off and dry_run:
        raise typer.BadParameter("give one of --off and --dry-run")
    learning.calibrate(off=off, dry_run=dry_run)


@app.command()
def learn(
    off: Annotated[bool, typer.Option("--off", help="Go back to the default policy.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would come of it; change nothing.")] = False,
) -> None:
    """Learn the weights of the ranking from this installation's own reviews, where they prove better."""
    from enmusubi.app.cli import learning

    if off and dry_run:
        raise typer.BadParameter("give one of --off and --dry-run")
    learning.learn(off=off, dry_run=dry_run)


@app.command()
def doctor() -> None:
    """Check database, migrations, model, snapshot, disk and port, and name the fix of each fault."""
    from enmusubi.app.cli import examining

    if not examining.examine():
        raise typer.Exit(1)


@cluster.command("create")
def create_cluster(name: Annotated[str, typer.Argument(help="The cluster's name.")]) -> None:
    """Create a cluster."""
    from enmusubi.app.cli import accounts

    accounts.create_cluster(name)


@cluster.command("list")
def list_clusters() -> None:
    """List the clusters."""
    from enmusubi.app.cli import accounts

    accounts.list_clusters()


@account.command("create")
def create_account(
    name: Annotated[str, typer.Argument(help="The person's name.")],
    role: Annotated[Role, typer.Option(help="What the account does in its cluster.")],
    organisation: Annotated[
        str | None, typer.Option(help="Name or id; a company's or university's is added if new.")
    ] = None,
    email: Annotated[str | None, typer.Option(help="The address it may sign in with.")] = None,
    scope: ScopeOption = None,
    expires: ExpiresOption = None,
    cluster: ClusterOption = None,
) -> None:
    """Create an account and print its API token, which is shown this once."""
    from enmusubi.app.cli import accounts

    options = accounts.TokenOptions(tuple(scope or Scope), expires)
    accounts.create_account(name, role, organisation, email, cluster, options)


@account.command("invite")
def invite(
    email: Annotated[str, typer.Argument(help="The person's e-mail address.")],
    role: Annotated[Role, typer.Option(help="What the account will do in its cluster.")],
    organisation: Annotated[
        str | None, typer.Option(help="Name or id; a company's or university's is added if new.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The person's name.")] = None,
    language: Annotated[Language, typer.Option(help="Language of the letter.")] = Language.JA,
    cluster: ClusterOption = None,
) -> None:
    """Invite a person by a letter; without a mail server, print the link to hand over."""
    from enmusubi.app.cli import people

    people.invite(email, role, organisation, name, language, cluster)


@account.command("deactivate")
def deactivate(account_id: AccountArgument) -> None:
    """End an account's sessions and tokens, and let it in no more."""
    from enmusubi.app.cli import people

    people.deactivate(account_id)


@account.command("reactivate")
def reactivate(account_id: AccountArgument) -> None:
    """Let a deactivated account sign in again."""
    from enmusubi.app.cli import people

    people.reactivate(account_id)


@account.command("reset")
def reset(account_id: AccountArgument) -> None:
    """Print a link by which an account's person chooses a new password."""
    from enmusubi.app.cli import people

    people.reset(account_id)


@account.command("list")
def list_accounts(cluster: ClusterOption = None) -> None:
    """List the accounts of a cluster."""
    from enmusubi.app.cli import accounts

    accounts.list_accounts(cluster)


@account.command("token")
def new_token(
    account_id: AccountArgument,
    scope: ScopeOption = None,
    expires: ExpiresOption = None,
    revoke: Annotated[bool, typer.Option("--revoke", help="Revoke all its tokens instead.")] = False,
) -> None:
    """Print a further API token of an account, or revoke all it has."""
    from enmusubi.app.cli import accounts

    accounts.token(account_id, accounts.TokenOptions(tuple(scope or Scope), expires), revoke=revoke)


@account.command("erase")
def erase_account(account_id: Annotated[str, typer.Argument(help="The account's id.")]) -> None:
    """Remove an account's personal data for good; what it decided stays, as an erased account's."""
    from enmusubi.app.cli import accounts

    accounts.erase(account_id)


@audit.command("head")
def audit_head() -> None:
    """Print how far the record goes, to be kept elsewhere."""
    from enmusubi.app.cli import auditing

    auditing.head()


@audit.command("verify")
def audit_verify(
    head: Annotated[str | None, typer.Option(help="A head noted earlier, SEQUENCE:HASH, or a file of such.")] = None,
    file: Annotated[Path | None, typer.Option(help="Verify this export, not the database.")] = None,
) -> None:
    """Follow the chain of the record, and name the first broken link."""
    from enmusubi.app.cli import auditing

    if not auditing.verify(head, file):
        raise typer.Exit(1)


@audit.command("export")
def audit_export(file: Annotated[Path, typer.Argument(help="File to write, JSON Lines.")]) -> None:
    """Write the whole record to a file that can be verified anywhere; names are not in it."""
    from enmusubi.app.cli import auditing

    auditing.export(file)


@audit.command("retain")
def audit_retain(
    before: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Day, UTC; ENMUSUBI_RECORD_DAYS ago if left out."),
    ] = None,
) -> None:
    """Empty old events for good; their hashes stay, so that the record can still be verified."""
    from enmusubi.app.cli import auditing

    auditing.retain(before)
