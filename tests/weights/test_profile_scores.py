import csv
import dataclasses
import math

import keras
import numpy as np
import pytest
from keras import layers

from models.published import load_published
from train_by_reconnect import make_dissimilar, profile_similarity, score_profiles

MEASURES = ("plain", "standardized", "distance")
NULLS = ("initializer", "gaussian", "shuffled")


def dense(kernel, **arguments):
    kernel = np.asarray(kernel)
    model = keras.Sequential([keras.Input(kernel.shape[:1]), layers.Dense(kernel.shape[1], name="dense", **arguments)])
    model.layers[0].kernel.assign(kernel)
    return model


def median(scores, field):
    return float(np.median([getattr(score, field) for score in scores]))


def unexplained(scores, measure, null):
    """The unexplained part in that of a null: the median over the matrices."""
    return np.median([(1 - getattr(s, measure)) / (1 - getattr(s, f"{measure}_{null}")) for s in scores])


def test_the_scores_of_a_kernel_solved_by_hand():
    # The kernel's columns are the vectors (3, 1) and (3, 9) of above.
    [score] = score_profiles(dense([[3, 3], [1, 9]]))
    assert (score.layer, score.shape, score.units, score.size, score.scored_units) == ("dense", (2, 2), 2, 2, 2)
    assert score.plain == pytest.approx(4 / 9)
    assert score.distance == pytest.approx(2 / 3)
    # Two normal draws with the mean and the standard deviation of two numbers are these numbers.
    assert score.plain_gaussian == pytest.approx(4 / 9)
    assert score.distance_gaussian == pytest.approx(2 / 3)
    assert math.isnan(score.standardized)
    assert math.isnan(score.gaussian_profile)


def test_gaussian_profile_solved_by_hand():
    # Equal columns have one shape, z = (-1, 0, 1) sqrt(3 / 2). Sorted noise has variance 1 too, and its mean profile g
    # is (-a, b, a - b) of a square sum below 3: the part it explains is 2 <z, g> / 3 - <g, g> / 3 <= 1.
    [score] = score_profiles(dense(np.repeat([[-1.0], [0.0], [1.0]], 200, axis=1)), n_draws=20)
    assert score.standardized == pytest.approx(1)
    # The mean of 1 - standardized Gaussian is what the noise differs from its own mean profile, which is by symmetry
    # (-c, 0, c) with c^2 = 3/2 * standardized_gaussian; so 2 <z, g> / 3 = 2 sqrt(standardized_gaussian).
    expected = 2 * math.sqrt(score.standardized_gaussian) - score.standardized_gaussian
    assert score.gaussian_profile == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize(
    ("shape", "defined"),
    [((1, 5), ()), ((5, 1), ()), ((1, 1), ()), ((5, 2), ("plain", "distance")), ((2, 3), MEASURES)],
)
def test_what_has_no_answer_is_nan(shape, defined):
    size, units = shape[::-1]
    [score] = score_profiles(dense(np.random.default_rng(0).normal(size=(size, units))))
    fields = [f"{measure}{end}" for measure in MEASURES for end in ("", *(f"_{null}" for null in NULLS))]
    answers = {field for field in fields if not math.isnan(getattr(score, field))}
    assert answers == {field for field in fields if field.split("_")[0] in defined}
    assert math.isnan(score.gaussian_profile) == ("standardized" not in defined)


def test_constant_weights():
    [score] = score_profiles(dense(np.full((4, 3), 0.1)))
    assert score.constant_units == 3
    assert math.isnan(score.plain)
    assert math.isnan(score.distance_shuffled)
    assert math.isnan(score.standardized_gaussian)
    kernel = np.random.default_rng(0).normal(size=(20, 30))
    kernel[:, :7] = 0.1
    [score] = score_profiles(dense(kernel))
    assert score.constant_units == 7
    assert score.standardized == pytest.approx(profile_similarity(kernel.T[7:]).standardized)
    assert score.standardized_gaussian == pytest.approx(score.standardized, abs=0.02)  # of 23 rows, not of 30


def test_zeros_initializer_has_no_null():
    [score] = score_profiles(dense(np.random.default_rng(0).normal(size=(20, 30))), initializer="zeros")
    assert math.isnan(score.plain_initializer)
    assert not math.isnan(score.plain)


