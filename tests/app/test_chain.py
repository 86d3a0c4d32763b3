"""Chains without a database: whatever is changed in one is found, and the first broken link named."""

import hashlib
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enmusubi.app import chain_file
from enmusubi.app.chain import Event, Head, Link, Verifier, content_text, link_hash, read_head
from enmusubi.app.errors import InvalidInputError
from tests.app.records import a_chain, an_event, fault_of, relinked

LENGTH = 8
CHAIN = a_chain([an_event(number) for number in range(1, LENGTH + 1)])
HEAD = Head(LENGTH, CHAIN[-1].hash)
places = st.integers(0, LENGTH - 1)
words = st.from_regex(r"\A[a-z][a-z_]{0,10}\Z")
OTHER: dict[str, Any] = {
    "salt": "f" * 64,
    "recorded": "2026-11-24T01:02:03.000005Z",
    "cluster": None,
    "role": "company",
    "actor": "00000000-0000-0000-0000-000000000009",
    "organisation": "00000000-0000-0000-0000-000000000009",
    "action": "revised",
    "kind": "seed",
    "object": None,
    "content": content_text({"version": 99}),
}


def test_an_untouched_chain_holds() -> None:
    """From its first to its last event, and up to a head that was noted on the way."""
    middle = Head(3, CHAIN[2].hash)
    assert fault_of(CHAIN, Verifier({middle.sequence: middle.hash, HEAD.sequence: HEAD.hash})) is None
    assert fault_of([], Verifier({0: Head().hash})) is None


def test_every_part_of_an_event_is_tried() -> None:
    """The changes below cover what an event holds."""
    assert set(OTHER) == {each.name for each in fields(Event)}


@given(place=places, part=st.sampled_from(sorted(OTHER)))
def test_a_changed_part_is_found_where_it_is(place: int, part: str) -> None:
    """Changed alone, it no longer fits its digest."""
    event = CHAIN[place].event
    assert event is not None
    changed = [*CHAIN]
    changed[place] = replace(CHAIN[place], event=replace(event, **{part: OTHER[part]}))
    fault = fault_of(changed)
    assert fault is not None
    assert (fault.sequence, fault.kind) == (place + 1, "content")


@given(place=places, part=st.sampled_from(("previous", "digest", "hash")), bit=st.integers(0, 255))
def test_a_changed_hash_is_found_where_it_is(place: int, part: str, bit: int) -> None:
    """One bit of any of the three hashes of a link."""
    value = int.from_bytes(getattr(CHAIN[place], part)) ^ (1 << bit)
    changed = [*CHAIN]
    parts: dict[str, Any] = {part: value.to_bytes(32)}
    changed[place] = replace(CHAIN[place], **parts)
    fault = fault_of(changed)
    assert fault is not None
    assert (fault.sequence, fault.kind) == (place + 1, {"previous": "link", "digest": "content", "hash": "hash"}[part])


@given(place=places)
def test_a_changed_time_is_found(place: int) -> None:
    """A later one does not fit the hash, an earlier one not the order either."""
    for moment, kind in (("2026-11-24T01:02:04.000000Z", "hash"), ("2026-11-24T01:02:02.000000Z", "order")):
        changed = [*CHAIN]
        changed[place] = replace(CHAIN[place], chained=moment)
        fault = fault_of(changed)
        assert fault is not None
        assert (fault.sequence, fault.kind) == (place + 1, kind if place else "hash")


@given(place=places, count=st.integers(1, LENGTH))
def test_a_missing_event_is_named(place: int, count: int) -> None:
    """Without some in the middle the first of them is named; without the last ones only a head tells."""
    rest = CHAIN[place + count :]
    fault = fault_of([*CHAIN[:place], *rest], Verifier({HEAD.sequence: HEAD.hash}))
    assert fault is not None
    assert (fault.sequence, fault.kind) == (place + 1, "gap" if rest else "truncated")


@given(first=places, second=places)
def test_two_events_in_each_other_s_place_are_found(first: int, second: int) -> None:
    """As they are, or each with the number of the place it stands at."""
    if first == second:
        return
    first, second = sorted((first, second))
    changed = [*CHAIN]
    changed[first], changed[second] = CHAIN[second], CHAIN[first]
    fault = fault_of(changed)
    assert fault is not None
    assert (fault.sequence, fault.kind) == (first + 1, "gap")
    changed[first] = replace(CHAIN[second], sequence=first + 1)
    changed[second] = replace(CHAIN[first], sequence=second + 1)
    fault = fault_of(changed)
    assert fault is not None
    assert fault.sequence == first + 1


@given(place=places)
def test_an_event_put_between_is_found(place: int) -> None:
    """A new one, rightly linked to the one before it, takes the place of what followed."""
    forged = relinked([*CHAIN[:place], replace(CHAIN[place], event=an_event(77))], place)[place]
    later = [replace(link, sequence=link.sequence + 1) for link in CHAIN[place:]]
    fault = fault_of([*CHAIN[:place], forged, *later])
    assert fault is not None
    assert (fault.sequence, fault.kind) == (place + 2, "link")
    twice = fault_of([*CHAIN[: place + 1], CHAIN[place]])
    assert twice is not None
    assert (twice.sequence, twice.kind) == (place + 2, "order")


