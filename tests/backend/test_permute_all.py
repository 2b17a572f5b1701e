import keras
import numpy as np
import pytest
from backends import BACKEND, MODES, compiled, errors_of_fit

from train_by_reconnect import backend

NAMES = ["a", "b", "c"]


def three():
    """Two kernels that are alike, and go together, around one that is not."""
    a, b = np.array([[3.0, 1.0], [2.0, 5.0]], "float32"), np.array([[0.0, 9.0], [1.0, 8.0]], "float32")
    c = np.array([[7.0], [5.0], [6.0]], "float32")
    rows = [np.array([[10, 20], [30, 40]]), np.array([[1, 2, 3]]), np.array([[50, 60], [70, 80]])]
    return [a, c, b], [row.astype("float32") for row in rows]


def permuted(mode, kernels, rows):
    def call(kernels, rows):
        return backend.permute_all(kernels, [(-1,)] * 3, rows, NAMES)

    return compiled(call, mode)(*([keras.ops.convert_to_tensor(each) for each in part] for part in (kernels, rows)))


@pytest.mark.parametrize("route", ["host", "graph"])
@pytest.mark.parametrize("mode", MODES)
def test_by_hand(mode, route, monkeypatch):
    if route == "graph":
        monkeypatch.setattr(f"train_by_reconnect.backend.{BACKEND}.can_call_host", lambda *_: False)
    # Columns are the weight vectors. a: (3, 2) ranks (1, 0), so 10, 20 become (20, 10); (1, 5) keeps 30, 40 in order.
    # c: (7, 5, 6) ranks (2, 0, 1), so (3, 1, 2). b: (0, 1) keeps 50, 60; (9, 8) ranks (1, 0), so (80, 70).
    answers, first = permuted(mode, *three())
    expected = [[[20, 30], [10, 40]], [[3], [1], [2]], [[50, 80], [60, 70]]]
    assert [keras.ops.convert_to_numpy(answer).tolist() for answer in answers] == expected
    assert int(first) == -1


@pytest.mark.parametrize("broken", range(3))
@pytest.mark.parametrize("route", ["host", "graph"])
@pytest.mark.parametrize("mode", MODES)
def test_a_broken_kernel_is_named_also_among_others_like_it(mode, route, broken, monkeypatch):
    if route == "graph":
        monkeypatch.setattr(f"train_by_reconnect.backend.{BACKEND}.can_call_host", lambda *_: False)
    kernels, rows = three()
    kernels[broken][-1, -1] = np.nan
    if mode == "jit":
        answers, first = permuted(mode, kernels, rows)
        assert int(first) == broken
        np.testing.assert_array_equal(answers[broken], kernels[broken])  # never laundered
    else:
        with pytest.raises(errors_of_fit(), match=f"but {NAMES[broken]} holds a NaN"):
            permuted(mode, kernels, rows)


def test_no_kernels():
    answers, first = backend.permute_all([], [], [], [])
    assert answers == []
    assert int(first) == -1


@pytest.mark.parametrize("condition", [True, False])
def test_assign_if(condition):
    variable = keras.Variable(1.0)
    backend.assign_if(keras.ops.convert_to_tensor(condition), [variable], lambda values: [values[0] + 1])
    assert float(variable.numpy()) == 1 + condition
