"""What `serve` and `worker` write to standard error."""

import logging

from enmusubi.app.config import Settings


def write_log(settings: Settings) -> None:
    """Write log lines to standard error."""
    logging.basicConfig(
        level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s", force=True
    )
    for library in ("httpx2", "httpcore2", "authlib"):
        # They log what is sent to the identity provider, the client's secret included, and addresses of webhooks.
        logging.getLogger(library).setLevel(logging.WARNING)
