"""Requests go to public addresses alone, whatever a name resolves to."""

import datetime
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from enmusubi.app.config import Settings
from enmusubi.app.delivering.reaching import (
    BlockedAddressError,
    NoAnswerError,
    Reach,
    UnknownHostError,
    is_public,
    reach_for,
)
from enmusubi.app.errors import ConfigurationError, InvalidInputError
from tests.receiving import Receiver, a_receiver

HERE = (ipaddress.ip_network("127.0.0.0/8"),)
PRIVATE = (
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"),
    *("255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "2002:a00:1::", "64:ff9b::7f00:1", "64:ff9b::a00:1"),
    *("2001:0:4136:e378:8000:63bf:f5ff:fffe", "fec0::1", "2001:db8::1"),
)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A server on this machine."""
    with a_receiver() as receiver:
        yield receiver


def _named(*addresses: str) -> Reach:
    return Reach((), lambda host, port: addresses)


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    """Private, loopback, link-local, multicast, reserved, and those that carry such a one inside."""
    assert not is_public(ipaddress.ip_address(address))
    with pytest.raises(BlockedAddressError):
        _named(address).post("https://hooks.example.org/", {}, b"")


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_open(address: str) -> None:
    """Also those that are public by the address inside them."""
    assert is_public(ipaddress.ip_address(address))


def test_one_that_is_not_public_among_several_is_refused() -> None:
    """Nothing is sent to the others either."""
    with pytest.raises(BlockedAddressError):
        _named("1.1.1.1", "127.0.0.1").post("https://hooks.example.org/", {}, b"")


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"])
def test_every_way_of_writing_this_machine_is_refused(receiver: Receiver, host: str) -> None:
    """As the machine itself resolves it."""
    with pytest.raises((BlockedAddressError, UnknownHostError)):
        Reach().post(f"https://{host}:{receiver.port}/hook", {}, b"")
    assert receiver.requests == []


def test_the_address_that_was_checked_is_the_one_that_is_asked(receiver: Receiver) -> None:
    """A name is resolved once: one that names another address the second time gains nothing."""
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    reach = Reach(HERE, rebinding)
    assert reach.post(f"http://hooks.example.org:{receiver.port}/hook", {"X-Test": "1"}, b"body") == 204
    assert asked == ["hooks.example.org"]
    (request,) = receiver.requests
    assert (request.path, request.body, request.headers["x-test"]) == ("/hook", b"body", "1")
    assert request.headers["host"] == f"hooks.example.org:{receiver.port}"


def test_the_next_address_is_asked_where_one_does_not_answer(receiver: Receiver) -> None:
    """A server without IPv6, for example."""
    reach = Reach((*HERE, ipaddress.ip_network("::1/128")), lambda host, port: ["::1", "127.0.0.1"])
    assert reach.post(f"http://hooks.example.org:{receiver.port}/hook", {}, b"") == 204


def test_redirects_are_not_followed(receiver: Receiver) -> None:
    """They are an answer, and no success."""
    receiver.status, receiver.location = 302, receiver.url + "/further"
    assert Reach(HERE).post(receiver.url, {}, b"") == 302
    assert len(receiver.requests) == 1


def test_http_is_for_named_networks_alone() -> None:
    """Elsewhere it would carry ids and facts unencrypted."""
    with pytest.raises(BlockedAddressError):
        _named("1.1.1.1").post("http://hooks.example.org/", {}, b"")
    with pytest.raises(InvalidInputError, match="only https"):
        Reach().check("http://hooks.example.org/")
    Reach(HERE).check("http://hooks.example.org/")


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://hooks.example.org/", "https://", "hooks.example.org", "https://a:b@hooks.example.org/"),
        *(
            "https://hooks.example.org/#x",
            "file:///etc/passwd",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://10.0.0.1",
        ),
    ],
)
def test_addresses_that_cannot_be_right_are_refused_at_once(url: str) -> None:
    """When they are entered."""
    with pytest.raises(InvalidInputError, match=r"^url: "):
        Reach().check(url)


def test_settings_name_networks() -> None:
    """What is no network is told by the name of its setting."""
    assert reach_for(Settings(webhooks_may_reach="10.0.0.0/8, 127.0.0.1")).networks == (
        ipaddress.ip_network("10.0.0.0/8"),
        ipaddress.ip_network("127.0.0.1/32"),
    )
    assert reach_for(Settings()).networks == ()
    with pytest.raises(ConfigurationError, match="ENMUSUBI_WEBHOOKS_MAY_REACH"):
        reach_for(Settings(webhooks_may_reach="intranet"))


def test_an_answer_that_never_ends_is_given_up(receiver: Receiver) -> None:
    """However slowly it comes."""
    waiting = threading.Event()
    receiver.on_request = lambda: waiting.wait(30)
    try:
        with pytest.raises(NoAnswerError):
            Reach(HERE, seconds=0.3).post(receiver.url, {}, b"")
    finally:
        waiting.set()


def _certificate(folder: Path, name: str) -> ssl.SSLContext:
    """A server's side of TLS for a name, whose certificate lies in the folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context


def test_the_certificate_is_to_be_the_names(tmp_path: Path) -> None:
    """Though the connection goes to an address: the name's certificate is accepted, and another name's is not."""
    with a_receiver(_certificate(tmp_path, "hooks.example.org")) as receiver:
        trusting = ssl.create_default_context(cafile=tmp_path / "certificate.pem")
        reach = Reach(HERE, lambda host, port: ["127.0.0.1"], trusting)
        assert reach.post(f"https://hooks.example.org:{receiver.port}/hook", {}, b"") == 204
        with pytest.raises(httpx.ConnectError):
            reach.post(f"https://other.example.org:{receiver.port}/hook", {}, b"")
        with pytest.raises(httpx.ConnectError):
            Reach(HERE, lambda host, port: ["127.0.0.1"]).post(f"https://hooks.example.org:{receiver.port}/", {}, b"")
        assert len(receiver.requests) == 1
