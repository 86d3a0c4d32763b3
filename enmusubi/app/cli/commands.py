"""The commands, their options and help; each imports what it needs when it runs."""

from pathlib import Path
from typing import Annotated

import typer

from enmusubi.app.vocabulary import FileContent, Role

app = typer.Typer(
    name="enmusubi",
    help="Enmusubi (縁結び): seeds-to-needs matchmaking for regional research clusters.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # they print local variables, which may hold confidential texts
    context_settings={"help_option_names": ["-h", "--help"]},
)
account = typer.Typer(help="Accounts and their API tokens.", no_args_is_help=True)
cluster = typer.Typer(help="Clusters.", no_args_is_help=True)
app.add_typer(account, name="account")
app.add_typer(cluster, name="cluster")

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
def migrate() -> None:
    """Bring the database to the newest form."""
    from rich import print as show

    from enmusubi.app import migrating
    from enmusubi.app.cli.opening import read_settings
    from enmusubi.app.database import connect

    with connect(read_settings()) as database:
        before = migrating.present(database)
        migrating.upgrade(database)
        after = migrating.present(database)
    show(f"database at migration {after}" + ("" if before == after else f" (was {before or 'empty'})"))


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
def index() -> None:
    """Embed what has no up-to-date embedding and publish a snapshot."""
    from enmusubi.app.cli import ingesting

    ingesting.index()


@app.command()
def match(
    need: Annotated[str | None, typer.Option(help="Rank seeds for this need: id, external id or reference.")] = None,
    seed: Annotated[str | None, typer.Option(help="Rank needs for this seed: id, external id or reference.")] = None,
    text: Annotated[str | None, typer.Option(help="Rank seeds for a text, which is not stored.")] = None,
    top: Annotated[int, typer.Option(help="How many.", min=1, max=100)] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    cluster: ClusterOption = None,
) -> None:
    """Print the best matches of a need, a seed or a text."""
    from enmusubi.app.cli import matching

    if sum(given is not None for given in (need, seed, text)) != 1:
        raise typer.BadParameter("give one of --need, --seed and --text")
    matching.match(need, seed, text, top, as_json=as_json, cluster=cluster)


@app.command()
def evaluate(
    folder: Annotated[Path, typer.Argument(help="A BEIR folder: corpus.jsonl, queries.jsonl, qrels.tsv.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    queries: Annotated[Path | None, typer.Option(help="Another file of queries.")] = None,
    needs_unknown: Annotated[
        bool, typer.Option("--needs-unknown", help="Rank as if the queries were not among the needs known.")
    ] = False,
) -> None:
    """Rank a judged folder's queries against its corpus with the production matchmaker and print the measures."""
    from enmusubi.app.cli import evaluating

    evaluating.evaluate(folder, queries, as_json=as_json, needs_unknown=needs_unknown)


@app.command()
def openapi() -> None:
    """Print the API's description as JSON."""
    import json

    from enmusubi.app.cli.opening import read_settings
    from enmusubi.app.main import create_app

    typer.echo(json.dumps(create_app(read_settings()).openapi(), ensure_ascii=False, indent=2))


@app.command()
def demo(
    serve_api: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve the API afterwards.")] = True,
    samples: Annotated[Path | None, typer.Option(help="Folder of the samples.")] = None,
) -> None:
    """Set up a fictional cluster, show the best matches of three needs, then serve the API."""
    from enmusubi.app.cli import demonstrating

    demonstrating.demo(samples, serve_api=serve_api)


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
    cluster: ClusterOption = None,
) -> None:
    """Create an account and print its API token, which is shown this once."""
    from enmusubi.app.cli import accounts

    accounts.create_account(name, role, organisation, cluster)


@account.command("list")
def list_accounts(cluster: ClusterOption = None) -> None:
    """List the accounts of a cluster."""
    from enmusubi.app.cli import accounts

    accounts.list_accounts(cluster)


@account.command("token")
def new_token(
    account_id: Annotated[str, typer.Argument(help="The account's id.")],
    revoke: Annotated[bool, typer.Option("--revoke", help="Revoke all its tokens instead.")] = False,
) -> None:
    """Print a further API token of an account, or revoke all it has."""
    from enmusubi.app.cli import accounts

    accounts.token(account_id, revoke=revoke)
