"""An update turns one connectivity file into another, to the bit, and costs little more than the difference."""

import dataclasses
import itertools
import pathlib

import keras
import numpy as np
import pytest
from backends import to_numpy
from hypothesis import given
from hypothesis import strategies as st
from test_mutated import try_mutants

from train_by_reconnect import (
    ConnectivityFiles,
    InitialRule,
    LaPerm,
    apply_connectivity_update,
    connectivity_diff,
    connectivity_model,
    draw_initial_weights,
    load_connectivity,
    save_connectivity,
    save_connectivity_update,
)
from train_by_reconnect.backend.rows import from_rows, to_rows
from train_by_reconnect.coding import default_codec
from train_by_reconnect.connectivity_files.changes import decode_change, encode_change
from train_by_reconnect.connectivity_files.container import UPDATE, read_container, write_container
from train_by_reconnect.connectivity_files.description import Entry
from train_by_reconnect.connectivity_files.json_sections import pack_json, unpack_json
from train_by_reconnect.connectivity_files.kernels import kernels_in
from train_by_reconnect.connectivity_files.update_description import open_update
from train_by_reconnect.connectivity_files.words import bits_of

RULE = InitialRule("he_uniform", seed=3)
needs_constriction = pytest.mark.skipif(default_codec() != "range", reason="constriction is not installed")


def network(inputs=6, units=9, name="net"):
    layers = [keras.layers.Dense(units, name="first"), keras.layers.Dense(2, name="second")]
    return keras.Sequential([keras.Input((inputs,), name="inputs"), *layers], name=name)


def drawn(rule=RULE, **arguments):
    model = network(**arguments)
    draw_initial_weights(model, rule.rule, rule.seed, sparsity=rule.sparsity)
    return model


def move(model, seed, fraction=1.0):
    """Permute this fraction of every weight vector."""
    rng = np.random.default_rng(seed)
    for kernel in kernels_in(model):
        rows = to_rows(to_numpy(kernel.variable), kernel.axes, np).copy()
        for row in rows:
            places = rng.choice(row.size, round(fraction * row.size), replace=False)
            row[places] = rng.permutation(row[places])
        kernel.variable.assign(from_rows(rows, kernel.variable.shape, kernel.axes, np))


def masked(mode, seed, fraction, score=-1.0):
    """A network of which a fraction is masked or flipped."""
    model = connectivity_model(drawn(inputs=60), mode, seed=0)
    rng = np.random.default_rng(seed)
    for layer in (model.layers[0], model.layers[1]):
        scores = layer.scores[0]
        scores.assign(
            np.where(rng.random(scores.shape) < fraction, np.where(rng.random(scores.shape) < 0.5, score, -1.0), 1.0)
        )
    return model


def weights_of(path, **kwargs):
    return [each.tobytes() for each in load_connectivity(path, **kwargs).get_weights()]


def updated(folder, before="a.tbr", after="b.tbr", **kwargs):
    """Save and apply an update between two files of a folder; the update and what came of it."""
    save_connectivity_update(folder / before, folder / after, folder / "u.tbu", **kwargs)
    apply_connectivity_update(folder / before, folder / "u.tbu", folder / "c.tbr")
    assert weights_of(folder / "c.tbr") == weights_of(folder / after)
    return open_update(folder / "u.tbu").description


def ways(description):
    return [(change.number, change.way) for change in description.changes]


def test_by_hand(tmp_path):
    # One weight vector of 40, of which two weights change places; packed. Which: 0110 0... with the first bit lowest is
    # 6, in five bytes after their number, 2. In which order: of 2 and 3 the greater comes first, ranks 1 0, one plane
    # of bits, 1. The whole order would be six planes of five bytes.
    model = keras.Sequential([keras.Input((40,)), keras.layers.Dense(1)])
    values = np.arange(1, 41, dtype="float32")[:, None]
    model.layers[0].kernel.assign(values)
    save_connectivity(model, tmp_path / "a.tbr", "stored")
    values[1:3] = values[2:0:-1]
    model.layers[0].kernel.assign(values)
    save_connectivity(model, tmp_path / "b.tbr", "stored")
    assert ways(updated(tmp_path, codec="packed")) == [(0, "moved")]
    sections = read_container(tmp_path / "u.tbu", UPDATE)
    assert bytes(sections["CONN"]) == bytes([2, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 1])
    assert (len(sections["ARCH"]), len(sections["ARRS"])) == (0, 0)


