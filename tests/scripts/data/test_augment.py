import itertools
import math
import pathlib
import threading

import keras
import numpy as np
import pytest
import scipy.ndimage
import scipy.stats
from backends import BACKEND, only_on
from hypothesis import given, settings
from hypothesis import strategies as st
from keras.src.legacy.preprocessing.image import apply_affine_transform

from scripts.data import numpy_route
from scripts.data.affine import affine, affine_of_arrays
from scripts.data.augmentation import Augmentation
from scripts.data.batches import pipeline

MNIST = Augmentation(rotation=10, width_shift=0.1, height_shift=0.1, zoom=0.1)
CIFAR10 = Augmentation(rotation=15, width_shift=0.1, height_shift=0.1, horizontal_flip=True)
RECORDED = pathlib.Path(__file__).with_name("affine_of_tensorflow.npz")
ON_TENSORFLOW = only_on("tensorflow", "the batches are a tf.data.Dataset")
NINE = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]])


def of_backend(images, **arguments):
    """`affine` as an array."""
    return keras.ops.convert_to_numpy(affine(images, **arguments))


def changed(function, rows, **arguments):
    """The one-channel image `rows` after one of the two functions, as rows again."""
    return function(np.asarray(rows)[np.newaxis, :, :, np.newaxis], **arguments)[0, :, :, 0]


def picture(height, width, channels=3):
    """Smooth shapes, an edge and noise, from 0 to 1."""
    y, x = np.mgrid[:height, :width] / max(height, width)
    layers = [np.sin(9 * x + channel) * np.cos(7 * y) / 2 + 0.5 * (x > y) for channel in range(channels)]
    image = np.stack(layers, axis=-1) + np.random.default_rng(0).normal(0, 0.1, (height, width, channels))
    return np.clip(image, 0, 1).astype("float32")


def examples(count, shape=(6, 6, 1)):
    """Images, and labels which are their numbers."""
    return np.random.default_rng(0).random((count, *shape), "float32"), np.arange(count, dtype="int32")


def taken(endless, count):
    return [(np.asarray(x), np.asarray(y)) for x, y in itertools.islice(endless, count)]


def assert_same(left, right):
    assert len(left) == len(right)
    for one, other in zip(left, right, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])


