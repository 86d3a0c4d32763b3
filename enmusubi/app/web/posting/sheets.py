"""The two forms as wholes: their fields, and what is done with them."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import BaseModel
from sqlalchemy.orm import Session

from enmusubi.app.caller import Caller
from enmusubi.app.catalogue import needs, seeds
from enmusubi.app.embeddings import Kind
from enmusubi.app.models import Need, NeedDetail, Seed, SeedDetail
from enmusubi.app.permissions import Right
from enmusubi.app.schemas import NeedDraft, NeedRevision, SeedDraft, SeedRevision, need_profile, seed_profile
from enmusubi.app.web.languages import Speech
from enmusubi.app.web.posting import fields
from enmusubi.app.web.posting.fields import As, Field, Group
from enmusubi.app.web.words import choices
from enmusubi.matching.profile import Profile

Entry = Need | Seed
Draft = NeedDraft | SeedDraft
MATCHED: Final = (
    *("title", "summary", "applications", "translation_title", "translation_summary", "language"),
    *("technology_keywords", "market_keywords"),
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A form, and what is done with it."""

    kind: Literal["need", "seed"]
    draft: type[Draft]
    revision: type[BaseModel]
    fields: Mapping[str, Field]
    groups: tuple[Group, ...]
    confidential: tuple[str, ...]
    own_texts: tuple[str, ...]
    """Public texts that are matched beside those that needs and seeds share."""
    right: Right
    against: Kind
    profile: Callable[[object], Profile]
    create: Callable[..., Entry]
    revise: Callable[..., Entry]
    read_to_change: Callable[[Session, Caller, uuid.UUID], tuple[Any, Any]]
    as_draft: Callable[[Any, Any], dict[str, Any]]

    @property
    def list_address(self) -> str:
        """Where entries of the kind are listed; those of one's own by `?mine=true`."""
        return f"/{self.kind}s"

    @property
    def matched(self) -> tuple[str, ...]:
        """The public fields that are matched: all that is sent while somebody types."""
        return (*MATCHED, *self.own_texts)

    def named(self, *written: As) -> frozenset[str]:
        """The fields that are written in one of these ways."""
        return frozenset(name for name, field in self.fields.items() if field.written in written)

    def choices(self, speech: Speech, name: str) -> list[tuple[str, str]]:
        """What a field is chosen from: codes and words."""
        if name == "sdgs":
            return [(str(goal), str(goal)) for goal in range(1, 18)]
        vocabulary = self.fields[name].choices
        if vocabulary == "Trl":
            return [(str(level), speech.say(said)) for level, said in enumerate(fields.TRL, start=1)]
        if vocabulary == "YesNo":
            return [(code, speech.say(said)) for code, said in fields.YES_NO]
        assert vocabulary is not None  # a field with choices names where they are from
        return choices(speech, vocabulary)


NEED: Final = Sheet(
    kind="need",
    draft=NeedDraft,
    revision=NeedRevision,
    fields=fields.NEED,
    groups=fields.NEED_GROUPS,
    confidential=fields.NEED_CONFIDENTIAL,
    own_texts=("expertise_sought",),
    right=Right.POST_NEED,
    against=Seed,
    profile=need_profile,
    create=needs.post_need,
    revise=needs.revise_need,
    read_to_change=needs.read_to_change,
    as_draft=needs.as_draft,
)

SEED: Final = Sheet(
    kind="seed",
    draft=SeedDraft,
    revision=SeedRevision,
    fields=fields.SEED,
    groups=fields.SEED_GROUPS,
    confidential=fields.SEED_CONFIDENTIAL,
    own_texts=("description", "advantages", "open_challenges"),
    right=Right.REGISTER_SEED,
    against=Need,
    profile=seed_profile,
    create=seeds.register_seed,
    revise=seeds.revise_seed,
    read_to_change=seeds.read_to_change,
    as_draft=seeds.as_draft,
)


def view_confidential(session: Session, caller: Caller, entry: Entry) -> NeedDetail | SeedDetail | None:
    """The confidential part, to be shown in a form: that it was looked at is recorded."""
    if isinstance(entry, Seed):
        return seeds.view_detail(session, caller, entry)
    return needs.view_details(session, caller, [entry], through="need").get(entry.id)
