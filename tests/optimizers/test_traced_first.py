"""A loop of one's own, compiled, whose first trace is where the initial weights are kept."""

import keras
import numpy as np
import pytest
from backends import MODES, applying

from train_by_reconnect import LaPerm


@pytest.mark.filterwarnings("ignore:The layer that owns a variable")
@pytest.mark.parametrize("mode", MODES)
def test_initial_weights_are_kept_in_the_first_step(mode):
    # The weights 3, 1, 2 with rate 1 and gradients 9, 0, 0 become -6, 1, 2: lowest, middle, highest.
    kernel = keras.Variable([[3.0], [1.0], [2.0]])
    optimizer = LaPerm(keras.optimizers.SGD(1.0), sync_period=1)
    optimizer.build([kernel])
    applying(optimizer, [kernel], mode)([keras.ops.convert_to_tensor(np.array([[9.0], [0.0], [0.0]], "float32"))])
    assert kernel.numpy().ravel().tolist() == [1.0, 2.0, 3.0]
