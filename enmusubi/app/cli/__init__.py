"""The `enmusubi` command; heavy imports stay inside the commands, so that --help answers at once."""

import os
import signal
import sys
from contextlib import suppress
from types import FrameType

from enmusubi.app.cli.commands import app


def main() -> None:
    """Run the command; an expected error is one line that names the fix, with exit status 2."""
    signal.signal(signal.SIGTERM, _end)
    # Threads of torch that wait give the processor back: PostgreSQL and the requests share it with the model, and
    # spinning costs them more than waking up costs the model. Read once, when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        app(prog_name="enmusubi")
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        with suppress(OSError):
            sys.stdout.close()
        sys.exit(1)
    except Exception as error:
        message = _expected(error)
        if message is None:
            raise
        from rich.console import Console

        Console(stderr=True).print(f"[bold red]error:[/] {message}", highlight=False, soft_wrap=True)
        sys.exit(2)


def _end(number: int, frame: FrameType | None) -> None:
    # An exit, not a death: what was opened is closed, and the embedded server stops with its last user.
    sys.exit(128 + number)


def _expected(error: Exception) -> str | None:
    """The message of an expected error, ready for rich; None for a fault of ours."""
    from rich.markup import escape
    from sqlalchemy.exc import OperationalError, ProgrammingError

    from enmusubi.app.errors import EnmusubiError
    from enmusubi.ingest.sources import SourceError
    from enmusubi.matching.encoder import BundledModelError, ModelError
    from enmusubi.matching.evaluation import DatasetError
    from enmusubi.matching.snapshot import SnapshotError

    if isinstance(error, EnmusubiError):
        return escape(error.detail)
    if isinstance(error, SourceError | SnapshotError | BundledModelError | ModelError | DatasetError):
        return escape(str(error))
    if isinstance(error, ProgrammingError) and "UndefinedTable" in type(error.orig).__name__:
        return "the database has no tables yet; run `enmusubi migrate`"
    if isinstance(error, ProgrammingError) and "InsufficientPrivilege" in type(error.orig).__name__:
        return (
            "the database's role may not do that; set ENMUSUBI_OPERATOR_DATABASE_URL to the owner of the tables for "
            "commands, and run `enmusubi migrate`"
        )
    if isinstance(error, OperationalError):
        return f"the database does not answer ({type(error.orig).__name__}); run `enmusubi doctor`"
    if isinstance(error, OSError) and error.filename is not None:
        return escape(f"{error.filename}: {error.strerror}")
    return None
