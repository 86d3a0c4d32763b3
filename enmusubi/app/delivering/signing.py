"""Webhooks after the Standard Webhooks specification, https://github.com/standard-webhooks/standard-webhooks."""

import base64
import datetime
import json
import secrets
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Final

from standardwebhooks.webhooks import Webhook

BYTES: Final = 32
BEGINNING: Final = "whsec_"
OVERLAP: Final = datetime.timedelta(hours=24)
"""How long a former secret signs too."""


def new_secret() -> str:
    """A new signing secret."""
    return BEGINNING + base64.b64encode(secrets.token_bytes(BYTES)).decode("ascii")


def body_of(kind: str, moment: datetime.datetime, data: Mapping[str, Any]) -> str:
    """What is sent: the kind of notice, when it was written, and its ids and facts."""
    content = {"type": kind, "timestamp": moment.astimezone(datetime.UTC).isoformat(), "data": data}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def headers_of(public_id: uuid.UUID, moment: datetime.datetime, body: str, keys: Iterable[str]) -> dict[str, str]:
    """The headers of an attempt; a repeat has the same id and another time. One signature for each key."""
    moment = moment.astimezone(datetime.UTC)
    signatures = [Webhook(key).sign(str(public_id), moment, body) for key in keys]
    return {
        "Content-Type": "application/json",
        "User-Agent": "Enmusubi",
        "webhook-id": str(public_id),
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
