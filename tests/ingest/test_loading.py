"""Loading: rows become entries once, are revised with their file, and never touch what people decided."""

import datetime
import json
from pathlib import Path

import pytest
from sqlalchemy import select, update

from enmusubi.app.catalogue import seeds as seed_catalogue
from enmusubi.app.clock import SystemClock
from enmusubi.app.embeddings import Kind
from enmusubi.app.models import Cluster, Match, MatchStep, Need, NeedDetail, Organisation, Seed
from enmusubi.app.schemas import SeedRevision
from enmusubi.app.vocabulary import MatchStatus, OrganisationKind, ReasonCode, Role, Side, Step
from enmusubi.ingest.rows import BATCH
from tests.app.factories import ENCODER, a_caller, a_match, a_need, a_seed, an_organisation, days_from_now
from tests.conftest import RolledBackDatabase
from tests.ingest.files import a_text
from tests.ingest.loads import Catalogue, Row, counts, seeds


@pytest.fixture
def catalogue(database: RolledBackDatabase, tmp_path: Path) -> Catalogue:
    """An empty cluster, rolled back in the end."""
    return Catalogue(database, tmp_path)


def test_a_file_is_loaded_once(catalogue: Catalogue) -> None:
    """The same file again changes no row: each is counted as unchanged and keeps its version."""
    rows = seeds(BATCH + 20)
    assert counts(catalogue.load(rows)) == (BATCH + 20, 0, 0, 0)
    before = [(seed.public_id, seed.version, seed.last_modified) for seed in catalogue.read(Seed)]
    assert counts(catalogue.load(rows)) == (0, 0, BATCH + 20, 0)
    assert [(seed.public_id, seed.version, seed.last_modified) for seed in catalogue.read(Seed)] == before


def test_an_unchanged_file_may_come_in_another_format(catalogue: Catalogue) -> None:
    """The order of columns, the encoding and the format are no change."""
    catalogue.load([{"external_id": "S-1", "title": "凍結に強い床板", "trl": 4}])
    table = a_text(catalogue.folder, "TRL,発明の名称,管理番号\n4,凍結に強い床板,S-1\n", encoding="cp932")
    assert counts(catalogue.load_path(table)) == (0, 0, 1, 0)


def test_a_changed_row_revises_its_entry(catalogue: Catalogue) -> None:
    """The entry keeps its public id, gets the new text and a new version, and loses its stored vector."""
    catalogue.load(seeds(2))
    (first, _) = catalogue.read(Seed)
    report = catalogue.load([{"external_id": "S-1", "title": "Another coating"}, seeds(2)[1]])
    assert counts(report) == (0, 1, 1, 0)
    (revised, _) = catalogue.read(Seed)
    assert (revised.public_id, revised.title, revised.summary) == (first.public_id, "Another coating", None)
    assert revised.version == first.version + 1
    assert revised.embedding is None


def test_sources_do_not_meet(catalogue: Catalogue) -> None:
    """Two sources may use the same ids: each has entries of its own."""
    catalogue.load(seeds(1), source="one office")
    report = catalogue.load([{"external_id": "S-1", "title": "Something else"}], source="other office")
    assert counts(report) == (1, 0, 0, 0)
    assert report.gone == []
    assert len(catalogue.read(Seed)) == 2


def test_a_row_without_an_id_keeps_its_entry(catalogue: Catalogue) -> None:
    """Its id follows from the title and the owner: the same over runs, and over a revised text."""
    row: Row = {"title": "Freeze-tolerant additive", "summary": "From fish.", "organisation": "北星湾大学"}
    catalogue.load([row])
    (first,) = catalogue.read(Seed)
    assert counts(catalogue.load([row])) == (0, 0, 1, 0)
    assert counts(catalogue.load([{**row, "summary": "From fish skin.", "title": "Ｆreeze-tolerant additive"}])) == (
        0,
        1,
        0,
        0,
    )
    (revised,) = catalogue.read(Seed)
    assert (revised.public_id, revised.summary) == (first.public_id, "From fish skin.")


