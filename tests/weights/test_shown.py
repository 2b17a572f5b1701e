"""What results say of themselves when they are printed."""

import keras
import numpy as np
from keras import layers

from train_by_reconnect import (
    KernelReport,
    Movement,
    prune_by_magnitude,
    score_profiles,
    shuffle_weight_vectors,
    sparsify,
    trainable_values,
)


def network():
    return keras.Sequential(
        [keras.Input((10,)), layers.Dense(5, name="hidden"), layers.Dense(4, name="top")], name="net"
    )


def test_reports_by_hand():
    # 0.4 is asked: of the first 50 weights the limit of 0.2 takes 10, of the other 20 weights it is 8.
    assert repr(sparsify(network(), 0.4, seed=0)) == (
        "[KernelReport(path='net/hidden/kernel', size=50, zeros=10, sparsity=0.2, asked=0.4, input_limit=0.2),\n"
        " KernelReport(path='net/top/kernel', size=20, zeros=8, sparsity=0.4, asked=0.4)]"
    )


def test_what_was_asked():
    def asked(reports):
        return [(report.asked, report.input_limit) for report in reports]

    assert asked(sparsify(network(), 0.1)) == [(0.1, None)] * 2  # below the limit
    assert asked(sparsify(network(), 0.4, input_limit=None)) == [(0.4, None)] * 2
    assert asked(sparsify(network(), [0.4, 0.3])) == [(0.4, None), (0.3, None)]
    assert asked(prune_by_magnitude(network(), 0.4, output_sparsity=0.2)) == [(0.4, None), (0.2, None)]
    assert asked(prune_by_magnitude(network(), 0.4, scope="network")) == [(None, None)] * 2
    assert asked(shuffle_weight_vectors(network())) == [(None, None)] * 2
    assert KernelReport("a", 3, 1).sparsity == 1 / 3
    assert repr(KernelReport("a", 3, 1)) == "KernelReport(path='a', size=3, zeros=1, sparsity=0.3333)"


def test_reports_are_a_list():
    reports = sparsify(network(), 0.5)
    assert isinstance(reports, list)
    assert reports == list(reports)
    assert repr(type(reports)()) == "[]"


def test_scores():
    lines = repr(score_profiles(network())).splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("[ProfileScore(name='net/hidden/kernel', shape=(10, 5), plain=0.")
    assert lines[0].count("initializer 0.") == lines[0].count("gaussian 0.") == lines[0].count("shuffled 0.") == 3


def test_movement():
    # 50 + 5 + 20 + 4 = 79 parameters, of which one moves by 3 and one by 1.
    model = network()
    initial = trainable_values(model)
    model.layers[1].kernel.assign_add(np.eye(5, 4) * [3, 0, 0, 0])
    model.layers[1].bias.assign([0, 0, 0, -1.0])
    assert repr(Movement(model, initial)) == "<Movement of 'net': parameters=79, moved=2, farthest=3 in net/top/kernel>"
    assert "moved=0" in repr(Movement(model, trainable_values(model)))
