"""The tools for kernels on a model whose kernels are fixed and whose scores are trained."""

import keras
import numpy as np
import pytest
from backends import to_numpy
from keras import layers

from train_by_reconnect import (
    BernoulliMask,
    Masked,
    Signed,
    SignedMask,
    connectivity_model,
    describe_variables,
    log10_permutations,
    make_dissimilar,
    prune_by_magnitude,
    reduce_precision,
    score_profiles,
    share_value,
    shuffle_weight_vectors,
    sparsify,
    strip,
    trainable_layers,
    weight_profiles,
)

CHANGES = {
    "sparsify": lambda model: sparsify(model, 0.5),
    "share_value": lambda model: share_value(model, 0.5),
    "shuffle_weight_vectors": shuffle_weight_vectors,
    "make_dissimilar": make_dissimilar,
    "reduce_precision": lambda model: reduce_precision(model, 4),
    "prune_by_magnitude": lambda model: prune_by_magnitude(model, 0.5),
}


def network(name="net", **arguments):
    hidden = layers.Dense(4, activation="relu", name="hidden", **arguments)
    return keras.Sequential([keras.Input((6,)), hidden, layers.Dense(2, name="top", **arguments)], name=name)


def masked():
    model = connectivity_model(network())
    random = np.random.default_rng(0)
    for layer in model.layers:
        layer.scores[0].assign(random.uniform(-1, 1, layer.scores[0].shape))
    return model


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("name", CHANGES)
def test_what_changes_kernels_refuses_scores(name, frozen):
    model = masked()
    model.trainable = not frozen
    before = model.get_weights()
    message = r"must be a plain model.*model='net'.*trained scores, net/hidden/scores, net/top/scores.*`strip`"
    with pytest.raises(ValueError, match=message):
        CHANGES[name](model)
    assert all(np.array_equal(old, new) for old, new in zip(before, model.get_weights(), strict=True))


def test_a_model_of_which_a_part_has_scores_is_refused_too():
    with pytest.raises(ValueError, match="trained scores, net/top/scores"):
        sparsify(connectivity_model(network(), keep=["hidden"]), 0.5)


@pytest.mark.parametrize("name", CHANGES)
def test_frozen_kernels_are_not_skipped_in_silence(name):
    model = network()
    model.trainable = False
    with pytest.raises(
        ValueError, match=r"trainable kernel.*model='net', whose 2 kernels are frozen.*trainable = True"
    ):
        CHANGES[name](model)
    model.layers[1].trainable = model.trainable = True
    model.layers[0].trainable = False
    before = model.get_weights()
    assert len(CHANGES[name](model)) == 1
    np.testing.assert_array_equal(before[0], model.get_weights()[0])


def test_scores_are_no_kernels():
    # Of Masked(Dense) the kernel and bias are fixed; its scores are what is trained.
    model = masked()
    assert [layout.kind for layout in describe_variables(model.trainable_variables)] == ["scores", "scores"]
    assert [layout.unit_axes for layout in describe_variables(model.trainable_variables)] == [None, None]
    assert [[v.path for v in variables] for _, variables in trainable_layers(model)] == [
        ["net/hidden/scores"],
        ["net/top/scores"],
    ]


def test_profiles_are_those_of_the_effective_kernels_by_hand():
    # kernel (3, -5), the second masked: (3, 0), in ascending order (0, 3); with its sign flipped (3, 5), so (3, 5).
    for layer_class, expected in ((Masked, [0.0, 3.0]), (Signed, [3.0, 5.0]), (SignedMask, [3.0, 5.0])):
        layer = layer_class(layers.Dense(1, use_bias=False))
        layer.build((None, 2))
        layer.kernels[0].assign([[3.0], [-5.0]])
        layer.scores[0].assign([[0.1], [-0.1]])
        [profile] = weight_profiles(layer)
        assert profile.vectors.tolist() == [expected]
        assert profile.variable is layer.kernels[0]
        layer.scores[0].assign([[0.1], [0.1]])
        assert profile.unsorted.tolist() == [[3.0, -5.0]]  # read anew


def test_profiles_and_scores_are_those_of_the_stripped_model():
    model = masked()
    plain = strip(model)
    profiles = weight_profiles(model)
    assert [profile.layer for profile in profiles] == ["hidden", "top"]
    for profile, expected in zip(profiles, weight_profiles(plain), strict=True):
        np.testing.assert_array_equal(profile.vectors, expected.vectors)
        assert profile.unit_axes == expected.unit_axes
    assert [score.plain for score in score_profiles(model)] == [score.plain for score in score_profiles(plain)]
    assert [profile.layer for profile in weight_profiles(model, "top")] == ["top"]


def test_both_kernels_of_a_separable_convolution():
    layer = Masked(layers.SeparableConv2D(3, 2, use_bias=False))
    layer.build((None, 4, 4, 2))
    layer.scores[1].assign(-layer.scores[1])
    depthwise, pointwise = weight_profiles(layer)
    np.testing.assert_array_equal(np.sort(depthwise.vectors, axis=None), np.sort(layer.kernels[0].numpy(), axis=None))
    assert not pointwise.vectors.any()


def test_to_look_at_a_random_mask_draws_none():
    model = connectivity_model(network(), BernoulliMask)
    [profile, _] = weight_profiles(model)
    shown = profile.unsorted
    np.testing.assert_array_equal(np.sort(shown, axis=1), profile.vectors)
    drawn = to_numpy(model.layers[0].effective_kernels()[0])  # the next draw is the one that was shown
    np.testing.assert_array_equal(drawn.T, shown)
    assert not np.array_equal(profile.unsorted, shown)


def test_there_is_no_permutation_of_fixed_kernels_to_count():
    with pytest.raises(
        ValueError, match=r"`LaPerm` can permute.*model='net', in which net/hidden/hidden/kernel is fix"
    ):
        log10_permutations(masked())
    log10_permutations(strip(masked()))
