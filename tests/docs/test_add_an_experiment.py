"""The page that says how to add an experiment: its example is a file like any other."""

import pathlib
import re

from scripts import experiments
from scripts.__main__ import main
from scripts.experiment import names

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "add_an_experiment.md"


def test_the_example_runs_as_printed(tmp_path, monkeypatch, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "digits_rates.py").write_text(code)
    monkeypatch.setattr(experiments, "__path__", [*experiments.__path__, str(tmp_path)])
    assert "digits_rates" in names()
    results = tmp_path / "results"
    assert main(["run", "digits_rates", "--size", "quick", "--results", str(results)]) == 0
    assert "| rate | LaPerm | SGD |" in capsys.readouterr().out
    assert main(["figure", "digits_rates", "--size", "quick", "--results", str(results)]) == 0
    assert {path.name for path in results.glob("*.*")} == {f"digits_rates.{end}" for end in ("csv", "md", "png")}
