"""Which answers change."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train_by_reconnect import agreement

ANSWERS = st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=1, max_size=50)


def test_solved_by_hand():
    # Of five: right twice; right, then wrong; wrong, then right; wrong twice with the same answer, and with another.
    # So 2 of 5 agree, 1 is lost and 1 gained; 1 - 0.4 - 0.2 - 0.2 = 0.2 goes from wrong to another wrong.
    found = agreement([3, 3, 3, 3, 3], before=[3, 3, 0, 1, 1], after=[3, 0, 3, 1, 2])
    assert found == {"agreement": 0.4, "lost": 0.2, "gained": 0.2}


@given(ANSWERS)
def test_accuracy_changes_by_what_is_gained_and_lost(answers):
    labels, before, after = np.array(answers).T
    found = agreement(labels, before, after)
    assert np.mean(after == labels) - np.mean(before == labels) == pytest.approx(found["gained"] - found["lost"])
    assert sum(found.values()) <= 1 + 1e-9
    assert agreement(labels, before, before) == {"agreement": 1.0, "lost": 0.0, "gained": 0.0}


@pytest.mark.parametrize("shapes", [(0, 0, 0), (3, 3, 2), (3, (3, 1), 3)])
def test_wrong_shapes(shapes):
    with pytest.raises(ValueError, match=r"Expected one label and one answer.*Received: labels of shape .*Pass class"):
        agreement(*map(np.zeros, shapes))
