"""What is forwarded to the inner optimizer, and what is refused with an error that says what to do instead."""

import keras
import pytest

from train_by_reconnect import LaPerm, Lookahead

pytestmark = pytest.mark.filterwarnings("ignore:The layer that owns a variable")
OPTIMIZERS = pytest.mark.parametrize("optimizer_class", [LaPerm, Lookahead])


def test_learning_rate_solved_by_hand():
    # SGD of 0.5 and gradient 2: 3 - 0.5 * 2 = 2. After the rate is set to 0.25: 2 - 0.25 * 2 = 1.5.
    weight, gradient = keras.Variable(3.0), keras.ops.convert_to_tensor(2.0)
    optimizer = LaPerm(keras.optimizers.SGD(0.5))
    optimizer.apply([gradient], [weight])
    assert float(weight.numpy()) == 2.0
    optimizer.learning_rate = 0.25
    assert float(optimizer.learning_rate) == float(optimizer.inner_optimizer.learning_rate) == 0.25
    optimizer.apply([gradient], [weight])
    assert float(weight.numpy()) == 1.5
    assert int(optimizer.iterations) == int(optimizer.inner_optimizer.iterations) == 2


@OPTIMIZERS
def test_inner_learning_rate_schedule(optimizer_class):
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([1], [0.5, 0.25])
    weight, gradient = keras.Variable(3.0), keras.ops.convert_to_tensor(2.0)
    optimizer = optimizer_class(keras.optimizers.SGD(schedule))
    weights = []
    for _ in range(3):
        optimizer.apply([gradient], [weight])
        weights.append(float(weight.numpy()))
    assert weights == [2.0, 1.0, 0.5]  # steps 0 and 1 of 0.5 * 2, then of 0.25 * 2
    with pytest.raises(TypeError, match="LearningRateSchedule"):
        optimizer.learning_rate = 0.1


@OPTIMIZERS
def test_loss_scale_factor(optimizer_class):
    optimizer = optimizer_class(keras.optimizers.SGD(1.0, loss_scale_factor=8.0))
    assert optimizer.loss_scale_factor == 8.0
    assert float(optimizer.scale_loss(keras.ops.convert_to_tensor(2.0))) == 16.0
    weight = keras.Variable(3.0)
    optimizer.apply([keras.ops.convert_to_tensor(16.0)], [weight])
    assert float(weight.numpy()) == 1.0  # 3 - 16 / 8


@OPTIMIZERS
@pytest.mark.parametrize(
    "inner",
    [keras.optimizers.SGD(0.5, momentum=0.9), "sgd", {"class_name": "SGD", "config": {"learning_rate": 0.5}}],
    ids=["instance", "name", "config"],
)
def test_inner_optimizer_given_as(optimizer_class, inner):
    assert isinstance(optimizer_class(inner).inner_optimizer, keras.optimizers.SGD)


@OPTIMIZERS
def test_every_variable_once(optimizer_class):
    kernels = [keras.Variable([[3.0]], name="a"), keras.Variable([[3.0]], name="b")]
    optimizer = optimizer_class("adam")
    optimizer.build(kernels)
    ids = [id(variable) for variable in optimizer.variables]
    assert len(set(ids)) == len(ids)
    assert not set(map(id, kernels)) & set(ids)  # else a file holds the weights twice
    weights = [variable.numpy() for variable in optimizer.variables]
    optimizer.apply([keras.ops.ones((1, 1))] * 2, kernels)
    assert int(optimizer.iterations) == 1
    optimizer.set_weights(weights)
    assert int(optimizer.iterations) == 0


@OPTIMIZERS
@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("weight_decay", 0.01),
        ("clipnorm", 1.0),
        ("clipvalue", 1.0),
        ("global_clipnorm", 1.0),
        ("use_ema", True),
        ("ema_momentum", 0.9),
        ("loss_scale_factor", 2.0),
        ("learning_rate", 0.1),
    ],
)
def test_belongs_to_the_inner_optimizer(optimizer_class, argument, value):
    message = (
        rf"{optimizer_class.__name__} does not take `{argument}`. Received: {argument}={value}. Set it on the `inner"
    )
    with pytest.raises(ValueError, match=message):
        optimizer_class("adam", **{argument: value})


@OPTIMIZERS
def test_gradient_accumulation(optimizer_class):
    message = r"does not work with gradient accumulation. Received: gradient_accumulation_steps=4. Use a larger batch"
    with pytest.raises(ValueError, match=message):
        optimizer_class("adam", gradient_accumulation_steps=4)
    with pytest.raises(ValueError, match=message):
        optimizer_class(keras.optimizers.Adam(gradient_accumulation_steps=4))


@OPTIMIZERS
def test_unknown_argument(optimizer_class):
    with pytest.raises(ValueError, match=r"has no argument `period`. Received: period=3. Leave it out"):
        optimizer_class("adam", period=3)


@OPTIMIZERS
@pytest.mark.parametrize("inner", [None, 3, "adm", object, keras.layers.Dense(2), {"class_name": "Dense"}], ids=repr)
def test_not_an_optimizer(optimizer_class, inner):
    with pytest.raises(
        ValueError, match=r"expects a `keras.optimizers.Optimizer`.*Received: inner_optimizer=.*Pass e.g."
    ):
        optimizer_class(inner)


@OPTIMIZERS
def test_loss_scaling_goes_outside(optimizer_class):
    inner = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam())
    message = rf"must be inside a `LossScaleOptimizer`.*Received: .*Use `LossScaleOptimizer\({optimizer_class.__name__}"
    with pytest.raises(ValueError, match=message):
        optimizer_class(inner)


@OPTIMIZERS
@pytest.mark.parametrize("sync_period", [0, -1, True, 2.0, 2.5, "3", float("inf")])
def test_sync_period_out_of_range(optimizer_class, sync_period):
    message = r"`sync_period` must be an integer of at least 1.*Received: sync_period=.*Pass e.g."
    with pytest.raises(ValueError, match=message):
        optimizer_class("adam", sync_period=sync_period)
    optimizer = optimizer_class("adam", sync_period=3)
    with pytest.raises(ValueError, match=message):
        optimizer.sync_period = sync_period
    assert optimizer.sync_period == 3


@OPTIMIZERS
def test_synchronize_before_building(optimizer_class):
    with pytest.raises(ValueError, match=r"must be built before it can synchronize. Received: built=False. Call `fit`"):
        optimizer_class("adam").synchronize()


def test_variables_of_another_model():
    optimizer = LaPerm("sgd")
    optimizer.build([keras.Variable([[1.0]], name="mine")])
    with pytest.raises(ValueError, match=r"[Uu]nknown variable|was not.*build|different set of variables"):
        optimizer.apply([keras.ops.ones((1, 1))], [keras.Variable([[1.0]], name="other")])
