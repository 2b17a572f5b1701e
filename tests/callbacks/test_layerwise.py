import collections

import keras
import numpy as np
import pytest
from backends import BACKEND, OwnTrainStep, current, only_on, several_steps_at_once

from train_by_reconnect import backend
from train_by_reconnect.callbacks.layerwise import LayerwiseTraining
from train_by_reconnect.callbacks.layerwise_schemes import MiddleOnly, RandomBeta, RandomUniform, TopAndBottom
from train_by_reconnect.callbacks.sync_evaluation import SyncEvaluation
from train_by_reconnect.optimizers.laperm import LaPerm
from train_by_reconnect.optimizers.lookahead import Lookahead
from train_by_reconnect.weights.trainable_layers import trainable_layers

layers = keras.layers
GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(8, 3)).astype("float32")
Y = GENERATOR.normal(size=(8, 1)).astype("float32")
TOP = TopAndBottom(top=1)


class Drawn:
    """A generator whose numbers are given."""

    def __init__(self, value):
        self.value = value

    def random(self):
        return self.value

    def integers(self, low, high):
        assert low <= self.value < high
        return self.value

    def beta(self, alpha, beta):
        return self.value


class Alternate:
    """The layers of a list of draws, one after the other."""

    def __init__(self, *draws):
        self.draws = list(draws)

    def draw(self, generator, depth):
        return self.draws.pop(0) or tuple(range(depth))


class Counting(keras.Model):
    """Keeps what `look` finds each time that Python runs its train step, which a compiled one does once."""

    def train_step(self, *arguments):
        answer = super().train_step(*arguments)
        self.traces = [*getattr(self, "traces", []), self.look()]
        return answer

    def look(self):
        return None


class Subclassed(OwnTrainStep):
    """Three dense layers, and a train step of its own."""

    def __init__(self):
        super().__init__()
        self.parts = [layers.Dense(2), layers.Dense(2), layers.Dense(1)]

    def call(self, x, training=False):
        for part in self.parts:
            x = part(x)
        return x


def network(optimizer="adam", model_class=keras.Model, **compiled):
    keras.utils.set_random_seed(1)
    x = inputs = keras.Input((3,))
    for units, name in ((2, "bottom"), (2, "middle"), (1, "top")):
        x = layers.Dense(units, name=name)(x)
    model = model_class(inputs, x)
    model.compile(optimizer=optimizer, loss="mse", **compiled)
    return model


def fit(model, *callbacks, **arguments):
    arguments = {"batch_size": 4, "epochs": 1, "shuffle": False, "verbose": 0, **arguments}
    return model.fit(X, Y, callbacks=list(callbacks), **arguments).history


def values_of(variables):
    return [np.array(variable) for variable in variables]


def changed(before, after):
    return [not np.array_equal(old, new) for old, new in zip(before, after, strict=True)]


def test_layers_of_each_scheme_by_hand():
    # Of d = 5 layers: the top 2 are 3 and 4, the bottom 1 is 0.
    fixed = Drawn(0.5)
    assert TopAndBottom(top=2).draw(fixed, 5) == (3, 4)
    assert TopAndBottom(bottom=2).draw(fixed, 5) == (0, 1)
    assert TopAndBottom(top=2, bottom=1).draw(fixed, 5) == (0, 3, 4)
    assert TopAndBottom(top=3, bottom=3).draw(fixed, 5) == (0, 1, 2, 3, 4)  # 2 is in both
    assert MiddleOnly().draw(fixed, 5) == (1, 2, 3)
    # Bernoulli with 0.1: a number in [0, 0.1) trains the bottom, 0.1 does not.
    for bottom, with_bottom in ((1, (0, 3, 4)), ("all", (0, 1, 2, 3, 4))):
        scheme = TopAndBottom(top=2, bottom=bottom, probability=0.1)
        assert scheme.draw(Drawn(0.09), 5) == with_bottom
        assert scheme.draw(Drawn(0.1), 5) == (3, 4)
    # k = 2; and k = round(1 + 4 b): b = 0.3 gives round(2.2) = 2, b = 0 gives 1, b = 0.9 gives round(4.6) = 5.
    assert RandomUniform().draw(Drawn(2), 5) == (3, 4)
    assert [len(RandomBeta().draw(Drawn(b), 5)) for b in (0.3, 0.0, 0.9)] == [2, 1, 5]
    assert RandomBeta().draw(Drawn(0.3), 5) == (3, 4)


