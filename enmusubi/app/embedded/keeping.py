"""A thread of the running service that starts the embedded server again where it has died."""

import logging
import threading

from enmusubi.app.embedded.server import EmbeddedServer
from enmusubi.app.errors import ConfigurationError

logger = logging.getLogger(__name__)

PAUSE = 1.0  # seconds between two looks
LONGEST_PAUSE = 60.0  # after failed starts, each of which doubles it


class Keeper:
    """Keeps a server running until it is closed."""

    def __init__(self, server: EmbeddedServer) -> None:
        self._server = server
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="enmusubi-postgres", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Keep it no longer."""
        self._closing.set()
        self._thread.join()

    def _keep(self) -> None:
        pause = PAUSE
        while not self._closing.wait(pause):
            if self._server.is_running():
                pause = PAUSE
                continue
            logger.warning("the embedded PostgreSQL has ended; starting it again")
            try:
                self._server.revive()
            except ConfigurationError as error:
                pause = min(2 * pause, LONGEST_PAUSE)
                logger.error("database: %s", error.detail)  # noqa: TRY400 expected: its message names the fix
            else:
                pause = PAUSE
                logger.info("the embedded PostgreSQL runs again")
