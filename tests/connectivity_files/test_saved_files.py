"""Files of all versions, committed, are read: to the bit, on every backend."""

import pytest
from backends import to_numpy
from save_one_of_each import FOLDER, KINDS, SAVED, UPDATES

from train_by_reconnect import apply_connectivity_update, load_connectivity
from train_by_reconnect.coding import default_codec
from train_by_reconnect.connectivity_files.reading import open_file
from train_by_reconnect.connectivity_files.update_description import open_update

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


@pytest.mark.skipif(default_codec() != "range", reason="the codec of these files needs constriction")
@pytest.mark.parametrize("name", UPDATES)
def test_a_saved_update_is_applied(name, tmp_path):
    before, after = (FOLDER / f"{each}.tbr" for each in UPDATES[name])
    assert f"update_{open_update(FOLDER / f'{name}.tbu').description.changes[0].way}" == name
    apply_connectivity_update(before, FOLDER / f"{name}.tbu", tmp_path / "a.tbr")
    for one, other in zip(load_connectivity(tmp_path / "a.tbr").weights, load_connectivity(after).weights, strict=True):
        assert to_numpy(one).tobytes() == to_numpy(other).tobytes()


def test_all_kinds_are_there_and_small():
    assert {path.parent.name for path in FILES} == {"version_1", FOLDER.name}
    files = sorted(FOLDER.glob("*.tbr"))
    assert {path.stem for path in files} == {*KINDS, "initial"}
    assert all(path.stat().st_size < 3000 for path in files)
    hows = {entry.how for path in files for entry in open_file(path).description.entries}
    assert hows == {"array", "initial", "permuted", "masked", "flipped", "signed_mask", "rescaled"}
