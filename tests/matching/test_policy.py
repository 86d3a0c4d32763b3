"""A policy is a frozen, named set of four weights that can be stored and read back."""

import copy
import json
import pickle

import pytest

from enmusubi.matching.policy import DEFAULT, PARTS, LearnedFrom, Policy, digest_of

LEARNED = Policy(
    "learned-0badcafe",
    {"similarity": 1.0, "terms": 0.125, "hub_across": -0.1, "hub_alike": 0.0},
    LearnedFrom(decisions=200, groups=20, pairs=150, default="evidence-1"),
)


def test_the_default_weighs_the_four_parts() -> None:
    """The default policy is evidence-1: evidence counts for a match, hubs against it."""
    assert DEFAULT.name == "evidence-1"
    assert dict(DEFAULT.weights) == {"similarity": 1.0, "terms": 0.5, "hub_across": -0.5, "hub_alike": -0.2}


def test_a_score_is_the_weighted_sum_of_the_parts() -> None:
    """Each part contributes its weight times its value."""
    values = {"similarity": 0.5, "terms": 0.25, "hub_across": 0.25, "hub_alike": 0.5}

    assert DEFAULT.score(values) == pytest.approx(0.5 + 0.125 - 0.125 - 0.1)


@pytest.mark.parametrize("policy", [DEFAULT, LEARNED], ids=lambda policy: policy.name)
def test_a_policy_survives_json(policy: Policy) -> None:
    """What was written is read back equal, to the last bit of each weight."""
    read = Policy.from_json(policy.as_json())

    assert read == policy
    assert hash(read) == hash(policy)
    assert read.digest == policy.digest


@pytest.mark.parametrize("again", [copy.deepcopy, lambda policy: pickle.loads(pickle.dumps(policy))])
def test_a_policy_can_be_copied_and_pickled(again: object) -> None:
    """A policy goes to another process unchanged."""
    assert callable(again)
    assert again(LEARNED) == LEARNED


def test_weights_cannot_change_under_a_name() -> None:
    """Neither the policy's mapping nor the one it was made from reaches into it."""
    weights = dict(DEFAULT.weights)
    policy = Policy("own", weights)
    weights["terms"] = 2.0

    assert policy.weights["terms"] == 0.5
    with pytest.raises(TypeError):
        policy.weights["terms"] = 2.0  # type: ignore[index]


def test_the_digest_is_of_the_weights_alone() -> None:
    """Policies that rank alike have the same digest, whatever the name, the order of the parts and the sign of zero."""
    renamed = Policy("other", dict(sorted(LEARNED.weights.items())) | {"hub_alike": -0.0})

    assert renamed.digest == LEARNED.digest == digest_of(LEARNED.weights)
    assert DEFAULT.digest != LEARNED.digest


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"terms": -0.1}, "terms is -0.1; it must be 0 or more"),
        ({"similarity": -1.0}, "similarity is -1.0; it must be 0 or more"),
        ({"hub_alike": 0.1}, "hub_alike is 0.1; it must be 0 or less"),
        ({"terms": float("nan")}, "terms is nan, not a finite number"),
        ({"terms": "much"}, "terms is 'much', not a finite number"),
        ({"terms": True}, "terms is True, not a finite number"),
        ({"luck": 1.0}, "weights are for similarity, terms, hub_across, hub_alike, not for"),
    ],
)
def test_a_bad_weight_is_named(change: dict[str, float], message: str) -> None:
    """A weight that is no number, has the wrong sign or is of an unknown part is refused by name."""
    with pytest.raises(ValueError, match=message):
        Policy("own", {**DEFAULT.weights, **change})


def test_a_missing_part_or_name_is_refused() -> None:
    """A policy weighs every part and has a name."""
    with pytest.raises(ValueError, match="not for similarity"):
        Policy("own", {"similarity": 1.0})
    with pytest.raises(ValueError, match="needs a name"):
        Policy(" ", DEFAULT.weights)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[]", "JSON object with exactly name"),
        (json.dumps({"name": "own", "weights": {}}), "JSON object with exactly name"),
        (LEARNED.as_json().replace("0.125", "0.5"), "learned-0badcafe: its digest does not fit its weights"),
        (LEARNED.as_json().replace('"pairs"', '"couples"'), "learned_from has exactly decisions"),
        (LEARNED.as_json().replace("150", "-1"), "three counts"),
    ],
)
def test_a_policy_that_was_altered_is_refused(text: str, message: str) -> None:
    """JSON that no policy wrote is refused, saying what is wrong with it."""
    with pytest.raises(ValueError, match=message):
        Policy.from_json(text)


def test_the_parts_are_those_of_the_default() -> None:
    """The order of the parts in arrays is the order in which the default states them."""
    assert tuple(DEFAULT.weights) == PARTS
