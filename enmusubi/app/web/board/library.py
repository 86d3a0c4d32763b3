"""The plots' library as its package brings it, served by us under an address that changes with its version."""

import gzip
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

NAME: Final = "plotly.min.js"


@cache
def folder_address() -> str:
    """Where it is mounted."""
    return f"/static/plotly-{version('plotly')}"


def address() -> str:
    """Where a page loads it from."""
    return f"{folder_address()}/{NAME}"


@cache
def _content() -> bytes:
    # Found, not imported: of the package nothing but this file is used.
    spec = find_spec("plotly")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return (Path(next(iter(spec.submodule_search_locations))) / "package_data" / NAME).read_bytes()


@cache
def _compressed() -> bytes:
    return gzip.compress(_content(), compresslevel=6, mtime=0)


async def library(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the one file there is; compressed once, for whoever takes that."""
    request = Request(scope, receive)
    if not scope["path"].endswith(f"/{NAME}") or request.method not in ("GET", "HEAD"):
        await Response(status_code=404)(scope, receive, send)
        return
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
    content = _content()
    if "gzip" in request.headers.get("accept-encoding", ""):
        content, headers["Content-Encoding"] = _compressed(), "gzip"
    await Response(content, media_type="text/javascript", headers=headers)(scope, receive, send)