def test_a_row_without_id_and_title_keeps_its_entry(catalogue: Catalogue) -> None:
    """Where there is no title either, the id follows from the whole content; the title stays missing."""
    rows: list[Row] = [{"summary": "Something about seaweed."}, {"summary": "Something about steel."}]
    assert counts(catalogue.load(rows)) == (2, 0, 0, 0)
    assert counts(catalogue.load(rows)) == (0, 0, 2, 0)
    assert [seed.title for seed in catalogue.read(Seed)] == [None, None]


def test_rows_that_share_a_title_are_told_apart(catalogue: Catalogue) -> None:
    """Rows without an id that share title and owner are different entries when their texts differ."""
    rows: list[Row] = [{"title": "Sensor", "summary": "For soil."}, {"title": "Sensor", "summary": "For snow."}]
    assert counts(catalogue.load(rows)) == (2, 0, 0, 0)
    assert counts(catalogue.load(rows)) == (0, 0, 2, 0)


def test_a_repeated_row_without_an_id_is_reported(catalogue: Catalogue) -> None:
    """The same row twice in a file is one entry, and the second row is rejected with the first one's line."""
    report = catalogue.load([{"title": "Sensor", "summary": "For soil."}] * 3)
    assert counts(report) == (1, 0, 0, 2)
    assert [problem["line"] for problem in report.problems] == [2, 3]
    assert "line 1" in report.problems[0]["reason"]


def test_a_repeated_id_is_reported(catalogue: Catalogue) -> None:
    """The first row with an id goes in; a later one is rejected with the line it repeats, in any batch."""
    report = catalogue.load([*seeds(BATCH + 1), {"external_id": "S-1", "title": "Again"}])
    assert counts(report) == (BATCH + 1, 0, 0, 1)
    (problem,) = report.problems
    assert (problem["line"], problem["value"]) == (BATCH + 2, "S-1")
    assert "repeats the entry of line 1" in problem["reason"]
    assert catalogue.read(Seed)[0].title == "Coating number 1"


def test_gone_rows_are_reported(catalogue: Catalogue) -> None:
    """Entries that a re-sent file no longer holds are named, and stay."""
    catalogue.load(seeds(3))
    report = catalogue.load(seeds(1))
    assert (report.gone, report.withdrawn) == (["S-2", "S-3"], 0)
    assert set(catalogue.statuses().values()) == {"published"}


def test_gone_rows_are_withdrawn_when_the_file_is_complete(catalogue: Catalogue) -> None:
    """With complete they are withdrawn, those of other sources stay, and they come back with the file."""
    catalogue.load(seeds(3))
    catalogue.load([{"external_id": "T-1", "title": "Of another office"}], source="other")
    report = catalogue.load(seeds(1), complete=True)
    assert (report.gone, report.withdrawn) == (["S-2", "S-3"], 2)
    assert catalogue.statuses() == {"S-1": "published", "S-2": "withdrawn", "S-3": "withdrawn", "T-1": "published"}
    assert catalogue.load(seeds(1), complete=True).gone == []
    again = catalogue.load(seeds(3), complete=True)
    assert counts(again) == (0, 2, 1, 0)
    assert (again.gone, again.kept_withdrawn) == ([], 0)
    assert set(catalogue.statuses().values()) == {"published"}


def test_nothing_is_withdrawn_when_a_row_was_rejected(catalogue: Catalogue) -> None:
    """A bad row may be the missing one: gone entries are reported, but stay."""
    catalogue.load(seeds(2))
    report = catalogue.load([seeds(2)[0], {"external_id": "S-2", "title": "Bad", "trl": 12}], complete=True)
    assert (report.gone, report.withdrawn, report.rejected) == (["S-2"], 0, 1)
    assert set(catalogue.statuses().values()) == {"published"}


def _withdraw_by_hand(catalogue: Catalogue, external_id: str) -> None:
    with catalogue.database.session() as session:
        caller = a_caller(session, catalogue.cluster(session), Role.COORDINATOR)
        public_id = session.scalars(select(Seed.public_id).where(Seed.external_id == external_id)).one()
        seed_catalogue.withdraw_seed(session, caller, public_id, None)
        session.commit()


