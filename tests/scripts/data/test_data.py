import dataclasses
import types
import zipfile

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.data.datasets import SCALINGS, load


def arrays(count=4, tests=2, shape=(28, 28), dtype="uint8"):
    """Random images in the layout of Keras' npz files."""
    rng = np.random.default_rng(0)
    return {
        "x_train": rng.integers(0, 256, (count, *shape)).astype(dtype),
        "y_train": rng.integers(0, 10, count),
        "x_test": rng.integers(0, 256, (tests, *shape)).astype(dtype),
        "y_test": rng.integers(0, 10, tests),
    }


@pytest.fixture
def save(tmp_path):
    """Write arrays as `<name>.npz` and return the folder."""

    def write(name="mnist", **content):
        np.savez(tmp_path / f"{name}.npz", **content)
        return tmp_path

    return write


class TestScaling:
    @pytest.fixture
    def hand(self, save):
        """Two training images: all 0, and all 2 but for one pixel of 4. A test image all 5."""
        x_train = np.zeros((2, 28, 28), "uint8")
        x_train[1] = 2
        x_train[1, 0, 0] = 4
        return save(x_train=x_train, y_train=[3, 7], x_test=np.full((1, 28, 28), 5, "uint8"), y_test=[9])

    def test_unit(self, hand):
        data = load("mnist", hand)
        assert set(data.x_train[0].ravel()) == {0}
        np.testing.assert_allclose(data.x_train[1, 0, :2, 0], [4 / 255, 2 / 255], rtol=1e-6)
        np.testing.assert_allclose(data.x_test, 5 / 255, rtol=1e-6)

    def test_z_score(self, hand):
        # 784 pixels are 0, 783 are 2 and one is 4. The mean is 1570 / 1568; the mean square (783 * 4 + 16) / 1568.
        mean = 1570 / 1568
        deviation = ((783 * 4 + 16) / 1568 - mean**2) ** 0.5
        data = load("mnist", hand, scaling="z_score")
        np.testing.assert_allclose(data.x_train[0], -mean / deviation, rtol=1e-6)
        np.testing.assert_allclose(
            data.x_train[1, 0, :2, 0], [(4 - mean) / deviation, (2 - mean) / deviation], rtol=1e-6
        )
        np.testing.assert_allclose(data.x_test, (5 - mean) / deviation, rtol=1e-6)

    def test_pixel_mean(self, hand):
        # The mean image is 1, but 2 at the one pixel: left are -1 and 1, at the one pixel -2 and 2, all over 255.
        data = load("mnist", hand, scaling="pixel_mean")
        np.testing.assert_allclose(data.x_train[:, 0, 0, 0] * 255, [-2, 2], rtol=1e-6)
        np.testing.assert_allclose(data.x_train[:, 1, 1, 0] * 255, [-1, 1], rtol=1e-6)
        np.testing.assert_allclose(data.x_test[0, 0, :2, 0] * 255, [3, 4], rtol=1e-6)

    def test_pixel_mean_overall_std(self, hand):
        # As above, over the root of the mean square of what is left: (2 * 783 * 1 + 2 * 4) / 1568.
        deviation = (1574 / 1568) ** 0.5
        data = load("mnist", hand, scaling="pixel_mean_overall_std")
        np.testing.assert_allclose(data.x_train[:, 0, 0, 0], [-2 / deviation, 2 / deviation], rtol=1e-6)
        np.testing.assert_allclose(data.x_test[0, 0, :2, 0], [3 / deviation, 4 / deviation], rtol=1e-6)

    @pytest.mark.parametrize("scaling", SCALINGS)
    def test_does_not_depend_on_the_split_nor_on_the_test_images(self, save, scaling):
        content = arrays(12)
        whole = load("mnist", save(**content), scaling=scaling)
        content["x_test"] = np.zeros_like(content["x_test"])
        parts = load("mnist", save(**content), scaling=scaling, validation=4, limit=5)
        np.testing.assert_array_equal(parts.x_train, whole.x_train[:5])
        np.testing.assert_array_equal(parts.x_val, whole.x_train[8:])

    @pytest.mark.parametrize("scaling", SCALINGS)
    def test_equals_numpy_on_colour_images(self, save, scaling):
        content = arrays(1500, shape=(32, 32, 3))
        train, test = content["x_train"] / 255, content["x_test"] / 255
        mean = train.mean(axis=0)
        expected = {
            "unit": test,
            "z_score": (test - train.mean()) / train.std(),
            "pixel_mean": test - mean,
            "pixel_mean_overall_std": (test - mean) / (train - mean).std(),
        }[scaling]
        got = load("cifar10", save("cifar10", **content), scaling=scaling).x_test
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)

    @pytest.mark.parametrize("scaling", ["z_score", "pixel_mean_overall_std"])
    def test_images_that_do_not_vary(self, save, scaling):
        content = arrays() | {"x_train": np.ones((4, 28, 28), "uint8")}
        with pytest.raises(ValueError, match=r"Received: images that do not vary\. Use `scaling='unit'`"):
            load("mnist", save(**content), scaling=scaling)