@pytest.mark.parametrize("function", [of_backend, affine_of_arrays])
class TestAffine:
    def test_shift_by_one_pixel(self, function):
        # A third of the width of three pixels is one pixel. Output column c is input column c + 1: 1 -> 2, 2 -> 3; for
        # the last that is outside, so it is the edge column again.
        np.testing.assert_allclose(
            changed(function, NINE, width_shift=1 / 3), [[2, 3, 3], [5, 6, 6], [8, 9, 9]], atol=1e-5
        )
        # Minus two thirds of the height: output row r is input row r - 2.
        np.testing.assert_allclose(
            changed(function, NINE, height_shift=-2 / 3), [[1, 2, 3], [1, 2, 3], [1, 2, 3]], atol=1e-5
        )

    def test_half_a_pixel_is_the_mean_of_two(self, function):
        # (1 + 2) / 2, (2 + 3) / 2, and (3 + the edge 3) / 2.
        np.testing.assert_allclose(changed(function, NINE, width_shift=1 / 6)[0], [1.5, 2.5, 3], atol=1e-5)

    def test_zoom_about_the_center(self, function):
        # Center 1.5: output column c is input column 1.5 + 0.5 (c - 1.5), so 0.75, 1.25, 1.75, 2.25.
        row = [[0, 10, 20, 30]]
        np.testing.assert_allclose(changed(function, row, width_zoom=0.5), [[7.5, 12.5, 17.5, 22.5]], atol=1e-5)
        # 1.5 + 2 (c - 1.5): -1.5, 0.5, 2.5, 4.5, the first and the last outside.
        np.testing.assert_allclose(changed(function, row, width_zoom=2.0), [[0, 5, 25, 30]], atol=1e-5)
        np.testing.assert_allclose(changed(function, row, height_zoom=2.0), row, atol=1e-5)

    @pytest.mark.parametrize(("degrees", "turns"), [(90, 1), (180, 2), (-90, 3), (360, 0)])
    def test_rotation_by_right_angles(self, function, degrees, turns):
        np.testing.assert_allclose(changed(function, NINE, rotation=degrees), np.rot90(NINE, turns), atol=1e-5)

    def test_flip(self, function):
        np.testing.assert_array_equal(changed(function, NINE, flip=1), NINE[:, ::-1])

    def test_nothing_is_nothing(self, function):
        images = picture(9, 12)[np.newaxis]
        np.testing.assert_array_equal(function(images), images)

    def test_each_image_has_its_own(self, function):
        images = np.stack([picture(8, 8)] * 3)
        got = function(images, flip=np.array([0.0, 1.0, 0.0]), rotation=np.array([0.0, 0.0, 90.0]))
        np.testing.assert_allclose(got[0], images[0], atol=1e-5)
        np.testing.assert_allclose(got[1], images[0][:, ::-1], atol=1e-5)
        np.testing.assert_allclose(got[2], np.rot90(images[0]), atol=1e-5)

    @pytest.mark.filterwarnings("ignore:Please import `affine_transform`:DeprecationWarning")
    @given(
        rotation=st.floats(-180, 180),
        shifts=st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5)),
        zooms=st.tuples(st.floats(0.5, 1.5), st.floats(0.5, 1.5)),
        flip=st.booleans(),
    )
    @settings(max_examples=25, deadline=None)
    def test_equals_image_data_generator(self, function, rotation, shifts, zooms, flip):
        # Keras applies the affine map and then flips; its `x` and `y` are columns and rows once it has swapped them.
        image = picture(32, 32)
        expected = apply_affine_transform(
            image,
            theta=rotation,
            tx=shifts[0] * 32,
            ty=shifts[1] * 32,
            zx=zooms[0],
            zy=zooms[1],
            row_axis=0,
            col_axis=1,
            channel_axis=2,
        )
        got = function(
            image[np.newaxis],
            rotation=rotation,
            width_shift=shifts[0],
            height_shift=shifts[1],
            width_zoom=zooms[0],
            height_zoom=zooms[1],
            flip=float(flip),
        )
        np.testing.assert_allclose(got[0], expected[:, ::-1] if flip else expected, atol=1e-4)

    def test_equals_scipy_on_an_image_that_is_not_square(self, function):
        # In (row, column) order: input = rotation @ (shift + zoom @ (output - center)) + center.
        image, degrees = picture(20, 33, 1), 25.0
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        rotation = np.array([[cos, sin], [-sin, cos]])
        center = np.array([9.5, 16.0])
        matrix = rotation @ np.diag([0.8, 1.3])
        offset = center - matrix @ center + rotation @ np.array([0.1 * 20, -0.2 * 33])
        expected = scipy.ndimage.affine_transform(image[:, :, 0], matrix, offset, order=1, mode="nearest")
        got = changed(
            function,
            image[:, :, 0],
            rotation=degrees,
            height_shift=0.1,
            width_shift=-0.2,
            height_zoom=0.8,
            width_zoom=1.3,
        )
        np.testing.assert_allclose(got, expected, atol=1e-4)

    def test_equals_what_tensorflow_answered(self, function):
        # Recorded with `affine` under TensorFlow: 6 images of 9 x 12 x 2, each with settings of its own. A place is a
        # sum of products up to 12, so it is off by a few times 12 * 2**-23, 1e-6; neighbours differ by at most 1.
        with np.load(RECORDED) as file:
            images, answers = file["images"], file["answers"]
            settings = {name: file[name] for name in file.files if name not in ("images", "answers")}
        np.testing.assert_allclose(function(images, **settings), answers, atol=1e-5)

    @pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1)])
    def test_images_of_one_row_or_column(self, function, shape):
        image = np.arange(shape[0] * shape[1]).reshape(shape)
        got = changed(function, image, width_shift=0.2, height_shift=-0.2)
        row, column = np.mgrid[: shape[0], : shape[1]]
        # A fifth of five is one pixel: one to the right in a row, one up in a column, and the edge beyond.
        column = np.minimum(column + (shape[1] == 5), shape[1] - 1)
        row = np.maximum(row - (shape[0] == 5), 0)
        np.testing.assert_allclose(got, image[row, column], atol=1e-5)


