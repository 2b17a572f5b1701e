import functools
import inspect

import keras
import numpy as np
import pytest

import models
from models.layers import dropout_rates

WITH_WIDTH = [
    *(models.conv2, models.conv4, models.conv6, models.conv7, models.conv13),
    *(models.resnet50, models.lenet_300_100, models.resnet18, models.vgg5, models.vgg11),
]
RICH_REGIME = [models.resnet18, models.vgg5, models.vgg11, models.relu_net, models.conv_net]  # Glorot normal
ALL = [*WITH_WIDTH, models.f1, models.f2, models.mlp, models.relu_net, models.conv_net]
LARGE = pytest.param(models.resnet50, marks=pytest.mark.slow)  # to build it takes seconds


def small(build, **arguments):
    """Build the network, 1/8 as wide where it can be."""
    width = {"width": 1 / 8} if build in WITH_WIDTH else {}
    return build(**(width | arguments))


# One of each for all tests that only look at it.
full = functools.cache(lambda build: build())
small_one = functools.cache(small)


def layers_of(model, layer_class):
    return [layer for layer in model.layers if isinstance(layer, layer_class)]


def conv_weights(model):
    return sum(int(np.prod(layer.kernel.shape)) for layer in layers_of(model, keras.layers.Conv2D))


def test_conv2_counted_by_hand():
    # convolutions       3*3*3*64 + 64 + 3*3*64*64 + 64      =     1,792 +    36,928 =    38,720
    # one 2x2 pooling    16*16*64 = 16,384 features
    # dense              16,384*256 + 256 + 256*256 + 256    = 4,194,560 +    65,792 = 4,260,352
    # output             256*10 + 10                                                 =     2,570
    # gamma, beta, moving mean and variance of 64 + 64 + 256 + 256 features, 4 * 640 =     2,560
    assert models.conv2(batch_norm=False).count_params() == 38_720 + 4_260_352 + 2_570
    assert models.conv2().count_params() == 38_720 + 4_260_352 + 2_570 + 2_560


def test_plain_networks_of_connectivity_training_counted_by_hand():
    # conv2: 3*3*3*64 + 3*3*64*64 = 38,592; 16,384*256 + 256*256 + 256*10 = 4,262,400
    # conv4: 38,592 + 3*3*64*128 + 3*3*128*128 = 259,776; 8,192*256 + 65,536 + 2,560 = 2,165,248
    # conv6: 259,776 + 3*3*128*256 + 3*3*256*256 = 1,144,512; 4,096*256 + 65,536 + 2,560 = 1,116,672
    # lenet_300_100: 784*300 + 300*100 + 100*10
    assert models.conv2(plain=True).count_params() == 38_592 + 4_262_400
    assert models.conv4(plain=True).count_params() == 259_776 + 2_165_248
    assert models.conv6().count_params() == 1_144_512 + 1_116_672
    assert models.lenet_300_100().count_params() == 235_200 + 30_000 + 1_000


def test_networks_of_the_rich_regime_counted_by_hand():
    # vgg5, 3x3 everywhere, biases: 640 + 36,928 + 73,856 + 147,584 + 295,168 + 5 * 590,080 = 3,504,576
    #   256*512 + 512 + 512*10 + 10 = 136,714; gamma and beta of 2*64 + 2*128 + 6*256 + 512: 2 * 2,432 = 4,864
    as_counted = models.vgg5(batch_norm=True, inner_kernel_size=3)
    assert sum(int(np.prod(w.shape)) for w in as_counted.trainable_weights) == 3_504_576 + 136_714 + 4_864 == 3_646_154
    # as printed, the inner ones 1x1: 640 + 4,160 + 73,856 + 16,512 + 295,168 + 590,080 + 4 * 65,792 = 1,243,584
    assert models.vgg5().count_params() == 1_243_584 + 136_714
    # vgg11: 1,792 + 73,856 + 295,168 + 590,080 + 1,180,160 + 3 * 2,359,808 = 9,220,480; 2 * 262,656 + 5,130
    assert models.vgg11().count_params() == 9_220_480 + 530_442
    assert sum(int(np.prod(w.shape)) for w in models.resnet18().trainable_weights) == 11_173_962
    # relu_net, w = 10 and d = 4: 784*10 + 10 + 3 * (10*10 + 10) + 10*10 + 10
    assert models.relu_net(units=10, depth=4).count_params() == 7_850 + 330 + 110
    with pytest.raises(ValueError, match="depth=0"):
        models.relu_net(depth=0)


