"""What is left of statistics where no need may count is the same to the last bit, whatever needs there are."""

from pathlib import Path

import numpy as np
import pytest

from enmusubi.matching.encoder import Role
from enmusubi.matching.encoder.bundled import MODEL_NAME, find_data_file
from enmusubi.matching.rows import Rows
from enmusubi.matching.snapshot import Snapshot, build
from enmusubi.matching.stand_ins import StandIns, stand_ins, write
from enmusubi.matching.statistics import Statistics, estimate
from tests.matching.entries import unit_rows

DIMENSION = 16
INVENTED = StandIns(unit_rows(20, DIMENSION, 7), ("en", "ja") * 10)


def _statistics(needs: int, languages: tuple[str, ...]) -> Statistics:
    found, _ = estimate(
        {"seed": unit_rows(40, DIMENSION, 1), "need": unit_rows(needs, DIMENSION, 2)},
        {"seed": ["en"] * 30 + ["fr"] * 10, "need": [languages[row % len(languages)] for row in range(needs)]},
    )
    return found


@pytest.mark.parametrize("invented", [INVENTED, StandIns.none(DIMENSION)], ids=["stand-ins", "none"])
@pytest.mark.parametrize("languages", [("en",), ("ja", "ko", "fr")])
def test_no_need_changes_what_is_left(invented: StandIns, languages: tuple[str, ...]) -> None:
    """Also where needs speak languages that no seed does; texts of either side, in any language, and hubs."""
    alone, beside = (_statistics(count, languages).without_needs(invented) for count in (0, 300))
    rows, keys = unit_rows(5, DIMENSION, 3), np.arange(-5, 0)
    for spoken in ("en", "fr", "ja", "ko", "fi"):
        roles: tuple[Role, Role] = ("seed", "need")
        for role in roles:
            centred = alone.centred(rows, role, [spoken] * 5)
            assert np.array_equal(centred, beside.centred(rows, role, [spoken] * 5))
            for one, other in zip(alone.hubs(centred, role, keys), beside.hubs(centred, role, keys), strict=True):
                assert (one is None) == (other is None)
                assert one is None or other is None or np.array_equal(one, other)
            asked = np.linspace(-1, 1)
            assert np.array_equal(alone.expectation(asked, role), beside.expectation(asked, role))


def test_stand_ins_count() -> None:
    """They take the place of needs: what needs share is taken away, and seeds near to them are hubs."""
    found = _statistics(300, ("en",))
    common = StandIns(np.repeat(unit_rows(1, DIMENSION, 9), 50, axis=0), ("en",) * 50)
    left = found.without_needs(common)
    assert left.means["need"][left.languages.index("en")] @ common.matrix[0] > 0.8
    across, _ = left.hubs(unit_rows(3, DIMENSION, 4), "seed", np.arange(3))
    assert across is not None
    assert (
        found.without_needs(StandIns.none(DIMENSION)).hubs(unit_rows(3, DIMENSION, 4), "seed", np.arange(3))[0] is None
    )


def test_a_snapshot_without_needs_has_its_seeds_and_none(tmp_path: Path) -> None:
    """The same keys and terms of seeds, and no row to be found on the other side."""

    class Identity:
        model, revision, precision, dimension, fingerprint = "m", "r", "p", DIMENSION, "f"

    rows = Rows(np.arange(20), unit_rows(20, DIMENSION), ["en"] * 20, ["frost panel"] * 20)
    manifest = build(
        tmp_path, encoder=Identity(), analysis="a", seeds=[rows], needs=[rows], watermark=0, database="d", cluster="c"
    )
    whole = Snapshot.open(tmp_path / manifest.id)
    left = whole.without_needs(INVENTED)
    assert (left.id, left.count("seed"), left.count("need")) == (whole.id, 20, 0)
    assert left.weigh("seed", ["frost"]) == whole.weigh("seed", ["frost"])
    assert left.weigh("need", ["frost"]) != whole.weigh("need", ["frost"])


def test_stand_ins_are_of_one_model(tmp_path: Path) -> None:
    """Vectors of another model lie elsewhere: it has none. Those that are shipped are unit vectors in two languages."""
    data_file = find_data_file()
    assert len(stand_ins(MODEL_NAME, "another revision", DIMENSION).matrix) == 0
    assert len(stand_ins("another model", data_file.revision, DIMENSION).matrix) == 0
    # Else every company would be ranked without them, and nobody would notice.
    found = stand_ins(MODEL_NAME, data_file.revision, 384)
    assert found.matrix.shape == (111, 384)
    assert set(found.languages) == {"en", "ja"}
    assert np.allclose(np.linalg.norm(found.matrix, axis=1), 1, atol=1e-6)


def test_what_is_written_is_what_was_made(tmp_path: Path) -> None:
    """In half precision, with what it was made by."""
    write(tmp_path / "made.npz", "model", "revision", INVENTED)
    with np.load(tmp_path / "made.npz", allow_pickle=False) as arrays:
        assert np.allclose(arrays["matrix"], INVENTED.matrix, atol=1e-3)
        assert arrays["made_with"].tobytes() == b"model\nrevision"
