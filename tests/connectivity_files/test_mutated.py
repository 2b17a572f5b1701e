"""Files that were changed at random, half of them with a checksum that fits: refused, or the very same weights."""

import pathlib
import resource
import sys
import time
import zlib

import keras
import numpy as np
import pytest

from train_by_reconnect import (
    InitialRule,
    connectivity_model,
    draw_initial_weights,
    load_connectivity,
    save_connectivity,
)
from train_by_reconnect.connectivity_files import json_sections
from train_by_reconnect.connectivity_files.container import NETWORK, read_container, write_container

MEMORY = 2**28  # bytes by which the process may grow: files of some kB may declare 64 MiB of weights, several times


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Files of each kind, with the weights that they hold."""
    folder = tmp_path_factory.mktemp("whole")
    layers = [keras.layers.Conv2D(3, 2), keras.layers.BatchNormalization(), keras.layers.Flatten()]
    plain = keras.Sequential([keras.Input((4, 4, 2)), *layers, keras.layers.Dense(5)])
    rule = draw_initial_weights(plain, "he_uniform", seed=1, sparsity=0.4)
    rng = np.random.default_rng(0)
    masked = connectivity_model(plain, "prune", seed=0)
    for layer in (masked.layers[0], masked.layers[3]):
        layer.scores[0].assign(rng.normal(size=layer.scores[0].shape))
    save_connectivity(masked, folder / "masked.tbr", rule)
    for layer in (plain.layers[0], plain.layers[3]):
        kernel = keras.ops.convert_to_numpy(layer.kernel)
        layer.kernel.assign(rng.permuted(kernel.reshape(-1, kernel.shape[-1]), axis=0).reshape(kernel.shape))
    save_connectivity(plain, folder / "permuted.tbr", rule)
    save_connectivity(plain, folder / "stored.tbr", "stored")
    return {path: load_connectivity(path).get_weights() for path in sorted(folder.iterdir())}


def changed_bytes(rng, data):
    """Some bytes changed, taken out, put in, doubled, or set to zero."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        place, length = rng.integers(0, len(data) + 1), int(rng.integers(1, 9))
        what = rng.integers(6)
        if what == 0 and data:
            data[place % len(data)] ^= 1 << rng.integers(8)
        elif what == 1:
            del data[place : place + length]
        elif what == 2:
            data[place:place] = rng.bytes(length)
        elif what == 3:
            data[place:place] = data[place : place + 50 * length]
        elif what == 4:
            data[place : place + length] = bytes(len(data[place : place + length]))
        else:
            data[place : place + length] = b"\xff" * len(data[place : place + length])
    return bytes(data)


STRANGE = (
    None,
    True,
    -1,
    0,
    1,
    3,
    2**31,
    2**63,
    10**30,
    0.5,
    1e308,
    float("nan"),
    "",
    "x" * 2000,
    [],
    {},
    [[]],
    [10**6],
)


def changed_json(rng, content):
    """One value somewhere inside replaced by a strange one, taken out or doubled."""
    places, level = [], [content]
    while level:
        inside = []
        for each in level:
            keys = list(each) if isinstance(each, dict) else range(len(each)) if isinstance(each, list) else []
            places += [(each, key) for key in keys]
            inside += [each[key] for key in keys]
        level = inside
    holder, key = places[rng.integers(len(places))]
    what = rng.integers(4)
    if what == 0:
        del holder[key]
    elif what == 1 and isinstance(holder, list):
        holder.insert(key, holder[key])
    elif what == 2 and type(holder[key]) in (int, float):
        holder[key] = type(holder[key])(holder[key] * 1000 + 1)
    else:
        holder[key] = STRANGE[rng.integers(len(STRANGE))]
    return content


def mutant(rng, source, target, kind):
    """Write a changed file; its checksum fits in three cases of four."""
    sections = {tag: bytes(part) for tag, part in read_container(source, kind).items()}
    what = rng.integers(4)
    if what == 0:
        target.write_bytes(changed_bytes(rng, source.read_bytes()))
        return
    tag = kind.sections[rng.integers(len(kind.sections))]
    if tag in ("HEAD", "ARCH") and sections[tag]:
        content = json_sections.unpack_json(sections[tag])
        if what == 1:
            text = zlib.decompress(sections[tag][4:])
            text = changed_bytes(rng, text)
            sections[tag] = len(text).to_bytes(4, "little") + zlib.compress(text)
        else:
            sections[tag] = json_sections.pack_json(changed_json(rng, content))
    else:
        sections[tag] = changed_bytes(rng, sections[tag])
    write_container(target, {tag: [part] for tag, part in sections.items()}, kind)


def peak_memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def load(target, _):
    return load_connectivity(target).get_weights()


def try_mutants(whole, tmp_path, count, seed, kind=NETWORK, read=load):
    rng = np.random.default_rng(seed)
    paths, refused, said, slowest = list(whole), 0, 0, 0.0
    before = peak_memory()
    for number in range(count):
        path, target = paths[number % len(paths)], tmp_path / "mutant.tbr"
        mutant(rng, path, target, kind)
        start = time.perf_counter()
        try:
            weights = read(target, path)
        except ValueError as error:
            refused += "Received: " in str(error)
            said += 1
        else:
            assert len(weights) == len(whole[path])
            for one, other in zip(weights, whole[path], strict=True):
                assert one.tobytes() == other.tobytes(), f"mutant {number} of {pathlib.Path(path).name}"
        slowest = max(slowest, time.perf_counter() - start)
    assert refused == said  # each error says what was received
    assert slowest < 10
    assert peak_memory() - before < MEMORY
    return refused


@pytest.mark.filterwarnings("ignore")
def test_some_mutants(whole, tmp_path):
    assert try_mutants(whole, tmp_path, 300, seed=0) > 200


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_ten_thousand_mutants(whole, tmp_path, seed):
    assert try_mutants(whole, tmp_path, 2500, seed) > 1700


def test_a_rule_of_another_seed_is_not_silently_another_network(whole, tmp_path):
    path = next(path for path in whole if path.name == "permuted.tbr")
    sections = {tag: bytes(part) for tag, part in read_container(path).items()}
    head = json_sections.unpack_json(sections["HEAD"])
    assert InitialRule(seed=head["initial"]["seed"]) == InitialRule(seed=1)
    head["initial"]["seed"] = 2
    sections["HEAD"] = json_sections.pack_json(head)
    write_container(tmp_path / "a.tbr", {tag: [part] for tag, part in sections.items()})
    with pytest.raises(ValueError, match="must find the initial weights"):
        load_connectivity(tmp_path / "a.tbr")
