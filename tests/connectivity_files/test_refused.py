"""What is no connectivity file, or one to be wary of, is refused in one sentence, before anything is made of it."""

import hashlib
import json
import struct

import keras
import numpy as np
import pytest
from backends import to_numpy

from train_by_reconnect import LaPerm, draw_initial_weights, load_connectivity, save_connectivity
from train_by_reconnect.connectivity_files import json_sections
from train_by_reconnect.connectivity_files.container import NETWORK, VERSION, read_container, write_container


@pytest.fixture
def model():
    return keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(5, name="first"), keras.layers.Dense(2, name="second")]
    )


@pytest.fixture
def saved(model, tmp_path):
    """A small file from a rule."""
    draw_initial_weights(model, seed=1)
    kernel = model.get_layer("first").kernel
    kernel.assign(np.random.default_rng(0).permuted(to_numpy(kernel), axis=0))
    save_connectivity(model, tmp_path / "a.tbr")
    return tmp_path / "a.tbr"


def rewritten(path, change_head=None, change_architecture=None, **sections):
    """Change what a file says, with a checksum that fits."""
    found = {tag: bytes(data) for tag, data in read_container(path).items()} | sections
    for tag, change in (("HEAD", change_head), ("ARCH", change_architecture)):
        if change:
            content = json_sections.unpack_json(found[tag])
            found[tag] = json_sections.pack_json(change(content) or content)
    write_container(path, {tag: [data] for tag, data in found.items()})
    return path


def refused(path, match, **kwargs):
    with pytest.raises(ValueError, match=match) as caught:
        load_connectivity(path, **kwargs)
    message = str(caught.value)
    assert str(path) in message
    assert "Received: " in message
    assert len(message) < 700


def test_no_file(tmp_path):
    refused(tmp_path / "none.tbr", "There is no such file")
    refused(tmp_path, "There is no such file")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n" * 50])
def test_foreign_files(content, tmp_path):
    (tmp_path / "a.tbr").write_bytes(content)
    refused(tmp_path / "a.tbr", "must be a connectivity file")


def test_files_that_went_through_a_transfer_as_text(saved):
    saved.write_bytes(saved.read_bytes().replace(b"\r\n", b"\n"))
    refused(saved, "copy it as binary data")


def test_every_cut(saved):
    whole = saved.read_bytes()
    for size in range(8, len(whole), 7):
        saved.write_bytes(whole[:size])
        refused(saved, "It was cut: copy it again")


def test_something_behind_it(saved):
    saved.write_bytes(saved.read_bytes() + b"x")
    refused(saved, "bytes where it declares")


def test_every_byte_that_is_changed(saved):
    whole = bytearray(saved.read_bytes())
    for place in range(8, len(whole), 11):
        changed = whole.copy()
        changed[place] ^= 0x40
        saved.write_bytes(changed)
        with pytest.raises(ValueError, match="Received"):
            load_connectivity(saved)


def test_a_later_version(saved):
    whole = bytearray(saved.read_bytes())
    whole[8:10] = struct.pack("<H", VERSION + 1)
    whole[-32:] = hashlib.sha256(whole[:-32]).digest()
    saved.write_bytes(whole)
    refused(saved, f"Received: version {VERSION + 1}. Read it with a later version of train_by_reconnect")


def test_sections_that_declare_more_than_there_is(saved):
    whole = bytearray(saved.read_bytes())
    whole[16:24] = struct.pack("<Q", 2**60)  # the length of the first section
    saved.write_bytes(whole)
    refused(saved, "It was cut")


def test_a_model_that_was_not_trained_by_permutation(model, tmp_path):
    draw_initial_weights(model, seed=1)
    model.compile("adam", "mse")
    model.fit(np.ones((8, 6)), np.ones((8, 2)), verbose=0)
    match = r"whose (sequential\w*/)?first/kernel does not.*LaPerm.*initial=\"stored\""
    with pytest.raises(ValueError, match=match):
        save_connectivity(model, tmp_path / "a.tbr")
    assert not list(tmp_path.iterdir())


def test_between_two_synchronizations(model, tmp_path):
    draw_initial_weights(model, seed=1)
    model.compile(LaPerm(keras.optimizers.Adam(0.1), sync_period=3, final_sync=False), "mse")
    model.fit(np.ones((8, 6)), np.ones((8, 2)), batch_size=1, verbose=0)
    with pytest.raises(ValueError, match=r"call `model.optimizer.synchronize\(\)`"):
        save_connectivity(model, tmp_path / "a.tbr")
    model.optimizer.synchronize()
    save_connectivity(model, tmp_path / "a.tbr")