def test_distribution_of_the_random_schemes():
    # Uniform: each k of 1..4 in a quarter of 4000 draws, with a standard deviation of 27. Beta(2, 5) over [1, 4]: k = 1
    # is b < 1/6, and F(b) = 1 - (1 - b)^6 - 6 b (1 - b)^5 is 0.263 there; k = 4 is b >= 5/6, 31 / 6^6 = 0.0007.
    generator = np.random.default_rng(0)
    uniform = collections.Counter(len(RandomUniform().draw(generator, 4)) for _ in range(4000))
    assert sorted(uniform) == [1, 2, 3, 4]
    assert all(abs(count - 1000) < 140 for count in uniform.values())
    beta = collections.Counter(len(RandomBeta().draw(generator, 4)) for _ in range(4000))
    assert abs(beta[1] / 4000 - 0.263) < 0.035
    assert beta[4] < 20


def test_layers_of_a_network():
    shared = layers.Dense(2, name="shared")
    block = keras.Sequential([keras.Input((2,)), shared, layers.PReLU(), layers.Dense(2, name="inner")])
    frozen = layers.Dense(2, name="frozen", trainable=False)
    x = inputs = keras.Input((2,))
    for layer in (layers.BatchNormalization(), shared, frozen, block, layers.LayerNormalization(), layers.Dense(1)):
        x = layer(x)
    found = trainable_layers(keras.Model(inputs, x))
    assert [layer.name for layer, _ in found][:2] == ["shared", "inner"]
    names = [[variable.name for variable in variables] for _, variables in found]
    assert names == [
        ["gamma", "beta", "kernel", "bias", "alpha"],
        ["kernel", "bias", "gamma", "beta"],
        ["kernel", "bias"],
    ]


def two_convolutions(model_class=keras.Model):
    inputs = keras.Input((4, 4, 1))
    x = layers.Conv2D(2, 2)(layers.Conv2D(2, 2)(inputs))
    model = model_class(inputs, layers.Dense(1, use_bias=False)(layers.Flatten()(x)))
    model.compile(optimizer="sgd", loss="mse")
    return model, np.ones((4, 4, 4, 1), "float32"), Y[:4]


@only_on("tensorflow", "its graphs")
def test_the_frozen_bottom_is_not_differentiated():
    # Two convolutions and a dense layer. What runs in a step for all layers: the gradients of 2 kernels of convolutions
    # and of 2 biases, that of 1 input of a convolution (the upper one's), and 3 multiplications of matrices, 1 forward,
    # 1 for the dense kernel and 1 for its input; it has no bias, of which Keras makes one operation or another. For the
    # top only the dense kernel's is left. For the middle the errors go through the dense layer to 1 kernel, for the
    # bottom also through the upper convolution.
    import tensorflow as tf

    class Graphs(Counting):
        """Keeps the types of all operations, and of those that an update needs."""

        def look(self):
            operations = tf.compat.v1.get_default_graph().get_operations()
            waiting = [each for each in operations if each.type.startswith("Assign")]
            needed = {}
            while waiting:
                operation = waiting.pop()
                if operation.name not in needed:
                    needed[operation.name] = operation.type
                    waiting += [tensor.op for tensor in operation.inputs] + operation.control_inputs
            return tuple(each.type for each in operations), tuple(needed.values())

    model, *data = two_convolutions(Graphs)
    model.fit(*data, epochs=4, verbose=0, callbacks=[LayerwiseTraining(Alternate(None, (2,), (1,), (0,)))])
    backward = ("Conv2DBackpropFilter", "Conv2DBackpropInput", "BiasAddGrad")
    full, top, middle, bottom = ([needed.count(name) for name in (*backward, "MatMul")] for _, needed in model.traces)
    assert full == [2, 1, 2, 3]
    assert top == [0, 0, 0, 2]
    assert middle == [1, 0, 1, 2]
    assert bottom == [1, 1, 1, 2]
    everything, _ = model.traces[1]  # also what no update needs, and what would cost where nothing is pruned
    assert not set(everything) & set(backward)