@pytest.mark.parametrize("codec", ["packed", pytest.param("range", marks=needs_constriction)])
def test_every_way(codec, tmp_path):
    files = {"initial": drawn(inputs=60), "moved": drawn(inputs=60), "little": drawn(inputs=60)}
    for name, fraction in (("moved", 1), ("little", 0)):
        move(files[name], 0)
        move(files[name], 1, fraction / 10)
    files |= {f"{mode}{seed}": masked(mode, seed, 0.3) for mode in ("prune", "flip") for seed in (1, 2)}
    files["both1"] = masked("prune_and_flip", 1, 0.3, -0.05)
    files["prune3"] = masked("prune", 1, 0.31)
    files["moved"].layers[1].bias.assign([3.0, 4.0])
    for name, model in files.items():
        save_connectivity(model, tmp_path / name, RULE, codec=codec)
    ways_of_the_first = {
        ("initial", "moved"): "anew",
        ("little", "moved"): "moved",
        ("moved", "initial"): "anew",
        ("initial", "prune1"): "anew",
        ("prune1", "prune3"): "toggled",
        ("prune1", "flip1"): "toggled",
        ("prune1", "flip2"): "anew",
        ("prune2", "initial"): "anew",
        ("moved", "prune1"): "anew",
        ("flip1", "moved"): "anew",
        ("prune1", "both1"): "anew",
        ("both1", "flip1"): "anew",
    }
    for pair, way in ways_of_the_first.items():
        said = ways(updated(tmp_path, *pair, codec=codec))
        assert codec == "packed" or said[0] == (0, way), pair
        assert ("moved" in pair) == ((3, "array") in said)
    assert ways(updated(tmp_path, "prune1", "prune1")) == []


def rescaled(fraction, factor):
    """A fraction masked and the rest divided by a factor, here by NumPy: backends round otherwise."""
    model = drawn(inputs=60)
    for kernel in kernels_in(model):
        value = to_numpy(kernel.variable)
        is_masked = np.random.default_rng(1).random(value.shape) < fraction
        kernel.variable.assign(np.where(is_masked, value * np.float32(0), value / np.float32(factor)))
    return model


@needs_constriction
def test_masks_that_are_rescaled_otherwise(tmp_path):
    save_connectivity(rescaled(0.3, 0.75), tmp_path / "a.tbr", RULE)
    save_connectivity(rescaled(0.5, 0.5), tmp_path / "b.tbr", RULE)
    assert ways(updated(tmp_path))[0] == (0, "toggled")


@pytest.mark.parametrize("source", ["stored", "reference"])
def test_other_sources_of_initial_weights(source, tmp_path):
    model = network()
    save_connectivity(model, tmp_path / "start.tbr", "stored")
    initial = "stored" if source == "stored" else tmp_path / "start.tbr"
    for seed, name in enumerate(("a.tbr", "b.tbr")):
        move(model, seed)
        save_connectivity(model, tmp_path / name, initial)
    updated(tmp_path)
    if source == "reference":
        moved = (tmp_path / "start.tbr").rename(tmp_path / "moved.tbr")
        save_connectivity_update(tmp_path / "a.tbr", tmp_path / "b.tbr", tmp_path / "u.tbu", reference=moved)
        apply_connectivity_update(tmp_path / "a.tbr", tmp_path / "u.tbu", tmp_path / "a.tbr", reference=moved)
        assert weights_of(tmp_path / "a.tbr", reference=moved) == weights_of(tmp_path / "b.tbr", reference=moved)