class TestAugmentation:
    def test_ranges_and_distribution(self):
        augmentation = Augmentation(rotation=15, width_shift=0.1, height_shift=0.2, zoom=0.3, horizontal_flip=True)
        drawn = {name: np.asarray(value) for name, value in augmentation.draw(20_000, seed=(0, 1)).items()}
        for name, low, high in (
            ("rotation", -15, 15),
            ("width_shift", -0.1, 0.1),
            ("height_shift", -0.2, 0.2),
            ("width_zoom", 0.7, 1.3),
            ("height_zoom", 0.7, 1.3),
        ):
            assert drawn[name].min() >= low - 1e-6
            assert drawn[name].max() <= high + 1e-6
            assert scipy.stats.kstest(drawn[name], "uniform", (low, high - low)).pvalue > 0.01, name
        assert set(drawn["flip"]) == {0, 1}
        assert abs(drawn["flip"].mean() - 0.5) < 0.015  # Four standard errors are 0.014.
        correlations = np.corrcoef(np.stack(list(drawn.values()))) - np.eye(6)
        assert np.abs(correlations).max() < 0.03

    def test_nothing_asked_nothing_drawn(self):
        drawn = {name: set(np.asarray(value)) for name, value in Augmentation().draw(100, seed=(0, 0)).items()}
        nothing = {"rotation": 0, "width_shift": 0, "height_shift": 0, "width_zoom": 1, "height_zoom": 1, "flip": 0}
        assert drawn == {name: {value} for name, value in nothing.items()}
        images = np.stack([picture(7, 8)] * 2)
        np.testing.assert_array_equal(Augmentation()(images, seed=(0, 0)), images)

    def test_same_seed_same_images(self):
        images = np.stack([picture(8, 8)] * 5)
        first = np.asarray(CIFAR10(images, seed=(3, 7)))
        np.testing.assert_array_equal(first, CIFAR10(images, seed=(3, 7)))
        assert first.dtype == np.float32
        assert first.shape == images.shape
        assert not np.array_equal(first, CIFAR10(images, seed=(3, 8)))
        assert not np.array_equal(first, CIFAR10(images, seed=(4, 7)))
        assert not np.array_equal(first[0], first[1])

    @only_on("tensorflow", "elsewhere nothing is traced")
    def test_same_images_in_graph_and_eager(self):
        import tensorflow as tf

        images = np.stack([picture(8, 8)] * 5)
        traced = tf.function(CIFAR10)(images, seed=(3, 7))
        np.testing.assert_allclose(traced, CIFAR10(images, seed=(3, 7)), atol=1e-5)

    @pytest.mark.parametrize(
        ("argument", "value"),
        [
            ("rotation", -1),
            ("rotation", 181),
            ("rotation", math.nan),
            ("rotation", "10"),
            ("width_shift", 2),
            ("height_shift", -0.1),
            ("zoom", 1),
            ("zoom", (0.9, 1.1)),
            ("horizontal_flip", 1),
        ],
    )
    def test_says_what_is_out_of_range(self, argument, value):
        with pytest.raises(ValueError, match=rf"`{argument}` must be .*Received: {argument}="):
            Augmentation(**{argument: value})


