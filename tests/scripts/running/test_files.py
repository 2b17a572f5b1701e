import pathlib

import pytest

from scripts.running.files import read_csv, read_json, records, replacing, write_csv, write_json

RESULTS = sorted(pathlib.Path(__file__).resolve().parents[3].glob("results/*.csv"))


def test_csv_keeps_every_digit_and_leaves_empty_cells_out(tmp_path):
    rows = [{"step": 5, "when": "after", "accuracy": 0.1 + 0.2}, {"step": 7, "loss": 1e-30}]
    write_csv(tmp_path / "rows.csv", rows)
    # Columns in order of first appearance; 0.1 + 0.2 is 0.30000000000000004 in binary.
    assert (tmp_path / "rows.csv").read_text() == ("step,when,accuracy,loss\n5,after,0.30000000000000004,\n7,,,1e-30\n")
    assert records(read_csv(tmp_path / "rows.csv")) == rows
    assert read_csv(tmp_path / "rows.csv")["step"].tolist() == [5, 7]


@pytest.mark.parametrize("path", RESULTS[::6], ids=lambda path: path.stem)
def test_published_numbers_survive_reading_and_writing(path, tmp_path):
    write_csv(tmp_path / "again.csv", records(read_csv(path)))
    assert (tmp_path / "again.csv").read_bytes() == path.read_bytes()


def test_a_table_without_rows(tmp_path):
    write_csv(tmp_path / "rows.csv", [])
    assert records(read_csv(tmp_path / "rows.csv")) == []


def test_json_round_trip(tmp_path):
    write_json(tmp_path / "new" / "a.json", {"seed": 0, "only": None})
    assert read_json(tmp_path / "new" / "a.json") == {"seed": 0, "only": None}


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    write_json(tmp_path / "a.json", "old")
    with pytest.raises(TypeError):
        write_json(tmp_path / "a.json", {"cannot be written": object()})
    with pytest.raises(IsADirectoryError), replacing(tmp_path / "a.json"):
        (tmp_path).write_text("half")
    assert read_json(tmp_path / "a.json") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_broken_json_is_one_sentence(tmp_path):
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(ValueError, match=r"a.json must hold JSON\. Received: .*Delete"):
        read_json(tmp_path / "a.json")