@pytest.mark.parametrize("build", [models.conv2, models.conv4, models.conv6])
def test_plain_networks_have_nothing_but_kernels(build):
    model = build(width=1 / 8, plain=True)
    assert {weight.name for weight in model.weights} == {"kernel"}
    assert not model.losses
    assert not layers_of(model, keras.layers.Dropout)


@pytest.mark.parametrize(
    ("build", "params", "weights"),
    [
        (models.conv2, 4_304_202, 38_592),  # Table 1: 4.3M / 38K
        (models.conv4, 2_429_514, 259_776),  # 2.4M / 260K
        (models.conv7, 325_578, 323_872),  # 325k / 326k
        (models.conv13, 15_001_418, 14_710_464),  # 14.9M / 14.7M
        (models.resnet50, 763_882, 754_096),  # 760K / 760K
        (models.f1, 784 * 10, 0),
        (models.f2, 100_352 + 8_192 + 640, 0),  # as in A.5.0
        (models.mlp, 78_500 + 10_100 + 1_010, 0),
    ],
)
def test_counts_of_table_1(build, params, weights):
    model = full(build)
    assert model.count_params() == params
    assert conv_weights(model) == weights


def test_conv13_has_14_9_million_parameters_apart_from_moving_statistics():
    trainable = sum(int(np.prod(weight.shape)) for weight in full(models.conv13).trainable_weights)
    assert trainable == 14_991_946
    assert models.conv13(batch_norm=False).count_params() == 14_982_474


def test_conv7_layer_by_layer():
    model = full(models.conv7)
    convs = layers_of(model, keras.layers.Conv2D)
    assert [tuple(layer.output.shape[1:]) for layer in convs] == [
        (26, 26, 32),
        (24, 24, 32),
        (12, 12, 32),
        (10, 10, 64),
        (8, 8, 64),
        (4, 4, 64),
        (1, 1, 128),
    ]
    assert [layer.kernel_size[0] for layer in convs] == [3, 3, 5, 3, 3, 5, 4]
    assert [layer.rate for layer in layers_of(model, keras.layers.Dropout)] == [0.4, 0.4, 0.4]
    assert not layers_of(model, keras.layers.BatchNormalization)
    assert all(np.any(layer.bias.numpy()) for layer in [*convs, model.get_layer("output")])


@pytest.mark.parametrize(
    ("build", "rates"),
    [
        (models.conv2, [0.3, 0.5, 0.5]),
        (models.conv4, [0.3, 0.4, 0.5, 0.5]),
        (models.conv13, [0.3, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.5, 0.5]),
    ],
)
def test_dropout_and_l2_of_the_cifar_networks(build, rates):
    model = small_one(build)
    assert [layer.rate for layer in layers_of(model, keras.layers.Dropout)] == rates
    *hidden, output = layers_of(model, keras.layers.Conv2D) + layers_of(model, keras.layers.Dense)
    assert len(layers_of(model, keras.layers.BatchNormalization)) == len(hidden)
    assert all(float(layer.kernel_regularizer.l2) == pytest.approx(1e-4) for layer in hidden)
    assert output.kernel_regularizer is None


def test_order_of_dropout_and_normalization_around_the_dense_layers():
    names = [layer.name for layer in models.conv4(width=1 / 64).layers]
    assert names[names.index("flatten") + 1 :] == [
        *("dense1", "dropout3", "batch_norm5"),
        *("dense2", "batch_norm6", "dropout4", "output"),
    ]


def test_resnet50_has_50_layers_and_two_convolutional_shortcuts():
    model = full(models.resnet50)
    convs = layers_of(model, keras.layers.Conv2D)
    shortcuts = [layer for layer in convs if layer.kernel_size == (1, 1)]
    assert len(convs) - len(shortcuts) + 1 == 50
    assert [layer.strides for layer in shortcuts] == [(2, 2), (2, 2)]
    assert len(layers_of(model, keras.layers.Add)) == 24
    assert len(layers_of(model, keras.layers.BatchNormalization)) == 49
    assert all(not np.any(layer.bias.numpy()) for layer in convs)
    assert model.get_layer("average_pool").input.shape == (None, 8, 8, 64)


def test_fewer_blocks_make_a_shallower_network():
    # He et al. 2016, Table 6: 20 layers for n = 3.
    convs = layers_of(models.resnet50(width=1 / 16, blocks=3), keras.layers.Conv2D)
    assert sum(layer.kernel_size == (3, 3) for layer in convs) + 1 == 20
    for wrong in (0, 2.0):
        with pytest.raises(ValueError, match=f"Received: blocks={wrong}. Pass blocks=3 for 20 layers"):
            models.resnet50(blocks=wrong)