class TestSplit:
    @given(count=st.integers(1, 20), data=st.data())
    @settings(max_examples=25, deadline=None)
    def test_parts_are_the_file_in_order(self, tmp_path_factory, count, data):
        validation = data.draw(st.integers(0, count - 1))
        limit = data.draw(st.none() | st.integers(1, count - validation))
        content = arrays(count, tests=3)
        directory = tmp_path_factory.mktemp("split")
        np.savez(directory / "mnist.npz", **content)
        got = load("mnist", directory, validation=validation, limit=limit)
        kept = count - validation
        for part, images, labels in (
            (slice(0, kept if limit is None else limit), got.x_train, got.y_train),
            (slice(kept, count), got.x_val, got.y_val),
        ):
            np.testing.assert_array_equal(np.round(images * 255)[..., 0], content["x_train"][part])
            np.testing.assert_array_equal(labels, content["y_train"][part])
            assert images.dtype == np.float32
            assert labels.dtype == np.int32
        assert got.x_test.shape == (3, 28, 28, 1)

    @pytest.mark.parametrize("validation", [4, 5, -1, 1.0, True, None])
    def test_validation_out_of_range(self, save, validation):
        with pytest.raises(
            ValueError, match=rf"`validation` must be .* from 0 to 3 .*Received: validation={validation}"
        ):
            load("mnist", save(**arrays(4)), validation=validation)

    @pytest.mark.parametrize("limit", [0, 4, -1, 2.0, True])
    def test_limit_out_of_range(self, save, limit):
        with pytest.raises(
            ValueError, match=rf"`limit` must be .* from 1 to 3 .*validation=1.*Received: limit={limit}"
        ):
            load("mnist", save(**arrays(4)), validation=1, limit=limit)

    def test_what_is_skipped_is_what_another_call_takes(self, save):
        # The images in order: classes 0 to 9, again 0 to 9, and again. The 10 after the first 10 are numbers 10 to 19.
        content = arrays(31)
        content["y_train"] = np.arange(31) % 10
        folder = save(**content)
        for balanced in (False, True):
            got = load("mnist", folder, validation=1, limit=10, balanced=balanced, skip=10)
            np.testing.assert_array_equal(np.round(got.x_train * 255)[..., 0], content["x_train"][10:20])
        assert len(load("mnist", folder, validation=1, skip=10).x_train) == 20

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ({"skip": 30}, "`skip` must be .* from 0 to 29 .*Received: skip=30"),
            ({"skip": 10, "limit": 21}, "`limit` must be .* from 1 to 20 .*`skip=10`.*Received: limit=21"),
            ({"skip": 5, "limit": 10, "balanced": True}, "multiples of 10.*Received: limit=10, skip=5"),
            ({"skip": 20, "limit": 20, "balanced": True}, "from 1 to 10"),
        ],
    )
    def test_skip_out_of_range(self, save, arguments, said):
        with pytest.raises(ValueError, match=said):
            load("mnist", save(**arrays(31)), validation=1, **arguments)

    def test_is_frozen(self):
        with pytest.raises(dataclasses.FrozenInstanceError):
            load("digits").x_train = None