@only_on("jax", "its programs")
def test_the_frozen_bottom_is_not_differentiated_on_jax():
    # As above: forward 2 convolutions and 1 product; for all layers 2 + 1 convolutions more and 2 products more. These
    # are the equations before any compiler looks at them.
    import jax

    model, *data = two_convolutions()
    model.optimizer.build(model.trainable_variables)
    parts = (model.trainable_variables, model.non_trainable_variables, model.optimizer.variables)
    state = tuple([v.value for v in part] for part in (*parts, model.metrics_variables))

    def count(trained):
        frozen = [v for i, (_, part) in enumerate(trainable_layers(model)) if i not in trained for v in part]
        with backend.frozen(model, frozen):
            program = str(jax.make_jaxpr(lambda state: model.train_step(state, data))(state))
        return [program.count(name + "[") for name in ("conv_general_dilated", "dot_general")]

    counts = list(map(count, ((0, 1, 2), (2,), (1,), (0,))))
    assert counts == [[5, 3], [2, 2], [3, 2], [4, 2]]


@only_on("torch", "its graph")
def test_the_frozen_bottom_is_not_differentiated_on_torch():
    # As above: the nodes that a backward pass visits; one of a convolution makes all its gradients.
    seen = []

    class Graph(keras.losses.MeanSquaredError):
        def __call__(self, *arguments, **keywords):
            loss = super().__call__(*arguments, **keywords)
            seen.append(nodes_of(loss.grad_fn))
            return loss

    def nodes_of(root):
        found, waiting = {}, [root]
        while waiting:
            node = waiting.pop()
            if node is not None and node not in found:
                found[node] = node.name()
                waiting += [each for each, _ in node.next_functions]
        return list(found.values())

    model, *data = two_convolutions()
    model.compile(optimizer="sgd", loss=Graph())
    model.fit(*data, epochs=4, verbose=0, callbacks=[LayerwiseTraining(Alternate(None, (2,), (1,), (0,)))])
    counts = [
        [nodes.count(name) for name in ("ConvolutionBackward0", "torch::autograd::AccumulateGrad")] for nodes in seen
    ]
    assert counts[-4:] == [[2, 5], [0, 1], [1, 2], [2, 2]]  # before them Keras builds all with symbols


def test_only_the_drawn_layers_and_their_slots_change_and_go_on_later():
    model = network()
    optimizer = model.optimizer
    optimizer.build(model.trainable_variables)
    slots = [v for v in optimizer.variables if v.shape == () or "momentum" in v.path or "velocity" in v.path]
    of = [[v for v in slots if layer.path.replace("/", "_") + "_" in v.path] for layer in model.layers[1:]]
    assert [len(each) for each in of] == [4, 4, 4]
    model_values, slot_values = [], []

    def look(epoch=None, logs=None):
        model_values.append([values_of(layer.variables) for layer in model.layers[1:]])
        slot_values.append([values_of(each) for each in of])

    looking = keras.callbacks.LambdaCallback(on_epoch_begin=look)
    fit(model, looking, LayerwiseTraining(Alternate(None, (0, 2), (1,))), epochs=3)
    look()
    for values in (model_values, slot_values):
        epochs = zip(values[:-1], values[1:], ((0, 1, 2), (0, 2), (1,)), strict=True)
        for before, after, trained in epochs:
            expected = [4 * [index in trained] for index in range(3)]
            found = [changed(*pair) for pair in zip(before, after, strict=True)]
            assert found == [part[: len(each)] for part, each in zip(expected, found, strict=True)]
    assert int(optimizer.iterations) == 6
    # The momentum goes on from what the earlier steps left: with a gradient of 0, m <- 0.9 m, where a new slot stays 0.
    kernel, momentum = model.layers[2].kernel, next(v for v in of[1] if "kernel_momentum" in v.path)
    left = np.array(momentum)
    optimizer.apply([keras.ops.zeros(kernel.shape)], [kernel])
    np.testing.assert_allclose(np.array(momentum), 0.9 * left, rtol=1e-6)
    assert np.abs(left).max() > 0


