"""Verdicts, by hand: each number's mean and standard error are in a comment."""

import math

import pandas as pd
import pytest

from scripts.publishing.claims import Claim, Ours, Remark, claims_beside_ours, in_points
from scripts.publishing.verdicts import (
    ABOVE,
    BELOW,
    CANNOT_TELL,
    CLEARLY_BELOW,
    DOES_NOT_HOLD,
    HOLDS,
    IN_DIRECTION,
    SLIGHTLY_BELOW,
    Stated,
    accuracy,
    as_good,
    at_most,
    between,
    difference,
    no_worse,
    number,
    overall,
    verdict,
)


@pytest.mark.parametrize(
    ("values", "stated", "expected"),
    [
        # A loss of 36 against ours of 14.6, all seeds agreeing: 14.6 / 36 = 41 %, less than half.
        ((-0.14, -0.15, -0.148), number(-0.36), IN_DIRECTION),
        # 2.1 lost against 0.2 gained: seeds 0.1, 0.2 and 0.3, error 0.1 / sqrt(3) = 0.06.
        ((0.001, 0.002, 0.003), number(-0.021), DOES_NOT_HOLD),
        # The band of 2 points is 1 to 3, with its ends.
        ((0.03, 0.03), number(0.02), HOLDS),
        ((0.009, 0.0095), number(0.02), IN_DIRECTION),
        # Mean 4, beyond 3; but 2 lies between 1 and 7.
        ((0.01, 0.07), number(0.02), HOLDS),
        # Mean 1, deviation sqrt((4 + 1 + 9) / 2) = 2.65, error 1.53: larger than the mean.
        ((-0.01, 0.0, 0.04), number(0.01), CANNOT_TELL),
        # Mean 4, deviation 3.6, error 2.08: the sign is sure though one seed has the other.
        ((-0.0001, 0.05, 0.07), ABOVE, HOLDS),
        ((0.05, 0.07), BELOW, DOES_NOT_HOLD),
        # Nothing is no rise, in any seed.
        ((0.0, 0.0, 0.0), ABOVE, DOES_NOT_HOLD),
        ((-0.005, -0.004), CLEARLY_BELOW, IN_DIRECTION),
        ((-0.0337, -0.0331), SLIGHTLY_BELOW, IN_DIRECTION),
        # As good: mean 0.5 and error 0.1, then mean 0.5 and error 1.5, with a seed outside.
        ((0.004, 0.006), as_good(), HOLDS),
        ((-0.01, 0.02), as_good(), CANNOT_TELL),
        # Mean -2: outside by 1 point, with an error of 0.1, and of 1.5 with a seed inside.
        ((-0.019, -0.021), as_good(), DOES_NOT_HOLD),
        ((-0.005, -0.035), as_good(), CANNOT_TELL),
        ((0.3, 0.5), no_worse(), HOLDS),
        ((-0.0025, -0.0024), no_worse(0.001), DOES_NOT_HOLD),
        # An accuracy: 30 seeds around 32 % are above chance but not 53 %, and 98.1 % is within a point of 98.05 %.
        ((0.2, 0.45) * 15, accuracy(0.53, 0.1), IN_DIRECTION),
        ((0.98, 0.982), accuracy(0.9805), HOLDS),
        ((0.35, 0.36), accuracy(0.138), DOES_NOT_HOLD),
        # A ratio of 0.2 to 0.5 is below 1: 0.1 to 0.75 agree.
        ((0.12, 0.13), between(0.2, 0.5, origin=1), HOLDS),
        ((0.09, 0.08), between(0.2, 0.5, origin=1), IN_DIRECTION),
        ((1.2, 1.3), between(0.2, 0.5, origin=1), DOES_NOT_HOLD),
        ((0.0793, 0.0795), at_most(0.08), HOLDS),
        ((0.09, 0.1), at_most(0.08), DOES_NOT_HOLD),
        # One seed, none, and one of which a number is missing.
        ((0.02,), number(0.02), CANNOT_TELL),
        ((), ABOVE, CANNOT_TELL),
        ((0.02, math.nan), ABOVE, CANNOT_TELL),
    ],
)
def test_verdicts_by_hand(values, stated, expected):
    assert verdict(values, stated) == expected


def test_signs():
    assert [stated.sign for stated in (ABOVE, BELOW, as_good(), no_worse(), at_most(0.1))] == [1, -1, 0, 0, 0]
    assert difference(0.0009) == as_good()
    assert difference(-0.0113) == number(-0.0113)
    assert Stated(low=1.5, origin=1).sign == 1


def test_of_several_numbers_all_must_hold():
    assert overall([HOLDS, HOLDS]) == HOLDS
    assert overall([HOLDS, IN_DIRECTION]) == IN_DIRECTION
    assert overall([HOLDS, IN_DIRECTION, CANNOT_TELL]) == CANNOT_TELL
    assert overall([CANNOT_TELL, DOES_NOT_HOLD, HOLDS]) == DOES_NOT_HOLD
    assert overall([]) == CANNOT_TELL
    # Of most: 2 of 3 hold, fail, have the direction at least, and no verdict has more than half.
    assert overall([HOLDS, DOES_NOT_HOLD, HOLDS], most=True) == HOLDS
    assert overall([HOLDS, DOES_NOT_HOLD, DOES_NOT_HOLD], most=True) == DOES_NOT_HOLD
    assert overall([HOLDS, IN_DIRECTION, DOES_NOT_HOLD], most=True) == IN_DIRECTION
    assert overall([HOLDS, DOES_NOT_HOLD, CANNOT_TELL], most=True) == CANNOT_TELL
    assert overall([HOLDS, DOES_NOT_HOLD], most=True) == CANNOT_TELL


def test_what_is_printed():
    found = {"k = 20": Ours((0.01, 0.02), "+1.50 points"), "k = 10": Ours((-0.01, -0.02), "-1.50 points")}
    claim = Claim("Larger k are better.", lambda curves: {name: found[name] for name in curves}, ABOVE)
    assert claim.text(["k = 20"]) == (
        "The paper claims: Larger k are better. Ours: k = 20: +1.50 points. Verdict: holds."
    )
    assert claim.text([*found]) == (
        "The paper claims: Larger k are better. Ours: k = 20: +1.50 points (holds); k = 10: -1.50 points (does not "
        "hold). Verdict: does not hold (1 of 2 hold)."
    )
    assert claim.text([]) == "The paper claims: Larger k are better. Ours: not run. Verdict: cannot tell."
    remark = Remark("It does not say why.", lambda curves: ", ".join(curves))
    page = claims_beside_ours([claim, remark], ["k = 20"])
    assert "\n- It does not say why. Ours: k = 20.\n\nThe verdicts are computed" in page
    assert claims_beside_ours([remark], []) == ""
    assert "Verdict" not in claims_beside_ours([remark], ["k = 20"])
    assert "verdict" not in claims_beside_ours([remark], ["k = 20"])


def test_differences_in_points_are_of_the_seeds_that_both_have():
    frame = pd.DataFrame({0: [0.01, math.nan], 1: [0.03, 0.04]}, index=["a", "b"])
    found = in_points(frame)
    assert [(name, ours.text) for name, ours in found.items()] == [("a", "+2.00 points"), ("b", "+4.00 points")]
    assert [len(ours.values) for ours in found.values()] == [2, 1]
