import types

import pytest

from scripts.publishing import scoreboard
from scripts.publishing.claims import Claim, Ours, Remark
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
    sizes = {"quick": [], "laptop": [], "paper": []}
    declared = {
        "there": types.SimpleNamespace(claims=claims, trainings=sizes),
        "missing": types.SimpleNamespace(claims=claims[:1], trainings=sizes),
        "no_claims": types.SimpleNamespace(claims=(), trainings=sizes),
    }

    def collect(name, size, results):
        if (name, size) != ("there", "laptop"):
            raise FileNotFoundError
        return [types.SimpleNamespace(seed=seed) for seed in (0, 1, 1)]

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


def test_without_marks(experiments, tmp_path):
    (tmp_path / "README.md").write_text("nothing\n")
    with pytest.raises(ValueError, match=r"README.md must hold the lines .* between which the table goes"):
        scoreboard.write_scoreboard(tmp_path)
    assert (tmp_path / "README.md").read_text() == "nothing\n"
