"""A request to an address that somebody typed in: never to this machine or its network, whatever the name resolves to.

The name is resolved once, every address it has is checked, and the connection goes to a checked address: what the
name resolves to a moment later does not matter.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import httpx2 as httpx

from enmusubi.app.config import Settings
from enmusubi.app.errors import ConfigurationError, InvalidInputError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Sequence[str]]

SECONDS: Final = 15.0  # for all of a request, however slowly its answer trickles in
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_MOST_ADDRESSES: Final = 4
_TIMES: Final = httpx.Timeout(10.0, connect=5.0)


class BlockedAddressError(Exception):
    """The name leads to an address that is not public."""


class UnknownHostError(Exception):
    """The name has no address."""


class NoAnswerError(Exception):
    """No whole answer in time."""


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, as the machine knows them."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise UnknownHostError from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass(frozen=True, slots=True)
class Reach:
    """Which addresses requests may go to: public ones over https, and those of named networks."""

    networks: tuple[Network, ...] = ()
    resolve: Resolve = resolve
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    seconds: float = SECONDS

    def check(self, url: str) -> None:
        """Raise InvalidInputError for an address that cannot be right, before anything is sent there."""
        parsed = _parsed(url)
        if parsed is None:
            raise InvalidInputError("url: expected https://host/path, without a user, password or fragment")
        if parsed.scheme != "https" and not self.networks:
            raise InvalidInputError("url: only https is taken")
        literal = _address(parsed.host)
        if literal is not None and not self._is_open(literal, parsed.scheme):
            raise InvalidInputError("url: this address is not a public one")

    def post(self, url: str, headers: Mapping[str, str], content: bytes) -> int:
        """Send, and tell the status of the answer, whose body is not read.

        Raises BlockedAddressError, UnknownHostError, NoAnswerError, httpx.HTTPError or OSError.
        """
        parsed = _parsed(url)
        if parsed is None:
            raise BlockedAddressError
        port = parsed.port or {"https": 443, "http": 80}[parsed.scheme]
        addresses = [ipaddress.ip_address(found.partition("%")[0]) for found in self.resolve(parsed.host, port)]
        if not addresses:
            raise UnknownHostError
        # One that is not public among them is a trick, or a mistake.
        if not all(self._is_open(address, parsed.scheme) for address in addresses):
            raise BlockedAddressError
        try:
            return asyncio.run(self._sent(parsed, addresses[:_MOST_ADDRESSES], headers, content))
        except TimeoutError:
            raise NoAnswerError from None

    async def _sent(
        self, url: httpx.URL, addresses: Sequence[Address], headers: Mapping[str, str], content: bytes
    ) -> int:
        async with (
            asyncio.timeout(self.seconds),
            # No proxy of the environment: it would resolve the name once more.
            httpx.AsyncClient(verify=self.tls, trust_env=False, follow_redirects=False, timeout=_TIMES) as client,
        ):
            for number, address in enumerate(addresses):
                pinned = url.copy_with(host=str(address))
                sent = {**headers, "Host": url.netloc.decode("ascii")}
                # The certificate is still to be that of the name.
                extensions = {"sni_hostname": url.raw_host.decode("ascii")}
                try:
                    async with client.stream(
                        "POST", pinned, headers=sent, content=content, extensions=extensions
                    ) as answer:
                        return answer.status_code
                except (httpx.ConnectError, httpx.ConnectTimeout):
                    if number + 1 == len(addresses):
                        raise
        raise UnknownHostError

    def _is_open(self, address: Address, scheme: str) -> bool:
        if any(address in network for network in self.networks):
            return True
        return scheme == "https" and is_public(address)


def is_public(address: Address) -> bool:
    """Whether an address is one of the public internet, also that within it where it carries another."""
    if isinstance(address, ipaddress.IPv6Address):
        carried = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in _NAT64:
            carried = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if carried is not None:
            return is_public(carried)
        if address.is_site_local:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved and not address.is_unspecified


def reach_for(settings: Settings) -> Reach:
    """Which addresses the settings allow; ConfigurationError where they name no network."""
    named = (settings.webhooks_may_reach or "").split(",")
    try:
        return Reach(tuple(ipaddress.ip_network(network.strip()) for network in named if network.strip()))
    except ValueError:
        raise ConfigurationError("ENMUSUBI_WEBHOOKS_MAY_REACH: expected networks such as 10.20.0.0/16") from None


def _parsed(url: str) -> httpx.URL | None:
    try:
        parsed = httpx.URL(url)
        fits = parsed.scheme in ("https", "http") and parsed.host and not parsed.userinfo and not parsed.fragment
    except (httpx.InvalidURL, ValueError, UnicodeError):
        return None
    return parsed if fits else None


def _address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