class TestDigits:
    def test_is_the_same_whatever_the_seed(self):
        first = load("digits")
        keras.utils.set_random_seed(123)
        second = load("digits", directory="no such folder")
        for field in dataclasses.fields(first):
            np.testing.assert_array_equal(getattr(first, field.name), getattr(second, field.name))
        assert (first.name, first.num_classes) == ("digits", 10)
        assert first.x_train.shape == (1437, 8, 8, 1)
        assert first.x_test.shape == (360, 8, 8, 1)
        assert (first.x_train.min(), first.x_train.max()) == (0, 1)

    def test_classes_in_proportion(self):
        data = load("digits")
        shares = np.stack([np.bincount(labels) / len(labels) for labels in (data.y_train, data.y_test)])
        assert np.abs(shares[0] - shares[1]).max() < 0.002


class TestRealFiles:
    @pytest.mark.parametrize(("name", "mean"), [("mnist", 33.318421), ("fashion_mnist", 72.940350)])
    def test_grey(self, data_directory, name, mean):
        data = load(name, data_directory, validation=5000)
        assert (data.x_train.shape, data.x_val.shape) == ((55000, 28, 28, 1), (5000, 28, 28, 1))
        assert data.x_test.shape == (10000, 28, 28, 1)
        assert np.bincount(np.concatenate([data.y_train, data.y_val])).sum() == 60000
        total = data.x_train.sum(dtype="float64") + data.x_val.sum(dtype="float64")
        assert 255 * total / 60000 / 784 == pytest.approx(mean, abs=1e-4)

    def test_z_scored_mnist(self, data_directory):
        data = load("mnist", data_directory, scaling="z_score")
        assert data.x_train.mean(dtype="float64") == pytest.approx(0, abs=1e-5)
        assert data.x_train.std(dtype="float64") == pytest.approx(1, abs=1e-5)

    def test_cifar10(self, cifar10_directory):
        data = load("cifar10", cifar10_directory, scaling="pixel_mean", validation=5000, limit=2000)
        assert (data.x_train.shape, data.x_val.shape) == ((2000, 32, 32, 3), (5000, 32, 32, 3))
        assert data.x_test.shape == (1000, 32, 32, 3)
        assert data.y_test.shape == (1000,)
        # The mean taken off is that of all 50,000 images, so the channels of the first 2,000 are only near 0.
        assert 0 < np.abs(data.x_train.mean(axis=(0, 1, 2))).max() < 0.01