@pytest.mark.parametrize("codec", ["packed", pytest.param("range", marks=needs_constriction)])
@given(
    shape=st.tuples(st.integers(0, 5), st.sampled_from([0, 1, 7, 255, 300])),
    values=st.sampled_from([1, 3, 60_000]),
    fraction=st.sampled_from([0, 0.01, 0.3, 1]),
    dtype=st.sampled_from(["float16", "float32"]),
    seed=st.integers(0),
)
def test_moves_of_any_fraction_and_ties(codec, shape, values, fraction, dtype, seed):
    rng = np.random.default_rng(seed)
    old = bits_of(rng.integers(values, size=shape).astype(dtype))
    new = old.copy()
    for row in new:
        places = rng.choice(row.size, round(fraction * row.size), replace=False)
        row[places] = rng.permutation(row[places])
    entry = Entry("kernel", shape, dtype, "permuted", axes=(0,))
    way, blocks = encode_change(entry, entry, np.sort(old), old, new, codec)
    changed = dataclasses.replace(entry, blocks=tuple(map(len, blocks)))
    found = decode_change(way, entry, changed, np.sort(old), old, iter(blocks), codec)
    np.testing.assert_array_equal(found, new)


@needs_constriction
@pytest.mark.parametrize("fraction", [0.05, 0.3, 1])
def test_close_to_what_the_difference_costs(fraction, tmp_path):
    model = drawn(inputs=576, units=64)
    save_connectivity(model, tmp_path / "a.tbr")
    move(model, 1, fraction)
    save_connectivity(model, tmp_path / "b.tbr")
    updated(tmp_path)
    bits = 8 * len(read_container(tmp_path / "u.tbu", UPDATE)["CONN"])
    # Two kernels with two blocks of up to 16 bytes beside their bits. A weight that moves comes back to another place,
    # which the order does not use: log2 e a weight vector.
    assert (
        bits <= 1.01 * sum(each.bits for each in connectivity_diff(tmp_path / "a.tbr", tmp_path / "b.tbr")) + 512 + 96
    )


def test_a_training_sent_step_by_step(tmp_path):
    model = drawn()
    model.compile(LaPerm(keras.optimizers.Adam(0.05), sync_period=2), "mse")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(24, 6)), rng.normal(size=(24, 2))
    model.fit(x, y, batch_size=4, verbose=0, callbacks=[ConnectivityFiles(tmp_path / "kept")])
    files = sorted((tmp_path / "kept").glob("step_*.tbr"))
    assert len(files) == 4
    device = tmp_path / "device.tbr"
    device.write_bytes(files[0].read_bytes())
    updates = []
    for number, (before, after) in enumerate(itertools.pairwise(files)):
        updates.append(tmp_path / f"{number}.tbu")
        save_connectivity_update(before, after, updates[-1])
        apply_connectivity_update(device, updates[-1], device)
        assert weights_of(device) == weights_of(after)
    assert weights_of(device) == [each.tobytes() for each in model.get_weights()]
    # What was loaded of it goes on as if it had been saved whole.
    save_connectivity(load_connectivity(device), tmp_path / "again.tbr")
    refused("to the network that it was made of.*in their order", apply_connectivity_update, device, updates[0], device)


def test_another_architecture_of_the_same_weights(tmp_path):
    save_connectivity(drawn(), tmp_path / "a.tbr")
    model = drawn(name="other")
    move(model, 1)
    save_connectivity(model, tmp_path / "b.tbr")
    updated(tmp_path)
    assert load_connectivity(tmp_path / "c.tbr").name == "other"


def refused(match, call, *args):
    with pytest.raises(ValueError, match=match) as caught:
        call(*args)
    assert "Received: " in str(caught.value)