@given(place=places, noted=places)
def test_a_rewritten_chain_is_found_by_any_later_head(place: int, noted: int) -> None:
    """With all hashes computed anew it holds by itself; heads noted before the change still fit, later ones do not."""
    event = CHAIN[place].event
    assert event is not None
    changed = [*CHAIN]
    changed[place] = replace(CHAIN[place], event=replace(event, action="revised"))
    changed = relinked(changed, place)
    assert fault_of(changed) is None
    fault = fault_of(changed, Verifier({noted + 1: CHAIN[noted].hash}))
    if noted < place:
        assert fault is None
    else:
        assert fault is not None
        assert (fault.sequence, fault.kind) == (noted + 1, "rewritten")


@given(place=places)
def test_emptied_events_need_a_reason(place: int) -> None:
    """Emptied before the time that a retention names, the chain holds; otherwise the first of them is named."""
    emptied = [replace(link, event=None) if number <= place else link for number, link in enumerate(CHAIN)]
    after = CHAIN[place + 1].chained if place + 1 < LENGTH else "2026-11-24T01:02:04.000000Z"
    verifier = Verifier({HEAD.sequence: HEAD.hash}, removed_before=after)
    assert fault_of(emptied, verifier) is None
    assert verifier.removed == place + 1
    for too_early in ("", CHAIN[place].chained):
        fault = fault_of(emptied, Verifier(removed_before=too_early))
        assert fault is not None
        assert (fault.sequence, fault.kind) == (place + 1 if too_early else 1, "removed")


@given(action=words, kind=st.none() | words, content=st.dictionaries(st.text(), st.integers() | st.text() | st.none()))
def test_two_events_never_have_one_text(action: str, kind: str | None, content: dict[str, object]) -> None:
    """What is well formed differs in its text wherever it differs at all; a part with a line break is not."""
    one = an_event(action=action, kind=kind, content=content_text(content))
    assert one.is_well_formed()
    assert (one.digest() == an_event().digest()) == (one == an_event())
    shifted = replace(one, action=f"{action}\n{kind or '-'}", kind=None)
    assert not shifted.is_well_formed()


def test_the_encoding_is_what_the_page_says() -> None:
    """Lines of text and SHA-256, spelled out once."""
    event = an_event()
    lines = [
        "enmusubi-event-1", "0" * 63 + "1", "2026-11-24T01:02:03.000004Z", "00000000-0000-0000-0000-000000000001",
        "coordinator", "00000000-0000-0000-0000-000000000002", "-", "viewed", "need",
        "00000000-0000-0000-0000-000000000001", '{"version":1}',
    ]  # fmt: skip
    assert event.digest() == hashlib.sha256("\n".join(lines).encode()).digest()
    link = ["enmusubi-link-1", "0" * 64, "1", "2026-11-24T01:02:03.000001Z", event.digest().hex()]
    expected = hashlib.sha256("\n".join(link).encode()).digest()
    assert link_hash(bytes(32), 1, "2026-11-24T01:02:03.000001Z", event.digest()) == expected


@pytest.mark.parametrize("wrong", ["", "1", "x:y", "1:" + "0" * 63, f"-1:{'0' * 64}", f"1:{'0' * 64}0"])
def test_what_is_no_head_is_refused(wrong: str) -> None:
    """A head is a number and a SHA-256."""
    with pytest.raises(ValueError, match="SEQUENCE:HASH"):
        read_head(wrong)
    assert read_head(f"{HEAD} 2026-11-24T00:00:00Z") == HEAD


def test_a_file_gives_back_what_was_written(tmp_path: Path) -> None:
    """Links with events, emptied and withheld ones, and the head."""
    links: list[Link] = [
        CHAIN[0],
        replace(CHAIN[1], event=None),
        replace(CHAIN[2], event=None, withheld=True),
        *CHAIN[3:],
    ]
    path = tmp_path / "export.jsonl"
    path.write_text("".join(map(chain_file.as_line, links)) + chain_file.head_line(HEAD))
    assert list(chain_file.read(path)) == [*links, HEAD]
    assert chain_file.read_heads(str(path)) == {HEAD.sequence: HEAD.hash}


LINE = chain_file.as_line(CHAIN[0])


@pytest.mark.parametrize(
    "wrong",
    [
        *("{", "[]", "1", "null", '{"sequence": "1"}', '{"head": "x"}', '{"head": 1}'),
        *(LINE[:-20], LINE.replace('"coordinator"', "7"), LINE.replace('"kind"', '"k"')),
    ],
)
def test_a_line_that_is_none_is_named(tmp_path: Path, wrong: str) -> None:
    """With the file and the number of the line."""
    path = tmp_path / "export.jsonl"
    path.write_text(chain_file.as_line(CHAIN[0]) + wrong + "\n")
    with pytest.raises(InvalidInputError, match=r"export\.jsonl, line 2: not a line"):
        list(chain_file.read(path))


def test_heads_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    """One of two notes of one event is wrong, and no chain can tell which."""
    path = tmp_path / "heads.txt"
    path.write_text(f"{HEAD} noted on Monday\n\n{Head(LENGTH, bytes(32))}\n")
    with pytest.raises(InvalidInputError, match="contradict"):
        chain_file.read_heads(str(path))
    path.write_text("\n")
    with pytest.raises(InvalidInputError, match="no head"):
        chain_file.read_heads(str(path))
    with pytest.raises(InvalidInputError, match="neither"):
        chain_file.read_heads(str(tmp_path / "missing"))