def test_initial_weights_that_nobody_knows(model, tmp_path):
    with pytest.raises(ValueError, match="The initial weights must be known"):
        save_connectivity(model, tmp_path / "a.tbr")
    with pytest.raises(ValueError, match="no such file with initial weights"):
        save_connectivity(model, tmp_path / "a.tbr", tmp_path / "none.keras")
    with pytest.raises(ValueError, match="must be built"):
        save_connectivity(keras.Sequential([keras.layers.Dense(3)]), tmp_path / "a.tbr", "stored")


def test_wrong_references(model, tmp_path):
    other = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4)])
    other.save(tmp_path / "other.keras")
    model.save(tmp_path / "initial.keras")
    with pytest.raises(ValueError, match="Pass the file with the initial weights of this network"):
        save_connectivity(model, tmp_path / "a.tbr", tmp_path / "other.keras")
    save_connectivity(model, tmp_path / "a.tbr", tmp_path / "initial.keras")
    refused(tmp_path / "a.tbr", "another file, by its checksum", reference=tmp_path / "other.keras")
    (tmp_path / "initial.keras").unlink()
    refused(tmp_path / "a.tbr", r"needs the initial weights in initial.keras.*Received: no file")
    (tmp_path / "text.keras").write_text("no model")
    with pytest.raises(ValueError, match=r"must be a \.keras file or a connectivity file"):
        save_connectivity(model, tmp_path / "b.tbr", tmp_path / "text.keras")


@pytest.mark.parametrize("name", ["../initial.keras", "/etc/passwd", "a\\b", "..", ""])
def test_references_into_other_folders(name, model, tmp_path):
    model.save(tmp_path / "initial.keras")
    save_connectivity(model, tmp_path / "a.tbr", tmp_path / "initial.keras")
    rewritten(tmp_path / "a.tbr", lambda head: head["initial"].update(file=name))
    refused(tmp_path / "a.tbr", "initial weights in another folder")


def first(head, **changes):
    head["entries"][0].update(changes)


WRONG_HEADS = {
    "another seed": (lambda head: head["initial"].update(seed=2), "must find the initial weights"),
    "no rule": (lambda head: head["initial"].update(rule="exec"), "`rule` must be one of"),
    "a rule with more": (lambda head: head["initial"].update(more=1), "a rule of"),
    "no kind": (lambda head: head["initial"].update(kind="python"), "of the kind 'python'"),
    "a list": (lambda head: [head], "a description"),
    "more": (lambda head: head.update(more=1), "a description of"),
    "version": (lambda head: head.update(version=7), "of another version"),
    "a shape": (lambda head: first(head, shape=[6, 4]), "other variables"),
    "a negative shape": (lambda head: first(head, shape=[-6, -5]), "shape of .* no sizes"),
    "a shape of floats": (lambda head: first(head, shape=[6.0, 5]), "shape of .* no sizes"),
    "many axes": (lambda head: first(head, shape=[1] * 40 + [6, 5]), "of shape"),
    "too large": (lambda head: first(head, shape=[2**40, 2**40]), "of shape"),
    "a dtype": (lambda head: first(head, dtype="object"), "unknown dtype"),
    "an integer kernel": (lambda head: first(head, dtype="int32"), "a kernel of int32"),
    "how": (lambda head: first(head, how="pickled"), "unknown dtype or kind"),
    "axes": (lambda head: first(head, axes=[3]), "unit axes"),
    "axes twice": (lambda head: first(head, axes=[1, 1]), "unit axes"),
    "other axes": (lambda head: first(head, axes=[0]), "Copy it again"),
    "no axes": (lambda head: head["entries"][0].pop("axes") and None, "unit axes None"),
    "blocks": (lambda head: first(head, blocks=[1, 2]), "2 blocks for .*, which has 1"),
    "masks": (lambda head: first(head, how="masked"), "Copy it again"),
    "a factor": (lambda head: first(head, factor="1"), "no factor"),
    "no hash": (lambda head: head.update(weights_sha256="x"), "no weights_sha256"),
    "another hash": (lambda head: head.update(weights_sha256="0" * 64), "other weights than those that were saved"),
    "a codec": (lambda head: head.update(codec="zip9"), "codec"),
}


@pytest.mark.parametrize("name", WRONG_HEADS)
def test_descriptions_that_are_wrong_though_the_checksum_fits(name, saved):
    change, match = WRONG_HEADS[name]
    refused(rewritten(saved, change), match)


def layer(architecture, number, **changes):
    architecture["config"]["layers"][number].update(changes)


