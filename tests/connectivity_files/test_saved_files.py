"""Files of all versions, committed, are read: to the bit, on every backend."""

import pytest
from backends import to_numpy
from save_one_of_each import FOLDER, KINDS, SAVED

from train_by_reconnect import load_connectivity
from train_by_reconnect.coding import default_codec
from train_by_reconnect.connectivity_files.reading import open_file

FILES = sorted(path for path in SAVED.glob("version_*/*.tbr") if path.stem != "initial")


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_saved_file_is_read(path):
    make, _, codec = KINDS[path.stem]
    if codec == "range" and default_codec() != "range":
        pytest.skip("the codec of this file needs constriction")
    assert open_file(path).description.version == int(path.parent.name.removeprefix("version_"))
    loaded = load_connectivity(path)
    for one, other in zip(loaded.weights, make().weights, strict=True):
        assert one.path.split("/")[-2:] == other.path.split("/")[-2:]
        assert to_numpy(one).tobytes() == to_numpy(other).tobytes()


def test_all_kinds_are_there_and_small():
    assert {path.parent.name for path in FILES} == {"version_1", FOLDER.name}
    files = sorted(FOLDER.glob("*.tbr"))
    assert {path.stem for path in files} == {*KINDS, "initial"}
    assert all(path.stat().st_size < 3000 for path in files)
    hows = {entry.how for path in files for entry in open_file(path).description.entries}
    assert hows == {"array", "initial", "permuted", "masked", "flipped", "signed_mask", "rescaled"}
