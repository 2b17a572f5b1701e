"""Functions of one variable, and networks that approximate them by permuting the weights of one layer."""

import dataclasses
import typing

import keras
import numpy as np

from scripts.data.datasets import Dataset
from scripts.running.choices import check_choice
from scripts.running.observers import Observation

FUNCTIONS = {
    "sine": lambda x: -np.sin(2 * np.pi * x),
    "legendre_3": lambda x: (5 * x**3 - 3 * x) / 2,
}
_TEST_POINTS = 400


def _equidistant(pairs, random):
    return np.linspace(-1, 1, pairs), random.permutation(np.linspace(-1, 1, 2 * pairs))


def _pairwise(pairs, random):
    biases, coefficients = random.uniform(-1, 1, (2, pairs))
    return biases, np.concatenate([coefficients, -coefficients])


def _uniform(pairs, random):
    return random.uniform(-1, 1, 2 * pairs), random.uniform(-1, 1, 2 * pairs)


# Pairs of biases, one for each pair of neurons or for each neuron, and coefficients, one for each neuron.
INITIAL = {"equidistant": _equidistant, "pairwise": _pairwise, "uniform": _uniform}


@dataclasses.dataclass(frozen=True)
class FunctionValues:
    """A function from [-1, 1] to the real numbers as one training sees it.

    The test set is 400 equidistant points with both ends; all others are drawn uniformly, once and for all.

    Args:
        name: str, of `FUNCTIONS`.
        points: int, of the training set. Defaults to 6400.
        validation: int, held-out points for the curve. Defaults to 400.
    """

    name: str
    points: int = 6400
    validation: int = 400

    augmentation: typing.ClassVar = None

    def __post_init__(self):
        """Refuse a function that there is not."""
        check_choice("name", self.name, FUNCTIONS)

    def load(self, directory):
        """The points and the function's values there, both of shape (n, 1); no folder is looked at."""
        random = np.random.default_rng(0)
        points = {
            "test": np.linspace(-1, 1, _TEST_POINTS),
            "val": random.uniform(-1, 1, self.validation),
            "train": random.uniform(-1, 1, self.points),
        }
        parts = {}
        for part, x in points.items():
            parts[f"x_{part}"] = x.astype("float32")[:, np.newaxis]
            parts[f"y_{part}"] = FUNCTIONS[self.name](x).astype("float32")[:, np.newaxis]
        return Dataset(self.name, 1, **parts)


@dataclasses.dataclass(frozen=True)
class OneHiddenLayer:
    """A network of pairs of ReLU neurons, one that looks up and one that looks down, with fixed weights and biases.

    It computes `alpha + gamma * sum_i (p_i ReLU(x + b_i) + q_i ReLU(-x + b_i))`. Trained are the coefficients `p` and
    `q`, the only weights of the layer `coefficients`, and `alpha` and `gamma` of the layer `scale`, which start at 0
    and 1.

    Args:
        pairs: int, n; there are twice as many neurons.
        initial: str, of `INITIAL`: `"equidistant"` biases and coefficients, these in random order; `"pairwise"`, both
            uniform, and the coefficients of a pair each other's negatives; `"uniform"`, all drawn alone.
    """

    pairs: int
    initial: str = "equidistant"

    def __post_init__(self):
        """Refuse a name that nothing has."""
        check_choice("initial", self.initial, INITIAL)

    def build(self, loaded, seed):
        """An uncompiled `keras.Model` from (batch, 1) to (batch, 1)."""
        biases, coefficients = INITIAL[self.initial](self.pairs, np.random.default_rng(seed))
        inputs = keras.Input((1,), name="x")
        hidden = keras.layers.Dense(2 * self.pairs, "relu", trainable=False, name="hidden")
        output = keras.layers.Dense(1, use_bias=False, name="coefficients")
        scale = keras.layers.Dense(1, kernel_initializer="ones", name="scale")
        model = keras.Model(inputs, scale(output(hidden(inputs))), name="one_hidden_layer")
        hidden.set_weights([np.repeat([[1, -1]], self.pairs, axis=1), np.resize(biases, 2 * self.pairs)])
        output.set_weights([coefficients[:, np.newaxis]])
        return model


@dataclasses.dataclass(frozen=True)
class Approximation:
    """At the end, the largest error of all test points, and whether the coefficients are the initial ones, permuted."""

    def observe(self, prepared):
        """Keep the initial coefficients."""
        kernel, loaded = prepared.model.get_layer("coefficients").kernel, prepared.loaded
        initial = np.sort(kernel.numpy(), axis=None)

        def summary():
            answers = prepared.model.predict(loaded.x_test, batch_size=1000, verbose=0)
            return {
                "test_largest_error": float(np.abs(answers - loaded.y_test).max()),
                "is_permutation": np.array_equal(np.sort(kernel.numpy(), axis=None), initial),
            }

        return Observation(summary=summary)
