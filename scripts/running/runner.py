"""Run declared trainings: each in a folder of its own, skipped if done, resumed if cut, refused if changed."""

import dataclasses
import pathlib
import re
import time

import keras
import tqdm

from scripts.running.checkpoint import Checkpoint, SeedEveryEpoch
from scripts.running.circumstances import circumstances
from scripts.running.files import read_json, write_json


@dataclasses.dataclass(frozen=True)
class Options:
    """What may differ between two machines without changing what is trained.

    Args:
        results: str or path, the folder of results. Defaults to `"results"`.
        data: str or path or None, the folder of data sets. Defaults to None.
        precision: a Keras dtype policy. Defaults to `"float32"`.
        jit: bool, compile with XLA. Defaults to `False`.
        tensorboard: bool, write logs for TensorBoard. Defaults to `False`.
        progress: bool, show a bar. Defaults to `True`.
    """

    results: str = "results"
    data: str | None = None
    precision: str = "float32"
    jit: bool = False
    tensorboard: bool = False
    progress: bool = True


def size_folder(name, size, results):
    """Where all runs of an experiment at one size live.

    Args:
        name: str, the experiment.
        size: str.
        results: str or path.

    Returns:
        `pathlib.Path`.

    Example:

    >>> size_folder("quickstart", "laptop", "results").as_posix()
    'results/runs/quickstart/laptop'
    """
    return pathlib.Path(results) / "runs" / name / size


def folder_of(name, size, label, seed, results):
    """Where a run lives.

    Args:
        name: str, the experiment.
        size: str.
        label: str, the curve.
        seed: int.
        results: str or path.

    Returns:
        `pathlib.Path`.

    Example:

    >>> folder_of("laperm_fig10", "paper", "F2, layer-wise", 3, "results").as_posix()
    'results/runs/laperm_fig10/paper/f2_layer-wise/seed_3'
    """
    slug = re.sub(r"[^a-z0-9.=%-]+", "_", label.lower()).strip("_")
    return size_folder(name, size, results) / slug / f"seed_{seed}"


def run(training, seed, folder, options=None):
    """Run one training to its end, from wherever an earlier attempt was cut.

    Args:
        training: a declared training, e.g. `scripts.laperm.training.Training`.
        seed: int.
        folder: str or path of this run.
        options: `Options`.

    Returns:
        Dict, the summary, as in the run's `done.json`.

    Raises:
        ValueError: the folder holds a run of another declaration.
        PermissionError: the folder cannot be written to.
    """
    folder, options = pathlib.Path(folder), options or Options()
    _claim(folder, declaration(training, seed, options))
    if (folder / "done.json").exists():
        return read_json(folder / "done.json")
    keras.config.set_dtype_policy(options.precision)
    try:
        prepared = training.prepare(seed, options.data, jit=options.jit)
        return _fit(prepared, folder, options)
    finally:
        keras.config.set_dtype_policy("float32")
        keras.backend.clear_session()


def declaration(training, seed, options):
    """What a run is known by: all that is not at its default, so that a setting added later leaves old results valid.

    Args:
        training: a declared training.
        seed: int.
        options: `Options`.

    Returns:
        Dict, as in the run's `declaration.json`.
    """
    defaults = {field.name: field.default for field in dataclasses.fields(training)}
    chosen = {name: value for name, value in dataclasses.asdict(training).items() if value != defaults[name]}
    return {"training": chosen, "seed": seed, "precision": options.precision, "jit": options.jit}


def _claim(folder, wanted):
    """Write what is run here, or compare it with what was."""
    path = folder / "declaration.json"
    if not path.exists():
        write_json(path, wanted)
    changed = differences(read_json(path), wanted)
    if changed:
        details = "; ".join(f"{key} was {was!r} and is {now!r}" for key, (was, now) in changed.items())
        raise ValueError(
            f"{folder} holds results of another declaration: {details}. Choose another folder with --results, or "
            "delete this one."
        )


def differences(there, wanted):
    """Where two declarations differ.

    Args:
        there: dict, e.g. as read from a run's `declaration.json`.
        wanted: dict, as of `declaration`.

    Returns:
        Dict from a setting's name, sorted, to its value in each of them, None where it is at its default.

    Example:

    >>> differences({"seed": 0, "training": {"drops": {"5": 10}}}, {"seed": 1, "training": {"drops": {5: 10}}})
    {'seed': (0, 1)}
    """
    there, wanted = _flat(there), _flat(wanted)
    keys = sorted(there.keys() | wanted.keys())
    return {key: (there.get(key), wanted.get(key)) for key in keys if there.get(key) != wanted.get(key)}


def _flat(value, prefix=""):
    if not isinstance(value, dict):
        return {prefix: list(value) if isinstance(value, tuple) else value}
    return {k: v for key, item in value.items() for k, v in _flat(item, f"{prefix}.{key}".strip(".")).items()}


def _fit(prepared, folder, options):
    checkpoint = Checkpoint(prepared, folder)
    first_epoch = checkpoint.restore()
    log_dir = folder / "tensorboard" if options.tensorboard else None
    callbacks = [
        *([prepared.evaluation] if prepared.evaluation else []),
        # Before the checkpoint: what they wrote beyond its state is written again, what they had not would be lost.
        *prepared.callbacks(folder, log_dir),
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: prepared.learning_rate(epoch)),
        SeedEveryEpoch(prepared.seed),
        checkpoint,
    ]
    if options.progress:
        callbacks.append(_Bar(prepared, folder))
    if options.tensorboard:
        callbacks.append(keras.callbacks.TensorBoard(str(log_dir)))
    start = time.perf_counter()
    prepared.model.fit(
        prepared.batches(first_epoch),
        steps_per_epoch=prepared.steps_per_epoch,
        initial_epoch=first_epoch,
        epochs=prepared.epochs,
        shuffle=False,
        validation_data=prepared.validation_data,
        validation_batch_size=1000,
        verbose=0,
        callbacks=callbacks,
    )
    seconds = checkpoint.seconds_before + time.perf_counter() - start
    return checkpoint.finish({**prepared.summary(), **circumstances(), "seconds": round(seconds, 1)})


class _Bar(keras.callbacks.Callback):
    """One line for a run: how far, how fast, and the newest accuracies."""

    def __init__(self, prepared, folder):
        super().__init__()
        self.prepared, self.name = prepared, f"{folder.parent.name} {folder.name}"

    def on_train_begin(self, logs=None):
        done = int(self.model.optimizer.iterations.numpy())
        total = self.prepared.epochs * self.prepared.steps_per_epoch
        self._bar = tqdm.tqdm(total=total, initial=done, desc=self.name, unit="step", dynamic_ncols=True, leave=False)

    def on_epoch_begin(self, epoch, logs=None):
        self._before = epoch * self.prepared.steps_per_epoch

    def on_train_batch_end(self, batch, logs=None):
        self._bar.update(self._before + batch + 1 - self._bar.n)  # several steps, where one call makes several

    def on_epoch_end(self, epoch, logs=None):
        shown = {name: value for name, value in (logs or {}).items() if "accuracy" in name}
        self._bar.set_postfix({"epoch": epoch + 1, **shown})

    def on_train_end(self, logs=None):
        self._bar.close()