WRONG_ARCHITECTURES = {
    "a lambda layer": (lambda config: layer(config, 1, class_name="Lambda"), "a Lambda, of which nothing is read"),
    "a lambda": (
        lambda config: config["config"]["layers"][1]["config"].update(
            activation={"class_name": "__lambda__", "config": {"value": "4wAA"}}
        ),
        "a __lambda__, of which nothing is read",
    ),
    "another module": (lambda config: layer(config, 1, module="os", class_name="system"), "does not make"),
    "a function of Keras": (
        lambda config: layer(config, 1, module="keras.utils", class_name="get_file"),
        "does not make",
    ),
    "a pickle": (lambda config: layer(config, 1, class_name="TorchModuleWrapper"), "a TorchModuleWrapper"),
    "another file": (
        lambda config: layer(config, 1, class_name="StringLookup", config={"vocabulary": "/etc/passwd"}),
        "vocabulary from another file",
    ),
    "an array of strings": (
        lambda config: layer(config, 1, class_name="__numpy__", config={"value": "", "dtype": "S999999999"}),
        "not of numbers",
    ),
    "no model": (lambda config: {"module": "keras.layers", "class_name": "Dense", "config": {"units": 3}}, "no model"),
    "a list": (lambda config: [1, 2], "list, which is no model"),
    "another layer": (lambda config: config["config"]["layers"].pop() and None, "other variables"),
    "many units": (lambda config: config["config"]["layers"][2]["config"].update(units=10**9), "other variables"),
}


@pytest.mark.parametrize("name", WRONG_ARCHITECTURES)
def test_architectures_that_are_refused(name, saved):
    change, match = WRONG_ARCHITECTURES[name]
    refused(rewritten(saved, None, change), match)


def test_a_network_that_the_file_is_too_small_for(saved):
    # 10**9 units of 6 weights: neither drawn nor built. Units that the architecture has too, so that all of it fits.
    def head(content):
        content["entries"][0].update(shape=[6, 10**9], how="initial", blocks=[])

    def architecture(content):
        content["config"]["layers"][1]["config"]["units"] = 10**9

    refused(
        rewritten(saved, head, architecture), r"which a file of [\d,]+ bytes justifies. Received: .* max_bytes=24,?000"
    )


def test_a_limit_of_ones_own(saved, model):
    refused(saved, "at most 10 bytes", max_bytes=10)
    assert load_connectivity(saved, max_bytes=4 * model.count_params()).count_params() == model.count_params()


def test_variables_that_are_no_weights_are_counted(saved):
    # A random seed for each of many layers is in no table of weights.
    def architecture(content):
        layers = content["config"]["layers"]
        dropout = {"module": "keras.layers", "class_name": "Dropout", "registered_name": None}
        layers.extend({**dropout, "config": {"rate": 0.5, "name": f"d{number}"}} for number in range(30))

    assert len(load_connectivity(rewritten(saved, None, architecture)).layers) == 32


def test_json_bombs(saved):
    deep = json.loads("[" * 60 + "]" * 60)
    json_sections.unpack_json(json_sections.pack_json(deep))
    import zlib

    def packed(text, size=None):
        return (len(text) if size is None else size).to_bytes(4, "little") + zlib.compress(text)

    for text, size, match in [
        (b"[" * 100 + b"]" * 100, None, "nested more than"),
        (b"[" * 10**5 + b"]" * 10**5, None, "no JSON"),
        (b" " * 10**6 + b"1", 10, "another size"),
        (b"1", 2**32 - 1, "more than the"),
        (b"{", None, "no JSON"),
        (b"\xff", None, "no JSON"),
        (b"1" * 10**4, None, "no JSON"),
    ]:
        with pytest.raises(ValueError, match=match):
            json_sections.unpack_json(packed(text, size))
        refused(rewritten(saved, ARCH=packed(text, size)), match)
    with pytest.raises(ValueError, match="cannot be inflated"):
        json_sections.unpack_json(b"\x01\x00\x00\x00xyz")


def test_there_are_no_other_sections(saved):
    assert tuple(read_container(saved)) == NETWORK.sections
    for tag in ("CONN", "ARRS"):
        sections = {tag: bytes(read_container(saved)[tag]) + b"x"}
        refused(rewritten(saved, **sections), "are declared")


def test_configurations_that_json_cannot_hold(tmp_path):
    class Own(keras.layers.Dense):
        def get_config(self):
            return {**super().get_config(), "thing": object()}

    model = keras.Sequential([keras.Input((3,)), Own(2)])
    with pytest.raises(ValueError, match="must have a configuration that JSON can hold"):
        save_connectivity(model, tmp_path / "a.tbr", "stored")


def test_classes_that_are_not_registered(tmp_path):
    class Hidden(keras.layers.Dense):
        pass

    model = keras.Sequential([keras.Input((3,)), Hidden(2)])
    with pytest.raises(ValueError, match="one that its configuration makes anew"):
        save_connectivity(model, tmp_path / "a.tbr", "stored")
    assert not list(tmp_path.iterdir())
