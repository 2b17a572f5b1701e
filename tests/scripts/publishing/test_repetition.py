"""Whether two runs of an experiment agree, by hand and on what is published."""

import pathlib

import pytest

from scripts.__main__ import main
from scripts.publishing.repetition import compare

ROOT = pathlib.Path(__file__).resolve().parents[3]
HEAD = "label,seed,step,when,val_accuracy\n"


@pytest.fixture
def folders(tmp_path):
    """Two folders with two seeds each of a quickstart."""
    # At step 10 the means are 0.55 and 0.59, where the seeds of both reach from 0.5 to 0.6: within half of that, 0.05.
    # At step 20 they are 0.70 and 0.80, where the seeds reach from 0.70 to 0.80: 0.10 apart, which is more than 0.05.
    there = "LaPerm,0,10,after,0.5\nLaPerm,1,10,after,0.6\nLaPerm,0,20,after,0.7\nLaPerm,1,20,after,0.7\n"
    here = "LaPerm,0,10,after,0.58\nLaPerm,1,10,after,0.6\nLaPerm,0,20,after,0.8\nLaPerm,1,20,after,0.8\n"
    for name, rows in {"here": here, "there": there}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "quickstart.csv").write_text(HEAD + rows + "LaPerm,0,20,epoch,\n")
    return tmp_path / "here", tmp_path / "there"


def test_by_hand(folders):
    lines = compare("quickstart", *folders).splitlines()
    assert lines[0].startswith("val_accuracy of ")
    # The same seed is 8, 0, 10 and 10 points apart. The mean range is 10 points: (10 + 10) / 2.
    assert lines[4:] == ["| LaPerm | 2 | 2 | 10.00 | 10.00 | 10.00 | 10.00 | 50 % |"]


def test_with_itself(folders):
    assert compare("quickstart", folders[0], folders[0] / "quickstart.csv").splitlines()[4:] == [
        "| LaPerm | 2 | 2 | 0.00 | 0.00 | 0.00 | 1.00 | 100 % |"  # of 0.02 and 0
    ]


def test_one_seed_has_no_range(folders):
    for folder in folders:
        path = folder / "quickstart.csv"
        path.write_text("\n".join(line for line in path.read_text().splitlines() if ",1," not in line))
    assert compare("quickstart", *folders).splitlines()[4:] == ["| LaPerm | 2 | 1 | 10.00 | 10.00 | 10.00 | 9.00 | - |"]


def test_what_is_published_agrees_with_itself(capsys):
    for name in ("quickstart", "rich_fig3", "rich_fig17", "laperm_fig10"):
        assert main(["compare", name, str(ROOT / "results"), "--results", str(ROOT / "results")]) == 0
        lines = capsys.readouterr().out.strip().splitlines()[4:]
        assert lines
        assert all(" | 0.00 | 0.00 | 0.00 | " in line and line.endswith("| 100 % |") for line in lines)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: path.unlink(), "There must be a CSV to compare. Received: .*quickstart.csv"),
        (
            lambda path: path.write_text("a,b\n1,2\n"),
            "must have columns label, seed and the metric. Received: .* a, b",
        ),
        (lambda path: path.write_text(HEAD + "Adam,0,10,epoch,0.5\n"), "Both must have a moment of a training"),
        (lambda path: path.write_text(HEAD + "LaPerm,0,15,after,0.5\n"), "Both must have a moment of a training"),
        (
            lambda path: path.write_text("label,seed,step,val_error\nAdam,0,1,0.5\n"),
            "the same metric. Received: val_acc",
        ),
    ],
    ids=["missing", "other columns", "other trainings", "other steps", "other metric"],
)
def test_what_cannot_be_compared(folders, change, message):
    change(folders[1] / "quickstart.csv")
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        compare("quickstart", *folders)
