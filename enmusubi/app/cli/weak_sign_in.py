"""What `enmusubi doctor` finds weak in how people sign in: addresses, keys, letters, proxies, sessions, limits."""

import ipaddress
from contextlib import suppress
from urllib.parse import urlsplit

from enmusubi.app.cli.weaknesses import Weakness, is_local
from enmusubi.app.config import Settings
from enmusubi.app.mail import post_office
from enmusubi.app.signing_in.keys import session_keys
from enmusubi.app.signing_in.oidc import provider_for

_VARIED = 9  # different characters at least; of a million keys of 32 random hexadecimal digits three have fewer
_LONGEST_HOURS = 7 * 24  # a session; longer ones outlive lost computers and people who left
_LONGEST_IDLE_MINUTES = 24 * 60
_LONGEST_CONFIRM_MINUTES = 60
_WIDEST = {4: 16, 6: 48}  # bits of a proxies' network at least: a site's, not a provider's


def of_sign_in(settings: Settings) -> list[Weakness]:
    """Settings by which a session or a link could be taken; ConfigurationError where `serve` would refuse them."""
    _refuse(settings)
    return [
        *_of_public_url(settings),
        *_of_keys(settings),
        *_of_letters(settings),
        *_of_proxies(settings),
        *_of_times(settings),
        *_of_calls(settings),
    ]


def _refuse(settings: Settings) -> None:
    if settings.session_keys is not None:  # unset, the service would make one; a check makes nothing
        session_keys(settings)
    post_office(settings)
    provider_for(settings)


def _of_public_url(settings: Settings) -> list[Weakness]:
    if settings.public_url is None or settings.is_https:
        return []
    if _is_local_url(settings.public_url):
        return []
    found = "ENMUSUBI_PUBLIC_URL is http://, so cookies and links travel unencrypted"
    return [(found, "put a proxy with TLS in front, and give its https:// address")]


def _of_keys(settings: Settings) -> list[Weakness]:
    if settings.session_keys is None or all(len(set(key)) >= _VARIED for key in session_keys(settings)):
        return []
    return [
        (
            f"ENMUSUBI_SESSION_KEYS has a key of fewer than {_VARIED} different characters, which could be guessed",
            "put a random one first (`openssl rand -base64 48`); take the old one away after ENMUSUBI_SESSION_HOURS",
        )
    ]


def _of_letters(settings: Settings) -> list[Weakness]:
    if settings.smtp_url is None:
        return []
    url = urlsplit(settings.smtp_url.get_secret_value())
    # With a name and password letters go over TLS or not at all.
    if url.scheme == "smtps" or url.username or is_local(url.hostname or ""):
        return []
    found = "ENMUSUBI_SMTP_URL may hand over letters without TLS, and the links in them let people in"
    return [(found, "use smtps://, or a name and password, which need TLS")]


def _of_proxies(settings: Settings) -> list[Weakness]:
    wide = [
        network for network in map(str.strip, (settings.trusted_proxies or "").split(",")) if network and _wide(network)
    ]
    return [
        (
            f"ENMUSUBI_TRUSTED_PROXIES believes everybody in {network}, who can pass as any address and evade limits",
            "name the proxies' own addresses",
        )
        for network in wide
    ]


def _of_times(settings: Settings) -> list[Weakness]:
    limits = {
        "session_hours": _LONGEST_HOURS,
        "session_idle_minutes": _LONGEST_IDLE_MINUTES,
        "session_confirm_minutes": _LONGEST_CONFIRM_MINUTES,
    }
    return [
        (
            f"ENMUSUBI_{name.upper()}={getattr(settings, name)} is long for a browser left alone",
            f"set at most {longest}",
        )
        for name, longest in limits.items()
        if getattr(settings, name) > longest
    ]


def _of_calls(settings: Settings) -> list[Weakness]:
    if settings.calls_per_minute or _is_local_url(settings.address):
        return []
    found = "ENMUSUBI_CALLS_PER_MINUTE=0 lets one account, or whoever has its token, read all that it may without pause"
    return [(found, "unset it, or set what the busiest program needs")]


def _wide(network: str) -> bool:
    if network == "*":
        return True
    try:
        known = ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False  # a name, such as that of a socket
    return known.prefixlen < _WIDEST[known.version]


def _is_local_url(url: str) -> bool:
    with suppress(ValueError):
        return is_local(urlsplit(url).hostname or "")
    return False
