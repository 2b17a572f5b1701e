"""Files of earlier versions, committed, are read: to the bit, on every backend."""

import pytest
from backends import to_numpy
from save_one_of_each import FOLDER, KINDS

from train_by_reconnect import load_connectivity
from train_by_reconnect.coding import default_codec
from train_by_reconnect.connectivity_files.reading import open_file


@pytest.mark.parametrize("name", KINDS)
def test_a_saved_file_is_read(name):
    make, _, codec = KINDS[name]
    if codec == "range" and default_codec() != "range":
        pytest.skip("the codec of this file needs constriction")
    loaded = load_connectivity(FOLDER / f"{name}.tbr")
    for one, other in zip(loaded.weights, make().weights, strict=True):
        assert one.path.split("/")[-2:] == other.path.split("/")[-2:]
        assert to_numpy(one).tobytes() == to_numpy(other).tobytes()


def test_all_kinds_are_there_and_small():
    files = sorted(FOLDER.glob("*.tbr"))
    assert {path.stem for path in files} == {*KINDS, "initial"}
    assert all(path.stat().st_size < 3000 for path in files)
    hows = {entry.how for path in files for entry in open_file(path).description.entries}
    assert hows == {"array", "initial", "permuted", "masked", "flipped", "rescaled"}
