"""The calls of README.md and docs/api.md do what the pages say, in their order, on the real application."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy.orm import Session

from enmusubi.app import auth
from enmusubi.app.catalogue import organisations, seeds
from enmusubi.app.config import Settings
from enmusubi.app.embeddings import embed
from enmusubi.app.main import create_app
from enmusubi.app.models import Cluster
from enmusubi.app.schemas import OrganisationDraft, SeedDraft
from enmusubi.app.vocabulary import OrganisationKind, Role
from enmusubi.matching.encoder import HashEncoder
from tests.conftest import RolledBackDatabase
from tests.docs.pages import ROOT, blocks, name_of, statements

ENCODER = HashEncoder()
SERVER = "http://127.0.0.1:8000"
_KEPT = re.compile(r"""^(\w+)=\$\(field (\S+) "(.+)"\)$""")
_GIVEN = re.compile(r"""^(\w+)=(?:"(.*)"|(\S+))$""")


@dataclass
class Reader:
    """Somebody who types what a page says: variables, tokens, files that replies were put into."""

    client: TestClient
    tokens: dict[str, str]
    variables: dict[str, str] = field(default_factory=dict)
    files: dict[str, Any] = field(default_factory=dict)

    def type(self, statement: str) -> Response | None:
        """Carry out one statement; the reply of a call."""
        if statement.startswith("curl "):
            return self._call(shlex.split(statement.replace("\\\n", " ")))
        if re.match(r"^\w+\(\) \{", statement):
            return None  # the functions token, field and show, which are built into this reader
        if kept := _KEPT.match(statement):
            name, file, path = kept.groups()
            value = self.files[file]
            for step in re.findall(r"\['?(\w+)'?\]", path):
                value = value[int(step) if step.isdigit() else step]
            self.variables[name] = str(value)
            return None
        given = _GIVEN.match(statement)
        assert given, f"the page's reader does not know how to type {statement!r}"
        self.variables[given[1]] = self._expanded(given[2] or given[3])
        return None

    def _expanded(self, text: str) -> str:
        text = re.sub(r"\$\(token (\w+)\)", lambda found: self.tokens[found[1]], text)
        return re.sub(r"\$(\w+)", lambda found: self.variables[found[1]], text)

    def _call(self, words: list[str]) -> Response:
        pipes = [place for place, word in enumerate(words) if word == "|"]
        kept_as = next((words[place + 2] for place in pipes if words[place + 1] == "tee"), None)
        words = [self._expanded(word) for word in words[1 : pipes[0] if pipes else None]]
        method, url, headers, data, as_query = None, "", {}, [], False
        rest = iter(words)
        for word in rest:
            if word in ("-d", "--data-urlencode"):
                data.append(next(rest))
            elif word == "-H":
                name, _, value = next(rest).partition(": ")
                headers[name] = value
            elif word == "-X":
                method = next(rest)
            elif word.startswith("-"):
                assert set(word[1:]) <= set("siG"), word
                as_query = "G" in word
            else:
                url = word
        assert url.startswith(SERVER), url
        path, _, query = url.removeprefix(SERVER).partition("?")
        parameters = parse_qsl("&".join([query, *(quoted(each) for each in data if as_query)]))
        body = None if as_query or not data else "&".join(data).encode()
        reply = self.client.request(
            method or ("POST" if body else "GET"), path, params=urlencode(parameters), headers=headers, content=body
        )
        if kept_as:
            self.files[kept_as] = reply.json()
        return reply


def quoted(pair: str) -> str:
    """`name=value` with the value as an address holds it."""
    name, _, value = pair.partition("=")
    return f"{name}={quote(value)}"


@pytest.fixture
def reader(database: RolledBackDatabase, session: Session, tmp_path: Path) -> Iterator[Reader]:
    """A reader beside a running application, whose cluster has seeds and an account of every role."""
    cluster = Cluster(name="A cluster")
    session.add(cluster)
    session.flush()
    owners = {
        Role.COMPANY: organisations.create_organisation(
            session, cluster.id, OrganisationDraft(name="A company", kind=OrganisationKind.COMPANY)
        ),
        Role.UNIVERSITY: organisations.create_organisation(
            session, cluster.id, OrganisationDraft(name="A university", kind=OrganisationKind.UNIVERSITY)
        ),
    }
    for title in ("低温でも施工できる床の補修材", "Concrete that survives frost", "鮮度を色で示す糸"):
        seed = seeds.new_seed(cluster.id, "test")
        seeds.fill_seed(seed, SeedDraft(title=title), owners[Role.UNIVERSITY].id)
        embed(seed, ENCODER)
        session.add(seed)
    tokens = {
        str(role): auth.issue_token(session, auth.create_account(session, cluster, role, "A person", owners.get(role)))
        for role in Role
    }
    session.commit()
    # Nothing runs beside the calls: they share the one connection that is rolled back.
    settings = Settings(home=tmp_path, floor=0.0, background_sentences=False, chain_seconds=0, indicators_seconds=0)
    app = create_app(settings, ENCODER, database)
    with TestClient(app, raise_server_exceptions=False) as client:
        app.state.runtime.wait()
        yield Reader(client, tokens)


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "docs" / "api.md"], ids=name_of)
def test_calls(page: Path, reader: Reader) -> None:
    """Every curl call of the page, typed in the page's order, is answered with success."""
    calls = 0
    for block in blocks(page, "sh"):
        if "$API" not in block and "API=" not in block:
            continue
        for statement in statements(block):
            reply = reader.type(statement)
            if reply is not None:
                calls += 1
                assert reply.is_success, f"{statement}\n{reply.status_code} {reply.text}"
    assert calls >= 5
    assert len(reader.files["var/need.json"]["matches"]["ranking"]) == 2 + (page.name == "README.md")


def test_the_readme_s_review_takes_one_pair_away(reader: Reader) -> None:
    """After the README's calls the coordinator's ranking lacks the reviewed pair alone; the company's is as before."""
    for block in blocks(ROOT / "README.md", "sh"):
        if "$API" in block or "API=" in block:
            for statement in statements(block):
                reader.type(statement)
    before = [each["match"] for each in reader.files["var/need.json"]["matches"]["ranking"]]
    ranked = {}
    for who in ("COMPANY", "COORDINATOR"):
        reply = reader.type(f'curl -s "$API/needs/$NEED/matches" -H "${who}"')
        assert reply is not None
        ranked[who] = [each["match"] for each in reply.json()["ranking"]]
    assert ranked["COMPANY"] == before
    # In an order of its own: a coordinator's ranking knows other needs.
    assert sorted(ranked["COORDINATOR"]) == sorted(before[1:])


def test_json_of_the_api_page() -> None:
    """Every JSON example of the API's page is JSON."""
    for block in blocks(ROOT / "docs" / "api.md", "json"):
        json.loads(block)