def _revise_by_hand(catalogue: Catalogue, external_id: str, changes: Row) -> None:
    with catalogue.database.session() as session:
        caller = a_caller(session, catalogue.cluster(session), Role.COORDINATOR)
        public_id = session.scalars(select(Seed.public_id).where(Seed.external_id == external_id)).one()
        revision, today = SeedRevision.model_validate(changes), SystemClock().today()
        seed_catalogue.revise_seed(session, caller, public_id, None, revision, ENCODER, today)
        session.commit()


def test_what_was_withdrawn_by_hand_stays_withdrawn(catalogue: Catalogue) -> None:
    """Neither the same row nor a changed one, nor one that says published, brings it back; the report counts it."""
    catalogue.load(seeds(1))
    _withdraw_by_hand(catalogue, "S-1")
    assert catalogue.load(seeds(1)).kept_withdrawn == 0
    report = catalogue.load([{"external_id": "S-1", "title": "Changed", "status": "published"}])
    assert (report.changed, report.kept_withdrawn, report.gone) == (1, 1, [])
    (seed,) = catalogue.read(Seed)
    assert (seed.title, seed.status) == ("Changed", "withdrawn")


def test_a_hold_by_hand_outlives_a_changed_text(catalogue: Catalogue) -> None:
    """An entry put on hold over the API is not published by a corrected text, but by a file that says so."""
    catalogue.load(seeds(1))
    _revise_by_hand(catalogue, "S-1", {"status": "on_hold"})
    catalogue.load([{"external_id": "S-1", "title": "Corrected"}])
    assert catalogue.statuses() == {"S-1": "on_hold"}
    catalogue.load([{"external_id": "S-1", "title": "Corrected", "status": "published"}])
    assert catalogue.statuses() == {"S-1": "published"}


def test_an_unchanged_file_leaves_revisions_alone(catalogue: Catalogue) -> None:
    """What was revised over the API stays until the file itself says something new."""
    catalogue.load(seeds(1))
    _revise_by_hand(catalogue, "S-1", {"title": "Better title"})
    assert counts(catalogue.load(seeds(1))) == (0, 0, 1, 0)
    assert [seed.title for seed in catalogue.read(Seed)] == ["Better title"]


CONFIDENTIAL: Row = {
    "description": "Detail Zebra",
    "requirements": "Requirement Zebra",
    "constraints": "Constraint Zebra",
    "budget_yen": 7_654_321,
    "excluded_organisations": ["Excluded Zebra"],
    "organisation": "Owner Zebra",
}


def _public_row(catalogue: Catalogue) -> str:
    with catalogue.database.session() as session:
        columns = Need.__table__.c
        return repr(session.execute(select(*columns).where(columns.cluster_id == catalogue.cluster_id)).one())


def test_confidential_fields_stay_out_of_the_public_row(catalogue: Catalogue) -> None:
    """Nothing confidential of a need is in any column of its public row; its detail holds all of it."""
    catalogue.load([{"external_id": "N-1", "title": "A floor that does not freeze", **CONFIDENTIAL}], Need)
    row = _public_row(catalogue)
    assert "A floor" in row
    assert "Zebra" not in row
    assert "7654321" not in row
    (need,) = catalogue.read(Need)
    detail = need.detail
    assert (detail.description, detail.requirements, detail.constraints) == (
        "Detail Zebra",
        "Requirement Zebra",
        "Constraint Zebra",
    )
    assert detail.budget_yen == 7_654_321
    assert [exclusion.name for exclusion in detail.exclusions] == ["Excluded Zebra"]


def test_an_anonymous_need_does_not_name_its_owner(catalogue: Catalogue) -> None:
    """The public row names the owner only of a need that is not anonymous; revising the switch follows."""
    row: Row = {"external_id": "N-1", "title": "A floor", "organisation": "凍沢製氷株式会社"}
    for anonymous in (None, False, True):
        catalogue.load([row if anonymous is None else {**row, "anonymous": anonymous}], Need)
        (need,) = catalogue.read(Need)
        owner = catalogue.organisation("凍沢製氷株式会社")
        assert owner is not None
        assert need.detail.owner_id == owner.id
        assert need.organisation_id == (owner.id if anonymous is False else None)