@pytest.mark.parametrize("build", ALL)
def test_output_is_a_distribution(build):
    model = small_one(build)
    images = np.random.default_rng(0).random((3, *model.input_shape[1:]), np.float32)
    probabilities = keras.ops.convert_to_numpy(model(images))
    assert probabilities.shape == (3, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert model.name == build.__name__
    assert not model.compiled


def test_arguments_are_uniform():
    order = [
        *("input_shape", "classes", "conv", "dense", "kernel_initializer", "bias_initializer"),
        *("l2", "dropout", "units", "filters", "depth", "batch_norm", "width"),
        *("plain", "inner_kernel_size", "blocks"),
    ]
    for build in ALL:
        arguments = list(inspect.signature(build).parameters)
        assert arguments == [name for name in order if name in arguments]
        assert {"input_shape", "classes", "dense", "kernel_initializer"} <= set(arguments)


def test_input_shape_and_classes():
    for build in ALL:
        model = small(build, input_shape=(34, 36, 2), classes=7)
        assert model.input_shape == (None, 34, 36, 2)
        assert model.output_shape == (None, 7)


def test_names_do_not_depend_on_what_was_built_before():
    for build in ALL:
        assert [layer.name for layer in small(build).layers] == [layer.name for layer in small_one(build).layers]


@pytest.mark.parametrize("build", [LARGE if build is models.resnet50 else build for build in ALL])
def test_save_and_load(build, tmp_path):
    model = small_one(build)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    images = np.random.default_rng(0).random((2, *model.input_shape[1:]), np.float32)
    np.testing.assert_array_equal(model(images), loaded(images))


@pytest.mark.parametrize("build", [models.conv2, pytest.param(models.conv7, marks=pytest.mark.slow), models.mlp])
def test_learns_one_batch(build):
    model = small(build, dropout=0)  # whose draws could hide what four steps gain
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", run_eagerly=True)
    rng = np.random.default_rng(0)
    images, labels = rng.random((8, *model.input_shape[1:]), np.float32), np.arange(8)
    losses = model.fit(images, labels, epochs=4, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


class OwnConv(keras.layers.Conv2D):
    pass


class OwnDense(keras.layers.Dense):
    pass


def test_layer_classes():
    classes = {"conv": OwnConv, "dense": OwnDense}
    for build in ALL:
        taken = {name: value for name, value in classes.items() if name in inspect.signature(build).parameters}
        with_kernel = [layer for layer in small(build, **taken).layers if hasattr(layer, "kernel")]
        assert {type(layer) for layer in with_kernel} == set(taken.values())


@pytest.mark.parametrize("build", [build for build in ALL if build not in RICH_REGIME])
def test_he_uniform_is_the_default(build):
    for layer in small_one(build).layers:
        if hasattr(layer, "kernel"):
            kernel = np.abs(layer.kernel.numpy())
            limit = np.sqrt(6 / np.prod(kernel.shape[:-1]))  # He et al., 2015: variance 2 / fan_in
            assert 0.8 * limit < kernel.max() <= limit * (1 + 1e-6)


def test_kernel_and_bias_initializers_reach_every_layer():
    model = models.conv4(width=1 / 16, kernel_initializer="ones", bias_initializer=keras.initializers.Constant(2.0))
    for layer in model.layers:
        if hasattr(layer, "kernel"):
            assert np.all(layer.kernel.numpy() == 1)
            assert np.all(layer.bias.numpy() == 2)


@pytest.mark.parametrize(
    "make_initializer",
    [
        lambda: keras.initializers.HeUniform(seed=3),
        lambda: keras.initializers.HeUniform(),
        lambda: keras.initializers.HeUniform(seed=keras.random.SeedGenerator(3)),
        lambda: {"class_name": "HeUniform", "config": {"seed": 3}},
        lambda: "he_uniform",
    ],
    ids=["seed", "no seed", "generator", "config", "name"],
)
def test_equally_shaped_layers_get_different_values(make_initializer):
    model = models.conv13(width=1 / 64, kernel_initializer=make_initializer())
    kernels = [layer.kernel.numpy() for layer in layers_of(model, keras.layers.Conv2D)]
    alike = [kernel for kernel in kernels if kernel.shape == (3, 3, 8, 8)]
    assert len(alike) == 5
    assert len({kernel.tobytes() for kernel in alike}) == 5


def test_one_seed_determines_the_network():
    def weights(seed):
        initializer = keras.initializers.HeUniform(seed=seed)
        return models.conv7(width=1 / 8, kernel_initializer=initializer, bias_initializer=initializer).get_weights()

    assert all(np.array_equal(a, b) for a, b in zip(weights(3), weights(3), strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(weights(3), weights(4), strict=True))


def test_a_plain_function_is_an_initializer():
    def twos(shape, dtype=None):
        return 2 * keras.ops.ones(shape, dtype)

    assert np.all(models.f1(kernel_initializer=twos).get_weights()[0] == 2)


@pytest.mark.parametrize(
    "build", [LARGE if build is models.resnet50 else build for build in WITH_WIDTH if build is not models.lenet_300_100]
)
def test_width(build):
    def filters(width):
        return [layer.filters for layer in layers_of(build(width=width), keras.layers.Conv2D)]

    of_full = [layer.filters for layer in layers_of(full(build), keras.layers.Conv2D)]
    assert filters(0.5) == [count // 2 for count in of_full]
    assert set(filters(1e-6)) == {1}


def test_width_scales_hidden_units_but_not_the_output():
    model = models.conv2(width=0.5)
    assert [layer.units for layer in layers_of(model, keras.layers.Dense)] == [128, 128, 10]
    model = models.lenet_300_100(width=0.5)
    assert [layer.units for layer in layers_of(model, keras.layers.Dense)] == [150, 50, 10]


@pytest.mark.parametrize("build", [models.conv2, models.conv4, models.conv13, models.resnet50])
def test_without_batch_normalization_and_regularization(build):
    none = {"batch_norm": False, "l2": 0} | ({} if build is models.resnet50 else {"dropout": 0})
    model = small(build, **none)
    assert not layers_of(model, (keras.layers.BatchNormalization, keras.layers.Dropout))
    assert not model.losses


def test_mlp_with_the_settings_of_a_3():
    assert [layer.rate for layer in layers_of(models.mlp(dropout=(0.4, 0.3)), keras.layers.Dropout)] == [0.4, 0.3]
    regularizers = [layer.kernel_regularizer for layer in layers_of(models.mlp(l2=2e-4), keras.layers.Dense)]
    assert [float(regularizer.l2) for regularizer in regularizers[:2]] == pytest.approx([2e-4, 2e-4])
    assert regularizers[2] is None
    assert not models.mlp().losses


@pytest.mark.parametrize("build", [models.f1, models.f2])
def test_weight_agnostic_networks_have_no_bias(build):
    assert all(len(weight.shape) == 2 for weight in build().weights)


def test_no_dropout():
    assert [dropout_rates(dropout, 2) for dropout in (0, None, 0.0, (0, 0))] == 4 * [(0, 0)]


def test_wrong_dropout():
    for dropout in (1, -0.1, (0.1, 0.2), (0.1, 0.2, 1.0), float("nan")):
        with pytest.raises(ValueError, match=r"sequence of 3 such rates. Received: dropout="):
            models.conv7(dropout=dropout)


def test_wrong_width():
    for width in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=r"`width` must be a finite number above 0. Received: width="):
            models.conv7(width=width)


def test_wrong_l2():
    for l2 in (-1e-4, float("nan")):
        with pytest.raises(ValueError, match=r"`l2` must be at least 0. Received: l2="):
            models.mlp(l2=l2)


def test_conv_net_counted_by_hand():
    # w = 10, d = 2: 28 - 2 - 2 = 24 pixels; 9*10 + 10 = 100, 9*10*10 + 10 = 910, 24*24*10 = 5,760 features
    model = models.conv_net()
    assert [weight.shape for weight in model.weights[::2]] == [(3, 3, 1, 10), (3, 3, 10, 10), (5_760, 10)]
    assert model.count_params() == 100 + 910 + 57_610
    # d = 4: 20 pixels, 20*20*10 = 4,000 features; w = 64: 640 + 3 * (9*64*64 + 64) = 111,424, and 25,600 features
    assert models.conv_net(depth=4).count_params() == 100 + 3 * 910 + 40_010
    assert models.conv_net(filters=64, depth=4).count_params() == 111_424 + 256_010


def test_conv_net_leaves_a_pixel():
    assert models.conv_net((9, 12, 1), depth=4).get_layer("conv4").output.shape == (None, 1, 4, 10)
    for depth in (0, 4):
        with pytest.raises(ValueError, match=rf"leave a pixel .* Received: depth={depth}, input_shape=\(8, 12, 1\)"):
            models.conv_net((8, 12, 1), depth=depth)