class TestPipeline:
    @given(count=st.integers(1, 40), batch_size=st.integers(1, 45), shuffle=st.booleans(), seed=st.integers(0, 2**62))
    @settings(max_examples=15, deadline=None)
    def test_every_example_once_an_epoch(self, count, batch_size, shuffle, seed):
        x, y = examples(count, shape=(3,))
        steps = math.ceil(count / batch_size)
        batches = taken(pipeline(x, y, batch_size, seed=seed, shuffle=shuffle), 2 * steps)
        for epoch in (batches[:steps], batches[steps:]):
            assert [len(labels) for _, labels in epoch[:-1]] == [batch_size] * (steps - 1)
            labels = np.concatenate([labels for _, labels in epoch])
            np.testing.assert_array_equal(sorted(labels), y)
            np.testing.assert_array_equal(np.concatenate([images for images, _ in epoch]), x[labels])
            if not shuffle:
                np.testing.assert_array_equal(labels, y)

    def test_orders_are_uniform(self):
        # 2,400 epochs of 4 examples: each of the 24 orders 100 times on average.
        x, y = examples(4, shape=(1,))
        orders = [tuple(labels) for _, labels in taken(pipeline(x, y, 4, seed=0), 2400)]
        counts = np.unique(orders, axis=0, return_counts=True)[1]
        assert len(counts) == 24
        assert scipy.stats.chisquare(counts).pvalue > 0.01

    @pytest.mark.parametrize("augmentation", [None, MNIST, CIFAR10])
    def test_same_seed_same_batches(self, augmentation):
        x, y = examples(23)
        batches = taken(pipeline(x, y, 5, augmentation, seed=1), 10)
        assert_same(batches, taken(pipeline(x, y, 5, augmentation, seed=1), 10))
        other_seed = taken(pipeline(x, y, 5, augmentation, seed=2), 10)
        assert not np.array_equal(batches[0][1], other_seed[0][1])
        assert not np.array_equal(batches[0][1], batches[5][1])

    @ON_TENSORFLOW
    def test_threads_of_tensorflow_change_nothing(self):
        import tensorflow as tf

        x, y = examples(200)
        options = tf.data.Options()
        options.threading.private_threadpool_size = 1
        one_thread = pipeline(x, y, 5, CIFAR10, seed=1).with_options(options)
        options = tf.data.Options()
        options.threading.private_threadpool_size = 16
        many_threads = pipeline(x, y, 5, CIFAR10, seed=1).with_options(options)
        assert_same(taken(one_thread, 80), taken(many_threads, 80))

    @pytest.mark.parametrize("first_epoch", [0, 2])
    def test_threads_of_numpy_change_nothing(self, first_epoch, monkeypatch):
        # On every backend: what the batches are made of is NumPy. The later batches of a thread are made first.
        monkeypatch.setattr("scripts.data.augmentation.uniform", numpy_route.uniform)
        monkeypatch.setattr("scripts.data.augmentation.as_float32", numpy_route.as_float32)
        monkeypatch.setattr("scripts.data.augmentation.moved", numpy_route.moved)
        x, y = examples(47)
        options = {"seed": 1, "shuffle": True, "first_epoch": first_epoch}
        one, many = (taken(numpy_route.batches(x, y, 5, CIFAR10, threads=threads, **options), 40) for threads in (1, 7))
        assert_same(one, many)
        rest = numpy_route.batches(x, y, 5, CIFAR10, seed=1, shuffle=True, first_epoch=first_epoch + 3)
        assert_same(one[30:], taken(rest, 10))

    def test_batches_of_numpy_end_with_their_thread(self):
        before = set(threading.enumerate())
        endless = numpy_route.batches(*examples(9), 2, None, seed=0, shuffle=True, first_epoch=0)
        next(endless)
        (thread,) = set(threading.enumerate()) - before
        endless.close()
        thread.join(10)
        assert not thread.is_alive()

    def test_an_error_in_a_thread_reaches_who_takes_the_batches(self):
        def failing(images, seed):
            raise ValueError("no such image")

        endless = numpy_route.batches(*examples(9), 2, failing, seed=0, shuffle=True, first_epoch=0)
        with pytest.raises(ValueError, match="no such image"):
            next(endless)

    def test_augments_anew_in_every_epoch(self):
        x, y = examples(20)
        batches = taken(pipeline(x, y, 10, MNIST, seed=0, shuffle=False), 4)
        assert not np.allclose(batches[0][0], batches[2][0])
        # The seed of a batch is that of the pipeline and the number of the step.
        for step, (images, labels) in enumerate(batches):
            np.testing.assert_allclose(images, MNIST(x[labels], seed=(0, step)), atol=1e-5)

    @given(count=st.integers(1, 30), batch_size=st.integers(1, 12), first_epoch=st.integers(0, 4))
    @settings(max_examples=10, deadline=None)
    @pytest.mark.slow
    def test_a_run_in_parts_has_the_batches_of_a_run_in_full(self, count, batch_size, first_epoch):
        x, y = examples(count)
        steps = math.ceil(count / batch_size)
        whole = taken(pipeline(x, y, batch_size, CIFAR10, seed=5), 5 * steps)
        rest = taken(pipeline(x, y, batch_size, CIFAR10, seed=5, first_epoch=first_epoch), (5 - first_epoch) * steps)
        assert_same(whole[first_epoch * steps :], rest)

    def test_fit_in_parts_equals_fit_in_full(self):
        x, y = examples(22)
        y = y % 3

        def train(*spans):
            keras.utils.set_random_seed(0)
            model = keras.Sequential(
                [keras.Input((6, 6, 1)), keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax")]
            )
            model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
            for start, end in spans:
                batches = pipeline(x, y, 4, MNIST, seed=0, first_epoch=start)
                model.fit(batches, steps_per_epoch=6, initial_epoch=start, epochs=end, shuffle=False, verbose=0)
            return model.get_weights()

        for whole, parts, without in zip(train((0, 4)), train((0, 1), (1, 4)), train((0, 1), (0, 3)), strict=True):
            np.testing.assert_array_equal(whole, parts)
            assert not np.array_equal(whole, without)

    @pytest.mark.parametrize("dtype", ["uint8", "float64", "float32"])
    def test_images_are_float32_and_labels_stay(self, dtype):
        x = (255 * examples(6)[0]).astype(dtype)
        y = np.eye(6, dtype="float64")
        for augmentation in (None, Augmentation()):
            batches = pipeline(x, y, 4, augmentation, seed=0, shuffle=False)
            if BACKEND == "tensorflow":
                assert [spec.dtype for spec in batches.element_spec] == ["float32", "float64"]
                assert batches.element_spec[0].shape.as_list() == [None, 6, 6, 1]
            ((images, labels),) = taken(batches, 1)
            assert (images.dtype, labels.dtype) == (np.float32, np.float64)
            np.testing.assert_array_equal(images, x[:4].astype("float32"))
            np.testing.assert_array_equal(labels, y[:4])

    @ON_TENSORFLOW
    def test_shape_is_known_where_batches_are_equal(self):
        x, y = examples(12)
        assert pipeline(x, y, 4, MNIST, seed=0).element_spec[0].shape.as_list() == [4, 6, 6, 1]

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"batch_size": 0}, "`batch_size` must be an integer, at least 1. Received: batch_size=0"),
            ({"batch_size": 2.0}, "Received: batch_size=2.0"),
            ({"first_epoch": -1}, "`first_epoch` must be an integer, at least 0. Received: first_epoch=-1"),
            ({"seed": None}, "`seed` must be an integer.*Received: seed=None"),
            ({"augmentation": True}, "`augmentation` must be an `Augmentation`.*Received: augmentation=True"),
            ({"y": np.arange(5)}, r"same number of examples.*Received: x.shape=\(6, 6, 6, 1\), y.shape=\(5,\)"),
            ({"x": np.zeros((0, 6, 6, 1)), "y": np.zeros(0)}, "at least 1"),
            ({"x": np.zeros((6, 36))}, r"images of shape \(n, height, width, channels\).*Received: x.shape=\(6, 36\)"),
        ],
    )
    def test_says_what_is_wrong(self, change, message):
        x, y = examples(6)
        arguments = {"x": x, "y": y, "batch_size": 2, "augmentation": MNIST, "seed": 0} | change
        with pytest.raises(ValueError, match=message):
            pipeline(**arguments)