def test_no_report_quotes_confidential_values(catalogue: Catalogue) -> None:
    """Bad confidential cells are located and withheld, in the report and in the problems."""
    bad = {"budget_yen": "Zebra yen", "organisation_corporate_number": "Zebra-1", "description": "Zebra" * 5_000}
    report = catalogue.load([{"external_id": "N-1", "title": "A floor", **bad}], Need)
    assert report.rejected == 1
    assert {problem["value"] for problem in report.problems} == {"(withheld)"}
    assert "Zebra" not in json.dumps([report.problems, report.notes, report.headings], ensure_ascii=False)


def test_owners_are_found_by_number_and_name(catalogue: Catalogue) -> None:
    """The number goes first, then the name in any width; no organisation is added for those."""
    with catalogue.database.session() as session:
        owner = an_organisation(
            session,
            catalogue.cluster(session),
            OrganisationKind.UNIVERSITY,
            "北星湾大学",
            corporate_number="4999900000021",
        )
        session.commit()
    report = catalogue.load(
        [
            {"external_id": "1", "title": "a", "organisation_corporate_number": "４９９９９００００００２１"},
            {"external_id": "2", "title": "b", "organisation": "北星湾大学"},
            {"external_id": "3", "title": "c", "organisation": str(owner.public_id)},
            {"external_id": "4", "title": "d"},
        ]
    )
    assert report.problems == []
    assert [seed.organisation_id for seed in catalogue.read(Seed)] == [owner.id, owner.id, owner.id, None]
    assert (report.organisations_added, report.without_organisation) == ([], 1)


def test_a_new_owner_is_added_and_reported(catalogue: Catalogue) -> None:
    """A university for seeds, a company for needs, each once however many rows name it."""
    report = catalogue.load([{"external_id": str(n), "title": f"t{n}", "organisation": "新設大学"} for n in range(3)])
    assert report.organisations_added == ["新設大学"]
    catalogue.load([{"external_id": "N", "title": "t", "organisation": "新設株式会社"}], Need)
    university, company = catalogue.organisation("新設大学"), catalogue.organisation("新設株式会社")
    assert university is not None
    assert company is not None
    assert (university.kind, company.kind) == (OrganisationKind.UNIVERSITY, OrganisationKind.COMPANY)
    assert catalogue.load([{"external_id": "9", "title": "u", "organisation": "新設大学"}]).organisations_added == []


def test_rows_that_name_no_owner_get_the_one_given(catalogue: Catalogue) -> None:
    """The owner of the whole file goes to the rows without one of their own."""
    with catalogue.database.session() as session:
        owner = an_organisation(session, catalogue.cluster(session), OrganisationKind.UNIVERSITY)
        session.commit()
    report = catalogue.load(seeds(1), owner=owner.id)
    assert [seed.organisation_id for seed in catalogue.read(Seed)] == [owner.id]
    assert report.without_organisation == 0


@pytest.mark.parametrize(
    ("owner", "reason"),
    [
        ({"organisation_corporate_number": "4999900000021"}, "the number names no organisation"),
        ({"organisation": "7d9f1e6c-3a52-4c1b-9a55-0c2c0f7f9a10"}, "the id names no organisation"),
        ({"opened_to": ["7d9f1e6c-3a52-4c1b-9a55-0c2c0f7f9a10"]}, "opened_to"),
    ],
)
def test_an_unknown_name_is_a_located_problem(catalogue: Catalogue, owner: Row, reason: str) -> None:
    """A number or id that names nothing rejects its row alone, also when only looking with strict."""
    rows = [*seeds(1), {"external_id": "S-9", "title": "Good text", **owner}]
    refused = catalogue.load(rows, strict=True)
    assert refused.refused
    assert catalogue.read(Seed) == []
    report = catalogue.load(rows)
    assert counts(report) == (1, 0, 0, 1)
    (problem,) = report.problems
    assert (problem["line"], problem["value"]) == (2, "S-9")
    assert reason in problem["reason"]


