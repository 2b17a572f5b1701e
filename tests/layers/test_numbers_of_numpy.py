"""Initializers take NumPy's numbers, and refuse what is no number."""

import keras
import numpy as np
import pytest
from backends import to_numpy

from train_by_reconnect import PositiveUniform, SignedConstant


@pytest.mark.parametrize("number", [np.float32(0.25), np.float64(0.25), np.float16(0.25)])
def test_a_number_of_numpy_is_a_number(number):
    for made, name in ((SignedConstant(number), "magnitude"), (PositiveUniform(number), "high")):
        assert type(made.get_config()[name]) is float
        again = keras.initializers.deserialize(keras.initializers.serialize(made))
        assert getattr(again, name) == 0.25
    assert np.unique(np.abs(to_numpy(SignedConstant(number, positive=number)((9, 9))))).tolist() == [0.25]
    assert type(SignedConstant(positive=number).get_config()["positive"]) is float
    assert SignedConstant(np.int64(2)).magnitude == 2.0


@pytest.mark.parametrize(
    "value", [None, "she", np.float32(-1), np.float32(np.nan), np.inf, [0.1], np.array([0.1, 0.2])]
)
def test_what_is_none_is_refused(value):
    with pytest.raises(
        ValueError, match=r'`magnitude` must be "he" or a number above 0.*Received: magnitude=.*Pass e.g'
    ):
        SignedConstant(value)
    with pytest.raises(ValueError, match=r"`high` must be a number above 0.*Received: high=.*Pass e.g"):
        PositiveUniform(value)
    with pytest.raises(ValueError, match=r"`positive` must be a probability from 0 to 1.*Received"):
        SignedConstant(positive=value)
