import os
import subprocess
import sys

import numpy as np
import pytest
from backends import BACKEND

from scripts.__main__ import main
from scripts.experiment import find, names, trainings_of
from scripts.listing import listing
from scripts.running.files import read_csv, read_json


def test_list_shows_every_experiment_at_once():
    # In a process of its own: here TensorFlow is imported already.
    code = "import sys; from scripts.__main__ import main; main(['list']); print('keras' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    head, *lines, imported = done.stdout.splitlines()
    assert head.split()[:3] == ["name", "sizes", "published"]
    assert [line.split()[0] for line in lines] == names()
    assert imported == "False"
    assert done.stderr == ""
    shown = dict(zip(names(), lines, strict=True))
    assert "quick, laptop, paper" in shown["rich_fig5"]
    assert "quick, laptop, overnight, paper" in shown["laperm_fig6"]
    assert "Conv4 on CIFAR-10: the sync period k." in shown["laperm_fig6"]


def test_the_listed_sizes_are_those_declared():
    for line in listing("results").splitlines()[1:]:
        name = line.split()[0]
        assert all(size in line for size in find(name).trainings), name


@pytest.mark.parametrize("name", names())
def test_every_declaration_is_whole(name):
    experiment = find(name)
    assert experiment.default_size in experiment.trainings
    assert "quick" in experiment.trainings
    for size in experiment.trainings:
        labels = [training.label for training in trainings_of(name, size)]
        assert len(set(labels)) == len(labels)
        assert experiment.seeds[size]
        assert set(experiment.paper) <= set(labels)