def test_strict_takes_a_number_that_an_earlier_row_introduces(catalogue: Catalogue) -> None:
    """A new organisation's number may stand alone after the row that gives its name."""
    rows: list[Row] = [
        {
            "external_id": "1",
            "title": "a",
            "organisation": "北星湾大学",
            "organisation_corporate_number": "4999900000021",
        },
        {"external_id": "2", "title": "b", "organisation_corporate_number": "4999900000021"},
    ]
    assert counts(catalogue.load(rows, strict=True)) == (2, 0, 0, 0)


def test_an_entry_is_opened_to_the_clusters_its_row_names(catalogue: Catalogue) -> None:
    """Openings follow the file where it names any, and stay where it says nothing of them."""
    with catalogue.database.session() as session:
        others = [Cluster(name=f"Neighbour {n}") for n in range(2)]
        session.add_all(others)
        session.commit()
    row: Row = {"external_id": "1", "title": "a"}

    def opened() -> list[int]:
        return [opening.cluster_id for seed in catalogue.read(Seed) for opening in seed.openings]

    catalogue.load([{**row, "opened_to": [str(others[0].public_id)]}])
    assert opened() == [others[0].id]
    catalogue.load([{**row, "opened_to": [str(others[1].public_id)], "title": "b"}])
    assert opened() == [others[1].id]
    catalogue.load([{**row, "title": "c"}])
    assert opened() == [others[1].id]


LATE = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=800)).date().isoformat()


@pytest.mark.parametrize("strict", [False, True])
def test_a_life_of_more_than_two_years_is_a_located_problem(catalogue: Catalogue, strict: bool) -> None:
    """Such a row is rejected with its line; strict refuses the whole file for it and writes nothing."""
    report = catalogue.load([*seeds(1), {"external_id": "S-2", "title": "Long", "expires_on": LATE}], strict=strict)
    (problem,) = report.problems
    assert problem["line"] == 2
    assert "two years" in problem["reason"]
    assert report.refused is strict
    assert list(catalogue.statuses()) == ([] if strict else ["S-1"])


def test_strict_refuses_a_whole_file(catalogue: Catalogue) -> None:
    """One bad row, and nothing is written: no entry, no organisation; a good file is taken."""
    rows = [{**seeds(1)[0], "organisation": "新設大学"}, {"external_id": "S-2", "title": "Bad", "trl": 12}]
    report = catalogue.load(rows, strict=True)
    assert (report.refused, report.read, report.new, report.rejected) == (True, 2, 0, 1)
    assert catalogue.read(Seed) == []
    assert catalogue.organisation("新設大学") is None
    assert counts(catalogue.load(rows[:1], strict=True)) == (1, 0, 0, 0)


def test_bad_rows_do_not_stop_the_good_ones(catalogue: Catalogue) -> None:
    """Each bad cell is reported with line, column, value and reason, each bad row counted once."""
    bad: Row = {"external_id": "S-2", "title": "Bad", "trl": 12, "language": "xx"}
    report = catalogue.load([seeds(1)[0], bad, {"external_id": "S-3", "title": "Good"}])
    assert counts(report) == (2, 0, 0, 1)
    assert {(problem["line"], problem["column"], problem["value"]) for problem in report.problems} == {
        (2, "trl", "12"),
        (2, "language", "xx"),
    }


def test_a_draft_or_a_hold_of_the_file_is_kept(catalogue: Catalogue) -> None:
    """The status column of a file decides for new rows and for changed ones."""
    catalogue.load([{"external_id": "S-1", "title": "a", "status": "draft"}])
    assert catalogue.statuses() == {"S-1": "draft"}
    catalogue.load([{"external_id": "S-1", "title": "a", "status": "on_hold"}])
    assert catalogue.statuses() == {"S-1": "on_hold"}


def test_details_and_exclusions_follow_the_file(catalogue: Catalogue) -> None:
    """A revised need has one detail, with the exclusions of its present row."""
    row: Row = {"external_id": "N-1", "title": "A floor", "excluded_organisations": ["A", "B"]}
    catalogue.load([row], Need)
    catalogue.load([{**row, "excluded_organisations": ["B"], "description": "More"}], Need)
    (need,) = catalogue.read(Need)
    assert [exclusion.name for exclusion in need.detail.exclusions] == ["B"]
    assert need.detail.description == "More"
    with catalogue.database.session() as session:
        details = session.scalars(select(NeedDetail.need_id).join(Need).where(Need.cluster_id == catalogue.cluster_id))
        assert len(details.all()) == 1
        owners = select(Organisation.id).where(Organisation.cluster_id == catalogue.cluster_id)
        assert session.scalars(owners).all() == []