@pytest.fixture
def saved(tmp_path):
    """A network, a later one, and the update; and a network of another seed."""
    model = drawn()
    save_connectivity(model, tmp_path / "a.tbr")
    move(model, 1)
    model.layers[0].bias.assign(np.arange(9.0))
    save_connectivity(model, tmp_path / "b.tbr")
    save_connectivity(drawn(InitialRule(seed=4)), tmp_path / "other.tbr")
    updated(tmp_path)
    return tmp_path


def test_files_of_the_wrong_kind(saved):
    refused(
        "must be a connectivity file.*Received: an update of a connectivity file", load_connectivity, saved / "u.tbu"
    )
    refused(
        "must be an update of a connectivity file.*Received: a connectivity file",
        *(apply_connectivity_update, saved / "a.tbr", saved / "b.tbr", saved / "d.tbr"),
    )
    refused("no such file", apply_connectivity_update, saved / "a.tbr", saved / "none.tbu", saved / "d.tbr")
    for before in ("b.tbr", "other.tbr"):
        refused("holds another", apply_connectivity_update, saved / before, saved / "u.tbu", saved / "d.tbr")
    refused("same initial weights", *(save_connectivity_update, saved / "a.tbr", saved / "other.tbr", saved / "v.tbu"))
    assert not (saved / "d.tbr").exists()
    assert not (saved / "v.tbu").exists()


def test_every_cut_and_every_byte_that_is_changed(saved):
    whole = (saved / "u.tbu").read_bytes()
    for place in range(0, len(whole), 9):
        changed = bytearray(whole)
        changed[place] ^= 0x40
        for content in (whole[:place], changed):
            (saved / "v.tbu").write_bytes(content)
            refused("Received", apply_connectivity_update, saved / "a.tbr", saved / "v.tbu", saved / "d.tbr")
    assert not (saved / "d.tbr").exists()


def whole_updates(folder):
    """Updates in every way, and what applying each to its file gives."""
    pairs = {"moved": (drawn(), drawn()), "masked": (masked("prune", 1, 0.3), masked("prune", 1, 0.32))}
    pairs["anew"] = (masked("flip", 1, 0.3), drawn(inputs=60))
    move(pairs["moved"][1], 1, 0.2)
    move(pairs["anew"][1], 2)
    pairs["moved"][1].layers[0].bias.assign(np.arange(9.0))
    found = {}
    for name, models in pairs.items():
        for model, end in zip(models, ("before", "after"), strict=True):
            save_connectivity(model, folder / f"{name}_{end}.tbr", RULE)
        path = folder / f"{name}.tbu"
        save_connectivity_update(folder / f"{name}_before.tbr", folder / f"{name}_after.tbr", path)
        found[path] = load_connectivity(folder / f"{name}_after.tbr").get_weights()
    return found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("count", [150, pytest.param(10_000, marks=pytest.mark.slow)])
def test_mutants(count, tmp_path):
    (tmp_path / "mutants").mkdir()

    def read(target, source):
        out = pathlib.Path(tmp_path / "out.tbr")
        out.unlink(missing_ok=True)
        try:
            apply_connectivity_update(source.with_name(f"{source.stem}_before.tbr"), target, out)
        except ValueError:
            assert not out.exists()
            raise
        return load_connectivity(out).get_weights()

    assert try_mutants(whole_updates(tmp_path), tmp_path / "mutants", count, 0, UPDATE, read) > count / 2


def test_an_update_that_says_another_hash(saved):
    sections = {tag: [bytes(part)] for tag, part in read_container(saved / "u.tbu", UPDATE).items()}
    other = open_update(saved / "u.tbu").description.after_sha256[::-1]
    head = unpack_json(sections["HEAD"][0])
    head["after_sha256"] = other
    write_container(saved / "v.tbu", {**sections, "HEAD": [pack_json(head)]}, UPDATE)
    refused("another network than was saved", apply_connectivity_update, *(saved / n for n in ("a.tbr", "v.tbu", "d")))