@only_on("tensorflow jax", "a step that is compiled")
def test_one_trace_for_each_set_and_none_later():
    model = network(model_class=Counting)
    callback = LayerwiseTraining(Alternate((2,), None, (0,), (2,), (0,), None, (0,), (2,)))
    fit(model, callback, epochs=5)
    assert len(model.traces) == 3
    fit(model, callback, epochs=3)
    fit(model)
    assert len(model.traces) == 3
    trained = [list(entry["trained"].values()) for entry in callback.history[:3]]
    assert trained == [[0.0, 0.0, 1.0], [1.0, 1.0, 1.0], [1.0, 0.0, 0.0]]


@pytest.mark.parametrize("per", ["epoch", "step"])
def test_all_layers_is_plain_fit(per):
    plain, layerwise = network(), network()
    fit(plain, epochs=2)
    logs = fit(layerwise, LayerwiseTraining(TopAndBottom(bottom="all"), per=per), epochs=2)
    assert logs["trained_layers"] == [3.0, 3.0]
    assert not any(changed(plain.get_weights(), layerwise.get_weights()))
    assert not any(changed(values_of(plain.optimizer.variables), values_of(layerwise.optimizer.variables)))


@pytest.mark.parametrize("per", ["epoch", "step"])
def test_a_resumed_training_draws_the_same(per, tmp_path):
    scheme = RandomUniform()

    class Interrupt(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    whole = network(run_eagerly=True)
    expected = LayerwiseTraining(scheme, per, seed=3)
    fit(whole, expected, epochs=4)
    resumed = network(run_eagerly=True)
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    first, second = LayerwiseTraining(scheme, per, seed=3), LayerwiseTraining(scheme, per, seed=3)
    with pytest.raises(KeyboardInterrupt):
        fit(resumed, first, backup, Interrupt(), epochs=4)
    resumed = network(run_eagerly=True)
    fit(resumed, second, backup, epochs=4)
    assert first.history + second.history == expected.history
    assert len({tuple(entry["trained"].values()) for entry in expected.history}) > 1
    assert not any(changed(whole.get_weights(), resumed.get_weights()))


def test_per_step_counts_the_steps_of_each_layer():
    callback = LayerwiseTraining(Alternate((2,), (0, 2)), per="step")
    logs = fit(network(run_eagerly=True), callback)
    assert callback.history == [{"epoch": 0, "trained": {"bottom": 0.5, "middle": 0.0, "top": 1.0}}]
    assert logs["trained_layers"] == [1.5]


@pytest.mark.parametrize(
    "how",
    [
        {"run_eagerly": True},
        pytest.param({"jit_compile": True}, marks=only_on("tensorflow jax", "it compiles `.grad` with a warning")),
        pytest.param({"steps_per_execution": 2}, marks=several_steps_at_once),
    ],
)
def test_subclassed_model_with_its_own_train_step(how):
    model = Subclassed()
    model(X)
    model.compile(optimizer=keras.optimizers.SGD(0.1, momentum=0.9, weight_decay=0.1), loss="mse", **how)
    before = model.get_weights()
    fit(model, LayerwiseTraining(TOP))
    assert changed(before, model.get_weights()) == [False, False, False, False, True, True]
    assert len(model.optimizer.variables) == 2 + 6


def test_mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    model = network()
    before = model.get_weights()
    fit(model, LayerwiseTraining(TOP))
    assert changed(before, model.get_weights()) == [False, False, False, False, True, True]
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)


def test_batch_normalization_of_a_frozen_layer_keeps_its_weights_and_follows_the_statistics():
    parts = [layers.Dense(2), layers.BatchNormalization(), layers.Dense(1)]
    model = keras.Sequential([keras.Input((3,)), *parts])
    model.compile(optimizer="sgd", loss="mse")
    before, statistics = values_of(parts[1].trainable_variables), values_of(parts[1].non_trainable_variables)
    fit(model, LayerwiseTraining(TOP))
    assert not any(changed(before, values_of(parts[1].trainable_variables)))
    assert all(changed(statistics, values_of(parts[1].non_trainable_variables)))


