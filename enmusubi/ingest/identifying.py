"""Anonymous needs of a file whose public text surely tells whose they are."""

from enmusubi.app.identifying import public_texts
from enmusubi.app.schemas import NeedDraft
from enmusubi.ingest.sources import Entry
from enmusubi.matching.identifying import Owner, Sureness, check


def tells_owner(entry: Entry) -> bool:
    """Whether a row is an anonymous need with a certain finding; the catalogue is not asked, it makes none certain."""
    draft = entry.draft
    if not isinstance(draft, NeedDraft) or not draft.anonymous:
        return False
    named = entry.organisation
    owner = Owner(named.name, corporate_number=named.corporate_number) if named and named.name else None
    return any(finding.sureness is Sureness.CERTAIN for finding in check(public_texts(draft), owner))
