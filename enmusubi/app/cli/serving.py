"""Serve the API: the port is taken first, so that a busy one is told at once and in one line."""

import logging
import signal
import socket
import sys
from types import FrameType

import uvicorn

from enmusubi.app.cli.log_lines import write_log
from enmusubi.app.cli.opening import read_settings
from enmusubi.app.config import Settings
from enmusubi.app.errors import ConfigurationError
from enmusubi.app.main import create_app


def serve(host: str | None, port: int | None) -> None:
    """Serve until interrupted; `host` and `port` come before the settings."""
    settings = read_settings()
    settings = settings.model_copy(
        update={
            "host": settings.host if host is None else host,
            "port": settings.port if port is None else port,
        }
    )
    listening = take_port(settings)
    run(settings, listening)


def take_port(settings: Settings) -> socket.socket:
    """A socket bound to the configured address; ConfigurationError where that is taken or not ours."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
    except OSError as error:
        listening.close()
        raise ConfigurationError(
            f"cannot listen on {settings.host}:{settings.port} ({error.strerror}); "
            "choose another with --port, or ENMUSUBI_PORT"
        ) from None
    return listening


def run(settings: Settings, listening: socket.socket) -> None:
    """Serve on a bound socket until interrupted."""
    write_log(settings)
    host, port = listening.getsockname()[:2]
    app = create_app(settings.model_copy(update={"port": port}))  # links name the port that was taken
    # What is wrong with keys, mail, identity provider or webhooks is told now, in one line.
    app.state.runtime.outbound  # noqa: B018 made here
    logging.getLogger("enmusubi").info("serving on http://%s:%d/api/v1", host, port)
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level=settings.log_level,
        access_log=False,  # addresses hold search words, and who asks for what is confidential
        server_header=False,
        proxy_headers=settings.trusted_proxies is not None,
        forwarded_allow_ips=settings.trusted_proxies or "",
    )
    # uvicorn shuts down in order and then sends itself the signal again, which would end the process half-way
    # out: before the embedded server is left, and as a failure.
    signal.signal(signal.SIGTERM, _end)
    uvicorn.Server(config).run(sockets=[listening])


def _end(number: int, frame: FrameType | None) -> None:
    sys.exit(0)