def test_initializers():
    kernel = np.random.default_rng(0).normal(size=(50, 40))
    [own] = score_profiles(dense(kernel, kernel_initializer="he_normal"))
    [given] = score_profiles(dense(kernel), initializer=keras.initializers.RandomNormal(seed=3))
    [function] = score_profiles(
        dense(kernel), initializer=lambda shape, dtype: keras.random.uniform(shape, dtype=dtype)
    )
    assert (own.initializer, given.initializer, function.initializer) == ("HeNormal", "RandomNormal", "<lambda>")
    assert own.plain == given.plain
    # No null depends on the scale, only on the shape: the fewer outliers it has, the more alike are its draws.
    [large] = score_profiles(dense(kernel), initializer=keras.initializers.RandomNormal(stddev=5))
    assert large.plain_initializer == pytest.approx(given.plain_initializer, rel=1e-5)
    assert function.plain_initializer > own.plain_initializer > given.plain_initializer  # HeNormal is truncated
    # A fixed seed in the layer's initializer does not make all draws one.
    [many] = score_profiles(dense(kernel), initializer=keras.initializers.RandomNormal(seed=3), n_draws=2)
    assert many.plain_initializer != given.plain_initializer


def test_a_layer_that_names_no_initializer():
    class Table(layers.Layer):
        def build(self, input_shape):
            self.table = self.add_weight(shape=(input_shape[-1], 4))

        def call(self, inputs):
            return inputs @ self.table

    model = keras.Sequential([keras.Input((6,)), Table()])
    [score] = score_profiles(model)
    assert score.initializer == "GlorotUniform"


def test_seeds_and_selection():
    model = keras.Sequential([keras.Input((9,)), *(layers.Dense(9, name=name) for name in "abc")])
    scores = score_profiles(model, seed=1)
    assert scores == score_profiles(model, seed=1)
    assert score_profiles(model, ["c", "a"], seed=1) == [scores[0], scores[2]]
    other = score_profiles(model, seed=2)[0]
    assert other.plain == scores[0].plain
    assert all(getattr(other, f"plain_{null}") != getattr(scores[0], f"plain_{null}") for null in NULLS)


def test_the_order_of_the_vectors_does_not_matter():
    random = np.random.default_rng(0)
    kernel = random.normal(size=(60, 80)) * random.uniform(0.5, 2, 80)
    [score], [other] = (score_profiles(dense(weights), n_draws=10) for weights in (kernel, kernel[:, ::-1]))
    for measure in MEASURES:
        assert getattr(other, measure) == pytest.approx(getattr(score, measure))
        for null in NULLS:  # these are drawn: equal in the mean
            field = f"{measure}_{null}"
            assert getattr(other, field) == pytest.approx(getattr(score, field), abs=0.01), field


def test_a_frozen_half_precision_kernel_beside_a_kernel_of_one_output():
    model = keras.Sequential([keras.Input((9,)), layers.Dense(8, dtype="bfloat16"), layers.Dense(1)])
    model.trainable = False
    first, last = score_profiles(model)
    assert first.plain == pytest.approx(first.plain_initializer, abs=0.15)
    assert last.units == 1
    assert math.isnan(last.plain)


def test_a_subset_of_the_vectors():
    random = np.random.default_rng(0)
    model = dense(random.normal(size=(30, 400)) * random.uniform(0.3, 2, 400))
    [every] = score_profiles(model, max_units=None)
    [some] = score_profiles(model, max_units=100)
    assert (every.scored_units, some.scored_units, some.units) == (400, 100, 400)
    for field in ("plain", "standardized", "plain_shuffled", "plain_gaussian", "plain_initializer"):
        assert getattr(some, field) == pytest.approx(getattr(every, field), abs=0.04)
    depthwise = keras.Sequential([keras.Input((8, 8, 50)), layers.DepthwiseConv2D(3, depth_multiplier=2)])
    assert score_profiles(depthwise, max_units=30)[0].scored_units == 30


def test_numbers_out_of_range():
    model = dense(np.eye(3))
    with pytest.raises(ValueError, match=r"at least 2, or None. Received: max_units=1"):
        score_profiles(model, max_units=1)
    with pytest.raises(ValueError, match=r"`n_draws` must be at least 1. Received: n_draws=0"):
        score_profiles(model, n_draws=0)
    with pytest.raises(ValueError, match=r"must name layers that have a kernel. Received: layers=\['x'\]"):
        score_profiles(model, "x")


