"""Which layer describes a variable: no guess without a warning, and not by the order in which layers are found."""

import gc

import keras
import numpy as np
import pytest

from train_by_reconnect import LaPerm, Layout, describe_layer, describe_variables

layers = keras.layers
GUESS = (
    r"layer that owns a variable says which.*Received: .*kernel, whose axes are now a guess. Name them in `unit_axes`"
)


def built(layer, *shape):
    layer.build((None, *shape))
    return layer


@pytest.fixture
def frozen():
    """A depthwise convolution that `gc.get_objects()` does not show."""
    layer = built(layers.DepthwiseConv1D(2, name="depthwise"), 5, 3)
    gc.freeze()  # again: the imports are frozen already
    return layer


class TestGarbageFrozen:
    def test_model_is_asked(self, frozen):
        assert describe_variables([frozen.kernel], model=frozen) == [Layout("kernel", (-2, -1))]

    def test_warns(self, frozen):
        with pytest.warns(UserWarning, match=GUESS):
            assert describe_variables([frozen.kernel]) == [Layout("kernel", (-1,))]

    def test_optimizer_warns(self, frozen):
        with pytest.warns(UserWarning, match=r"Received: depthwise/kernel, whose.*`gc.freeze\(\)` has hidden"):
            LaPerm("sgd").build(frozen.trainable_variables)

    @pytest.mark.parametrize("axes", [(-2, -1), None])
    def test_cure(self, frozen, axes):
        optimizer = LaPerm("sgd", unit_axes={"depthwise/kernel": axes})
        optimizer.build(frozen.trainable_variables)
        assert optimizer.describe()[0].unit_axes == axes


def test_vectors_are_no_guess():
    assert describe_variables([keras.Variable(np.ones(3)), keras.Variable(1.0)]) == [Layout("bias", ())] * 2


def test_many_are_not_all_named():
    loose = [keras.Variable(np.ones((2, 2)), name=f"v{i}") for i in range(9)]
    with pytest.warns(UserWarning, match="Received: v0, v1, v2, v3, v4 and 4 more, whose"):
        describe_variables(loose)


def test_paths():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="a")], name="net")
    layouts = describe_variables(model.trainable_variables)
    assert [layout.path for layout in layouts] == ["net/a/kernel", "net/a/bias"]
    assert repr(layouts[0]) == "Layout(kind='kernel', unit_axes=(-1,), path='net/a/kernel')"


class Rows(layers.Layer):
    """A layer that uses the kernel of another, with a neuron for each row."""

    def __init__(self, other, **kwargs):
        super().__init__(**kwargs)
        self.other = other
        self.built = True


@describe_layer.register
def _(layer: Rows):
    return [(layer.other, Layout("kernel", (0,)))]


class TestShared:
    @pytest.mark.parametrize("maker_first", [True, False])
    def test_the_maker_decides(self, maker_first, monkeypatch):
        dense = built(layers.Dense(3), 4)
        found = [dense, Rows(dense.kernel)]
        monkeypatch.setattr(
            "train_by_reconnect.weights.variables._layers_alive", lambda: found if maker_first else found[::-1]
        )
        assert describe_variables([dense.kernel]) == [Layout("kernel", (-1,))]

    @pytest.mark.parametrize("order", [1, -1])
    def test_none_made_it(self, order, monkeypatch):
        class Columns(Rows):
            pass

        describe_layer.register(Columns, lambda layer: [(layer.other, Layout("kernel", (-1,)))])
        loose = keras.Variable(np.ones((2, 3)), name="kernel")
        monkeypatch.setattr(
            "train_by_reconnect.weights.variables._layers_alive", lambda: [Rows(loose), Columns(loose)][::order]
        )
        with pytest.warns(UserWarning, match=GUESS):
            assert describe_variables([loose]) == [Layout("kernel", (-1,))]

    def test_they_agree(self, monkeypatch):
        loose = keras.Variable(np.ones((2, 3)), name="kernel")
        monkeypatch.setattr("train_by_reconnect.weights.variables._layers_alive", lambda: [Rows(loose), Rows(loose)])
        assert describe_variables([loose]) == [Layout("kernel", (0,))]


class Broken(layers.Layer):
    """A layer of somebody else that cannot be described."""

    def build(self, input_shape):
        self.table = self.add_weight(shape=(2, 2))


@describe_layer.register
def _(layer: Broken):
    raise RuntimeError("broken")


def test_a_layer_that_cannot_be_described():
    broken, dense = built(Broken(), 2), built(layers.Dense(3), 4)
    assert describe_variables([dense.kernel]) == [Layout("kernel", (-1,))]
    with pytest.raises(RuntimeError, match="broken"):
        describe_variables([broken.table])