class TestSources:
    def test_labels_in_a_column(self, save):
        content = arrays(4, shape=(32, 32, 3))
        flat = content["y_train"]
        content["y_train"] = flat[:, np.newaxis]
        data = load("cifar10", save("cifar10", **content))
        np.testing.assert_array_equal(data.y_train, flat)

    @pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10"])
    def test_without_a_folder_keras_finds_it(self, monkeypatch, name):
        content = arrays(shape=(32, 32, 3) if name == "cifar10" else (28, 28))
        parts = (content["x_train"], content["y_train"]), (content["x_test"], content["y_test"])
        monkeypatch.setattr(getattr(keras.datasets, name), "load_data", lambda: parts)
        np.testing.assert_array_equal(load(name).y_train, content["y_train"])

    def test_without_a_folder_nor_a_network(self, monkeypatch):
        def fail():
            raise Exception("URL fetch failure")

        monkeypatch.setattr(keras.datasets.mnist, "load_data", fail)
        with pytest.raises(OSError, match=r"Received: URL fetch failure\. Name a folder .* or use 'digits'") as caught:
            load("mnist")
        assert caught.value.__cause__.args == ("URL fetch failure",)

    def test_with_a_folder_keras_is_never_asked(self, monkeypatch, tmp_path):
        monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: pytest.fail("asked Keras"))
        with pytest.raises(FileNotFoundError, match=r"a file mnist.npz .*Received: --data .*Put it there"):
            load("mnist", tmp_path)
        with pytest.raises(FileNotFoundError, match="Received: --data nowhere"):
            load("mnist", "nowhere")

    @pytest.mark.parametrize("name", ["MNIST", "cifar100", "", None])
    def test_unknown_name(self, name):
        with pytest.raises(ValueError, match=rf"`name` must be one of 'digits', 'mnist', .*Received: name={name!r}"):
            load(name)

    @pytest.mark.parametrize("scaling", ["zscore", None, 255])
    def test_unknown_scaling(self, scaling):
        with pytest.raises(ValueError, match=rf"`scaling` must be one of 'unit', .*Received: scaling={scaling!r}"):
            load("digits", scaling=scaling)

    @pytest.mark.parametrize("part", [0, 100, 0.5, 0.999])
    def test_truncated(self, save, part):
        directory = save(**arrays())
        content = (directory / "mnist.npz").read_bytes()
        (directory / "mnist.npz").write_bytes(content[: int(part * len(content)) if part < 1 else part])
        with pytest.raises(ValueError, match=r"complete .npz archive.*Received: .*Copy or download") as caught:
            load("mnist", directory)
        assert caught.value.__cause__ is not None

    def test_damaged_inside(self, save):
        directory = save(**arrays())
        content = bytearray((directory / "mnist.npz").read_bytes())
        content[1000] ^= 255
        (directory / "mnist.npz").write_bytes(content)
        with pytest.raises(ValueError, match=r"complete \.npz archive") as caught:
            load("mnist", directory)
        assert isinstance(caught.value.__cause__, zipfile.BadZipFile)

    def test_not_an_archive(self, tmp_path):
        (tmp_path / "mnist.npz").write_text("<html>404 Not Found</html>")
        with pytest.raises(ValueError, match=r"complete \.npz archive"):
            load("mnist", tmp_path)
        with open(tmp_path / "mnist.npz", "wb") as file:
            np.save(file, np.zeros(3))
        with pytest.raises(ValueError, match=r"complete \.npz archive"):
            load("mnist", tmp_path)

    def test_pickled_objects_are_refused(self, save):
        content = arrays() | {"y_test": np.array([types.SimpleNamespace(), 1])}
        with pytest.raises(ValueError, match="archive of plain arrays"):
            load("mnist", save(**content))

    def test_missing_arrays(self, save):
        content = arrays()
        with pytest.raises(ValueError, match=r"Received: a file without x_test, y_test. Save it again"):
            load("mnist", save(x_train=content["x_train"], y_train=content["y_train"]))

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (
                {"x_train": np.zeros((4, 32, 32, 3), "uint8")},
                r"x_train .*\(n, 28, 28, 1\).*Received: shape=\(4, 32, 32, 3\)",
            ),
            ({"x_train": np.zeros((4, 784), "uint8")}, r"Received: shape=\(4, 784\)"),
            ({"x_train": np.zeros((0, 28, 28), "uint8"), "y_train": np.zeros(0, int)}, "n at least 1"),
            ({"x_test": np.zeros((2, 28, 28))}, "x_test .*uint8.*Received: .*dtype=float64"),
            ({"y_train": np.zeros(5, int)}, r"y_train .*one label for each of the 4 images.*Received: shape=\(5,\)"),
            ({"y_test": np.eye(10)[:2]}, r"y_test .*one label for each of the 2 images.*Received: shape=\(2, 10\)"),
            ({"y_test": np.array([0, 10])}, r"y_test .*integers from 0 to 9. Received: dtype=int64, values=\[ 0 10\]"),
            ({"y_test": np.array([-1, 1])}, r"values=\[-1  1\]"),
            ({"y_test": np.array([0.0, 1.0])}, "dtype=float64"),
            ({"y_test": np.array(["cat", "dog"])}, r"dtype=<U3, values=\['cat' 'dog'\]"),
        ],
    )
    def test_wrong_content(self, save, change, message):
        with pytest.raises(ValueError, match=message):
            load("mnist", save(**(arrays() | change)))

    def test_cifar10_is_not_mnist(self, save):
        with pytest.raises(ValueError, match=r"\(n, 32, 32, 3\).*Received: shape=\(4, 28, 28\)"):
            load("cifar10", save("cifar10", **arrays()))


def test_says_nothing(capfd):
    load("digits")
    assert capfd.readouterr() == ("", "")