@pytest.mark.parametrize("wrap", [lambda laperm: laperm, keras.optimizers.LossScaleOptimizer])
def test_laperm_synchronizes_what_was_trained_since_the_last_time(wrap):
    # k = 3, two steps an epoch: the bottom is trained in steps 1 and 2, the synchronization is at step 3, of the top.
    model = network(wrap(LaPerm(keras.optimizers.SGD(0.1), sync_period=3, final_sync=False)))
    kernels = [layer.kernel for layer in model.layers[1:]]
    before = values_of(kernels)
    seen = []
    look = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: current(model) and seen.append(values_of(kernels))
    )
    fit(model, LayerwiseTraining(Alternate((0,), (2,))), look, epochs=2)

    def permuted(values):
        return [np.array_equal(np.sort(old, 0), np.sort(new, 0)) for old, new in zip(before, values, strict=True)]

    assert permuted(seen[1]) == [False, True, True]
    assert permuted(seen[2]) == [True, True, True]
    assert np.array_equal(seen[2][1], before[1])
    assert permuted(seen[3]) == [True, True, False]


@pytest.mark.parametrize("order", [1, -1])
def test_beside_a_callback_that_takes_over_the_synchronization(order):
    model = network(LaPerm(keras.optimizers.SGD(0.1), sync_period=2))
    before = model.get_weights()
    evaluation = SyncEvaluation({"train": (X, Y)}, [keras.metrics.MeanSquaredError(name="mse")], before=True)
    fit(model, *[LayerwiseTraining(TOP), evaluation][::order], epochs=2)
    assert [(row["step"], row["when"]) for row in evaluation.rows] == [
        (2, "before"),
        (2, "after"),
        (4, "before"),
        (4, "after"),
    ]
    assert not any(changed(before, model.get_weights())[:4])


def test_lookahead_pulls_back_what_was_trained_since_the_last_time():
    # As above; slow_step_size 0 pulls the bottom back to where it started, and the next step leaves it there.
    model = network(Lookahead(keras.optimizers.SGD(0.1), sync_period=3, slow_step_size=0.0))
    before = model.get_weights()
    fit(model, LayerwiseTraining(Alternate((0,), (2,))), epochs=2)
    assert changed(before, model.get_weights()) == [False, False, False, False, True, True]


def test_after_an_exception_the_model_is_its_users_again():
    model = network(run_eagerly=True)

    def fail(batch, logs):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(model, LayerwiseTraining(TOP), keras.callbacks.LambdaCallback(on_train_batch_end=fail))
    assert len(model.trainable_variables) == 6
    before = model.get_weights()
    fit(model)
    assert all(changed(before, model.get_weights()))
    own = model.train_function
    callback = LayerwiseTraining(TOP)
    fit(model, callback)
    assert model.train_function is own
    if BACKEND == "tensorflow":
        assert all(variable.value.trainable for variable in model.trainable_variables)
    if BACKEND == "torch":
        assert all(variable.value.requires_grad for variable in model.trainable_variables)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: TopAndBottom(top=-1), "top=-1"),
        (lambda: TopAndBottom(bottom="some"), "bottom='some'"),
        (lambda: TopAndBottom(top=1, probability=1.5), "probability=1.5"),
        (lambda: TopAndBottom(bottom=1, probability=0.5), "Every draw"),
        (lambda: TopAndBottom(), "Every draw"),
        (lambda: TopAndBottom(top=4).draw(Drawn(0), 3), "3 layers"),
        (lambda: MiddleOnly().draw(Drawn(0), 2), "depth=2"),
        (lambda: RandomBeta(alpha=0), "alpha=0"),
        (lambda: LayerwiseTraining(TOP, per="batch"), "per='batch'"),
        (lambda: LayerwiseTraining(TOP, seed=-1), "seed=-1"),
        (lambda: trainable_layers(Subclassed()), "built=False"),
        (lambda: trainable_layers(keras.Sequential([keras.Input((2,)), layers.PReLU()])), "without one"),
        (lambda: fit(network(), LayerwiseTraining(TopAndBottom(top=4))), "3 layers"),
        (lambda: fit(network(), LayerwiseTraining(Alternate((7,)), per="step")), r"\(7,\)"),
        pytest.param(
            lambda: fit(network(steps_per_execution=2), LayerwiseTraining(TOP, per="step")),
            "steps_per_execution=2",
            marks=several_steps_at_once,
        ),
        (
            lambda: fit(network(keras.optimizers.SGD(gradient_accumulation_steps=2)), LayerwiseTraining(TOP)),
            "gradient_accumulation_steps=2",
        ),
    ],
)
def test_errors(make, said):
    with pytest.raises(ValueError, match=said):
        make()