def test_run_then_figure(tmp_path, capsys):
    results = ["--results", str(tmp_path)]
    run = ["run", "quickstart", "--size", "quick", "--only", "LaPerm", "--seeds", "0", "1", *results]
    assert main([*run, "--data", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("--data is not used: the data set digits comes with scikit-learn\n")
    assert "QUICK CHECK" in shown
    assert "[2/2] LaPerm (k = 40), seed 1" in shown
    assert "| LaPerm (k = 40) | 2 |" in shown
    assert "2 of 2" in shown
    assert (tmp_path / "runs/quickstart/quick/quickstart.png").stat().st_size > 10_000
    assert main(["figure", "quickstart", "--size", "quick", *results]) == 0
    rows = read_csv(tmp_path / "quickstart.csv")
    assert set(rows["label"]) == {"LaPerm (k = 40)"}
    assert set(rows["seed"]) == {0, 1}
    page = (tmp_path / "quickstart.md").read_text()
    assert page.startswith(f"# quickstart, size quick: QUICK CHECK\n\n{find('quickstart').opening}\n\nQUICK CHECK")
    assert main(["figure", "quickstart", "--size", "quick", *results]) == 0  # over its own size
    assert main(["figure", "quickstart", "--size", "quick", "--suffix", "_quick", *results]) == 0
    for file in ("csv", "png", "md"):
        assert (tmp_path / f"quickstart_quick.{file}").read_bytes() == (tmp_path / f"quickstart.{file}").read_bytes()


@pytest.mark.slow
def test_an_experiment_on_mnist_runs_at_quick_size(tmp_path, data_directory, capsys):
    options = ["--size", "quick", "--data", str(data_directory), "--results", str(tmp_path)]
    assert main(["run", "laperm_fig10", *options]) == 0
    shown = capsys.readouterr()
    assert "error" not in shown.err
    assert "--data is not used" not in shown.out
    assert "85.5" not in shown.out


@pytest.mark.slow
def test_laperm_fig10_draws_the_papers_sparsities(data_directory):
    trainings = {training.label: training for training in trainings_of("laperm_fig10", "paper")}
    expected = {"F1": ([0.4], 0.08), "F2": ([0.9] * 3, 0.03), "F2, layer-wise sparsity": ([0.93, 0.86, 0.67], 0.03)}
    assert trainings.keys() == expected.keys()
    for label, (sparsities, value) in expected.items():
        kernels = trainings[label].prepare(0, data_directory).model.get_weights()
        for kernel, sparsity in zip(kernels, sparsities, strict=True):
            assert set(np.unique(kernel)) == {np.float32(0), np.float32(value)}
            # A Bernoulli draw: within five standard errors.
            assert abs(np.mean(kernel == 0) - sparsity) < 5 * np.sqrt(sparsity * (1 - sparsity) / kernel.size)


def test_bad_input_is_one_sentence_and_exit_1(tmp_path, capsys):
    (tmp_path / "mnist.npz").write_bytes(b"PK\x03\x04 cut off")
    results = ["--results", str(tmp_path / "results")]
    for arguments, said in {
        ("run", "laperm_fig99"): "no such experiment",
        ("figure", "quickstart"): "no finished runs",
        ("run", "quickstart", "--size", "paper"): "no such size",
        ("run", "quickstart", "--only", "SGD"): "No training has such a label",
        ("run", "laperm_fig10", "--size", "quick", "--data", str(tmp_path)): "mnist.npz",
        ("run", "laperm_fig10", "--size", "quick", "--data", str(tmp_path / "none")): "must be there",
        ("run", "quickstart", "--data", str(tmp_path / "none")): "must be there",
    }.items():
        assert main([*arguments, *results]) == 1
        error = capsys.readouterr().err
        for line in error.splitlines():  # one for each run that fails
            assert line.startswith("error: ")
            assert said in line
            assert "Received" in line
        assert error


def test_another_declaration_is_refused_by_the_command(tmp_path, capsys):
    run = ["run", "quickstart", "--size", "quick", "--only", "Adam", "--results", str(tmp_path)]
    assert main(run) == 0
    assert main([*run, "--precision", "mixed_bfloat16"]) == 1
    assert "precision was 'float32' and is 'mixed_bfloat16'" in capsys.readouterr().err


def test_an_interruption_says_how_to_go_on(monkeypatch, tmp_path, capsys):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("scripts.running.sweep.run", interrupted)
    assert main(["run", "quickstart", "--size", "quick", "--results", str(tmp_path)]) == 130
    assert "same command again" in capsys.readouterr().err


@pytest.mark.slow
def test_nothing_of_the_backends_start_reaches_the_user(tmp_path):
    run = ["run", "quickstart", "--size", "quick", "--only", "Adam", "--results", str(tmp_path)]
    done = subprocess.run([sys.executable, "-m", "scripts", *run], capture_output=True, text=True, check=True)
    assert "| Adam | 1 |" in done.stdout
    assert done.stderr == ""


def on_backend(name, set_to=None, command=("run", "quickstart", "--size", "quick")):
    """What the command line answers in a process of its own: its status and standard error."""
    environment = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"}
    environment |= {"KERAS_BACKEND": set_to} if set_to else {}
    line = [sys.executable, "-m", "scripts", *command, "--backend", name]
    done = subprocess.run(line, capture_output=True, text=True, env=environment)
    return done.returncode, done.stderr


@pytest.mark.slow
def test_the_backend_of_the_command(tmp_path):
    results = ("--results", str(tmp_path))
    status, said = on_backend(BACKEND, command=("run", "quickstart", "--size", "quick", "--only", "Adam", *results))
    assert (status, said) == (0, "")
    declared = read_json(tmp_path / "runs/quickstart/quick/adam/seed_0/declaration.json")
    assert declared["backend"] == BACKEND
    assert declared["jit"] == (BACKEND == "jax")  # which compiles in any case
    other = "jax" if BACKEND == "torch" else "torch"
    status, said = on_backend(other, set_to=BACKEND)
    assert status == 1
    assert said == (
        f"error: `--backend` and KERAS_BACKEND must agree. Received: --backend {other}, KERAS_BACKEND={BACKEND}. Leave "
        "one of them out.\n"
    )


def test_a_backend_that_is_not_there_is_one_sentence(monkeypatch, capsys):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    other = "jax" if BACKEND == "torch" else "torch"
    assert main(["run", "quickstart", "--backend", other]) == 1
    assert f"while Keras runs on {BACKEND}. Start a new process." in capsys.readouterr().err
    monkeypatch.delitem(sys.modules, "keras")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["run", "quickstart", "--backend", other]) == 1
    assert f'Received: --backend {other}, and there is no {other} here. Run `pip install "train-by-reconnect' in (
        capsys.readouterr().err
    )


def test_a_run_of_another_backend_is_refused(tmp_path, capsys):
    run = ["run", "quickstart", "--size", "quick", "--only", "Adam", "--results", str(tmp_path)]
    assert main(run) == 0
    path = tmp_path / "runs/quickstart/quick/adam/seed_0/declaration.json"
    path.write_text(path.read_text().replace(f'"backend": "{BACKEND}"', '"backend": "abacus"'))
    assert main(run) == 1
    assert f"backend was 'abacus' and is '{BACKEND}'" in capsys.readouterr().err
