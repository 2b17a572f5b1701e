import types

import pytest

from scripts.publishing import scoreboard
from scripts.publishing.claims import Claim, Ours, Remark
from scripts.publishing.headlines import Headline, accuracy
from scripts.publishing.verdicts import ABOVE, BELOW


def ours(*values):
    return lambda curves: {"": Ours(values, "text")}


@pytest.fixture
def experiments(monkeypatch):
    """Three experiments: one with runs at laptop size, one without, and one that is asked here."""
    claims = (
        Claim("More is better.", ours(0.02, 0.03), ABOVE),
        Claim("Less is better.", ours(0.02, 0.03), BELOW),
        Claim("One cannot know.", ours(0.02), ABOVE),
        Claim("Of what was not run.", lambda curves: {}, ABOVE),
        Remark("A remark.", lambda curves: "1"),
    )
    shown = (Headline("One way.", accuracy("one"), "60.00 %"), Headline("Another.", accuracy("another")))
    sweep = {"trainings": {"quick": [], "laptop": [], "paper": []}, "seeds": {"laptop": (0, 1), "overnight": (0,)}}
    declared = {
        "there": types.SimpleNamespace(claims=claims, headlines=shown, **sweep),
        "missing": types.SimpleNamespace(claims=claims[:1], headlines=shown, **sweep),
        "no_claims": types.SimpleNamespace(claims=(), headlines=(), **sweep),
    }

    def collect(name, size, results):
        if (name, size) != ("there", "laptop"):
            raise FileNotFoundError
        runs = ((0, "one", 0.5), (1, "one", 0.75), (1, "a third", 1.0))
        return [types.SimpleNamespace(seed=s, label=label, summary={"test_accuracy": a}) for s, label, a in runs]

    monkeypatch.setattr(scoreboard, "names", lambda: list(declared))
    monkeypatch.setattr(scoreboard, "find", declared.get)
    monkeypatch.setattr(scoreboard, "collect", collect)


TABLE = """\
| the paper claims | verdict | size | where |
|---|---|---|---|
| More is better. | holds | laptop, 2 seeds | [there](there.md) |
| Less is better. | does not hold | laptop, 2 seeds | [there](there.md) |
| One cannot know. | cannot tell | laptop, 2 seeds | [there](there.md) |

Not drawn from records yet: missing."""


def test_by_hand(experiments, tmp_path):
    path = tmp_path / "README.md"
    path.write_text(f"above\n{scoreboard.BEGIN}\nold\n{scoreboard.END}\nbelow\n")
    assert scoreboard.write_scoreboard(tmp_path) == TABLE
    assert path.read_text() == f"above\n{scoreboard.BEGIN}\n{TABLE}\n{scoreboard.END}\nbelow\n"


def test_a_sweep_that_has_not_ended_says_so(experiments, tmp_path):
    # Three runs are there; two trainings with two seeds each would be four.
    scoreboard.find("there").trainings["laptop"] = ["one", "a third"]
    lines = scoreboard.scoreboard(tmp_path, scoreboard.all_runs(tmp_path)).splitlines()
    assert lines[2] == "| More is better. | holds | laptop, 2 seeds, 3 of 4 runs so far | [there](there.md) |"


def test_without_marks(experiments, tmp_path):
    (tmp_path / "README.md").write_text("nothing\n")
    with pytest.raises(ValueError, match=r"README.md must hold the lines .* between which the table goes"):
        scoreboard.write_scoreboard(tmp_path)
    assert (tmp_path / "README.md").read_text() == "nothing\n"


def test_a_larger_size_that_leaves_some_out(experiments, monkeypatch, tmp_path):
    # Over night with one seed and a page of its own: one claim is about what it has, all others are not.
    small, declared = scoreboard.collect, scoreboard.find("there")
    overnight = types.SimpleNamespace(seed=0, label="one", summary={"test_accuracy": 0.875})

    def measure(curves):
        return ours(0.02, 0.03)(curves) if curves == [overnight] else {}

    declared.trainings["overnight"] = []
    declared.claims = (Claim("Of all sizes.", ours(0.02), ABOVE), Claim("More.", measure, ABOVE), *declared.claims[3:])
    monkeypatch.setattr(scoreboard, "collect", lambda *of: [overnight] if of[1] == "overnight" else small(*of))
    (tmp_path / "there_overnight.md").write_text("")
    assert scoreboard.scoreboard(tmp_path, scoreboard.all_runs(tmp_path)).splitlines()[2:4] == [
        "| Of all sizes. | cannot tell | overnight, 1 seed | [there](there_overnight.md) |",
        "| More. | holds | overnight, 1 seed | [there](there_overnight.md) |",
    ]
    declared.claims = (Claim("More.", measure, ABOVE, in_paper=False),)
    assert "| Asked here: More. | holds | overnight, 1 seed |" in scoreboard.scoreboard(
        tmp_path, scoreboard.all_runs(tmp_path)
    )
    declared.claims = (Claim("Less.", lambda curves: ours(0.02, 0.03)(curves) if len(curves) == 3 else {}, BELOW),)
    assert "| Less. | does not hold | laptop, 2 seeds | [there](there.md) |" in scoreboard.scoreboard(
        tmp_path, scoreboard.all_runs(tmp_path)
    )
    assert "| One way. | 87.50 % | 60.00 % | overnight, 1 seed |" in scoreboard.headlines(
        tmp_path, scoreboard.all_runs(tmp_path)
    )


HEADLINES = """\
| test accuracy, or what is said | ours | the paper | size | where |
|---|---|---|---|---|
| One way. | 62.50 % (50.00 to 75.00) | 60.00 % | laptop, 2 seeds | [there](results/there.md) |"""


def test_headlines_by_hand(experiments, tmp_path):
    results = tmp_path / "results"
    results.mkdir()
    (results / "README.md").write_text(f"{scoreboard.BEGIN}\n{scoreboard.END}\n")
    (tmp_path / "README.md").write_text(f"above\n{scoreboard.BEGIN}\nold\n{scoreboard.END}\nbelow\n")
    scoreboard.write_scoreboard(results)
    assert (tmp_path / "README.md").read_text() == f"above\n{scoreboard.BEGIN}\n{HEADLINES}\n{scoreboard.END}\nbelow\n"


def test_a_readme_of_somebody_else_is_left_alone(experiments, tmp_path):
    results = tmp_path / "results"
    results.mkdir()
    (results / "README.md").write_text(f"{scoreboard.BEGIN}\n{scoreboard.END}\n")
    (tmp_path / "README.md").write_text("mine\n")
    scoreboard.write_scoreboard(results)
    assert (tmp_path / "README.md").read_text() == "mine\n"