def test_scores_become_csv_rows(tmp_path):
    rows = [dataclasses.asdict(score) for score in score_profiles(dense(np.random.default_rng(0).normal(size=(4, 5))))]
    with (tmp_path / "scores.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    assert all(isinstance(value, (str, int, float, tuple)) for value in rows[0].values())


# What the scores tell apart. A median is over the matrices of a network.


def test_draws_are_as_similar_as_their_nulls():
    # Noise is "similar": a high score alone says nothing of training.
    random = np.random.default_rng(0)
    [normal] = score_profiles(dense(random.normal(size=(400, 200))), initializer="random_normal")
    assert normal.plain > 0.98
    for measure, tolerance in (("plain", 0.2), ("standardized", 0.1)):
        for null in NULLS:
            # Of 200 vectors the means' variance is known to sqrt(2 / 200) = 10 %.
            assert abs(unexplained([normal], measure, null) - 1) < tolerance, (measure, null)
    assert 1 - normal.gaussian_profile == pytest.approx(1 - normal.standardized, rel=0.1)
    # Uniform noise is told from Gaussian noise by its shape, though it is even more alike.
    [uniform] = score_profiles(dense(random.uniform(-1, 1, size=(400, 200))))
    assert unexplained([uniform], "standardized", "gaussian") < 0.7
    assert uniform.gaussian_profile < 0.96 < uniform.standardized


def test_dissimilar_scales():
    model = dense(np.random.default_rng(0).normal(size=(400, 200)))
    [factors] = make_dissimilar(model, spread=4, seed=0).values()
    [score] = score_profiles(model, initializer="random_normal")
    # v_j is about f_j times one profile: Var(m) / Var(all) = mean(f)^2 / mean(f^2)
    assert score.plain == pytest.approx(factors.mean() ** 2 / np.mean(factors**2), abs=0.01)
    assert score.plain == pytest.approx(score.plain_gaussian, abs=0.01)  # the null has the same scales
    assert score.plain_shuffled > 0.93  # mixed, the scales are no longer the vectors'
    assert 0.9 < unexplained([score], "standardized", "gaussian") < 1.1


def test_dissimilar_shapes():
    random = np.random.default_rng(0)
    two_valued = random.permuted(np.repeat([[-1.0, 1.0]], 1000, axis=1).repeat(50, axis=0), axis=1)
    exponential = random.exponential(size=(50, 2000))
    [score] = score_profiles(dense(np.concatenate([two_valued, exponential]).T))
    # 1/4 (1 + 1 + 2 rho), where rho = mean |z| of the exponential's ranks = ln 2
    assert score.standardized == pytest.approx((1 + math.log(2)) / 2, abs=0.01)
    assert score.standardized_gaussian > 0.99
    assert score.standardized_shuffled > 0.99


def test_imagenet_weights_are_less_alike_than_gaussian_noise(pretrained_directory):
    path = str(pretrained_directory / "mobilenet_2_5_224_tf.h5")
    model = keras.applications.MobileNet(alpha=0.25, weights=path)
    random = score_profiles(keras.applications.MobileNet(alpha=0.25, weights=None))
    trained = score_profiles(model)
    make_dissimilar(model, seed=0)
    dissimilar = score_profiles(model)
    assert median(random, "plain") > 0.83 > median(trained, "plain") > 0.6 > median(dissimilar, "plain")
    assert unexplained(random, "plain", "initializer") == pytest.approx(1, abs=0.1)
    assert unexplained(trained, "plain", "gaussian") > 1.1
    assert unexplained(trained, "standardized", "gaussian") > 2
    assert sum(score.standardized < score.standardized_gaussian for score in trained) >= 22  # of 28


@pytest.mark.slow
def test_mobilenet_v2(pretrained_directory):
    path = str(pretrained_directory / "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5")
    arguments = {"alpha": 0.35, "include_top": False, "input_shape": (224, 224, 3)}
    trained = score_profiles(keras.applications.MobileNetV2(weights=path, **arguments), n_draws=1)
    assert len(trained) == 52
    assert sum(score.standardized < score.standardized_gaussian for score in trained) >= 45
    assert unexplained(trained, "standardized", "gaussian") > 1.4


def test_weights_trained_by_permutation_are_as_alike_as_their_initializer(pretrained_directory):
    scores = score_profiles(load_published("Conv7", pretrained_directory))
    assert {score.initializer for score in scores} == {"HeUniform"}
    assert unexplained(scores, "standardized", "shuffled") == pytest.approx(1, abs=0.15)
    assert unexplained(scores, "standardized", "gaussian") < 0.8  # for their one shape is uniform
    assert median(scores, "gaussian_profile") < median(scores, "standardized") - 0.03