def test_what_has_expired_comes_back_with_a_later_day(catalogue: Catalogue) -> None:
    """A file that keeps an entry for longer publishes it again; one that only mends its words does not."""
    catalogue.load([{"external_id": "S-1", "title": "Seed one"}])
    with catalogue.database.session() as session:
        session.execute(update(Seed).values(status="expired", expires_on=days_from_now(-1)))
        session.commit()
    catalogue.load([{"external_id": "S-1", "title": "Seed one, mended"}])
    assert catalogue.statuses() == {"S-1": "expired"}
    catalogue.load([{"external_id": "S-1", "title": "Seed one", "expires_on": days_from_now(30).isoformat()}])
    assert catalogue.statuses() == {"S-1": "published"}


def test_a_changed_row_brings_back_what_was_turned_down(catalogue: Catalogue) -> None:
    """Where the change answers the reason, and not otherwise; the report counts it."""
    row: Row = {"external_id": "S-1", "title": "Coating", "trl": 3, "organisation": "北星湾大学"}
    catalogue.load([row])
    with catalogue.database.session() as session:
        cluster = session.get_one(Cluster, catalogue.cluster_id)
        seed = session.scalars(select(Seed)).one()
        match = a_match(session, a_need(session, cluster, an_organisation(session, cluster)), seed)
        match.status = MatchStatus.DISMISSED
        session.add(
            MatchStep(
                match_id=match.id, cluster_id=cluster.id, step=Step.DISMISS, side=Side.CLUSTER,
                reason=ReasonCode.TOO_EARLY, before=MatchStatus.SUGGESTED, after=MatchStatus.DISMISSED,
            )
        )  # fmt: skip
        session.commit()
    assert catalogue.load([{**row, "summary": "Another text"}]).reopened == 0
    assert catalogue.load([{**row, "trl": 5}]).reopened == 1
    with catalogue.database.session() as session:
        back = session.scalars(select(Match)).one()
        assert (back.status, back.reopened_for) == (MatchStatus.SUGGESTED, ReasonCode.TOO_EARLY)
        assert back.reopened_since is not None
        assert (back.reopened_since["before"], back.reopened_since["after"]) == (3, 5)


@pytest.mark.parametrize("kind", [Seed, Need])
def test_a_file_does_not_undo_an_introduction(catalogue: Catalogue, kind: Kind) -> None:
    """What others were introduced to becomes no draft and nobody else's: located errors, the other rows go in."""
    one: Row = {"external_id": "E-1", "title": "One", "organisation": "北星湾大学"}
    two: Row = {"external_id": "E-2", "title": "Two", "organisation": "北星湾大学"}
    catalogue.load([one, two], kind)
    with catalogue.database.session() as session:
        cluster = session.get_one(Cluster, catalogue.cluster_id)
        if kind is Seed:
            seed = session.scalars(select(Seed).where(Seed.external_id == "E-1")).one()
            match = a_match(session, a_need(session, cluster), seed)
        else:
            need = session.scalars(select(Need).where(Need.external_id == "E-1")).one()
            match = a_match(session, need, a_seed(session, cluster))
        match.status = MatchStatus.DECLINED
        session.commit()
    for changed in ({**one, "status": "draft"}, {**one, "organisation": "別の大学"}, {**one, "organisation": None}):
        report = catalogue.load([changed, {**two, "summary": str(changed)}], kind)
        assert counts(report) == (0, 1, 0, 1)
        (problem,) = report.problems
        assert (problem["line"], "introduc" in problem["reason"]) == (1, True)
    assert catalogue.statuses(kind)["E-1"] == "published"
    assert counts(catalogue.load([{**one, "title": "One, mended"}, {**two, "status": "draft"}], kind)) == (0, 2, 0, 0)
