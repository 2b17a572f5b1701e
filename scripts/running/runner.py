"""Run declared trainings: each in a folder of its own, skipped if done, resumed if cut, refused if changed."""

import dataclasses
import importlib.util
import pathlib
import re
import sys
import time

import keras

from scripts.running.checkpoint import Checkpoint, SeedEveryEpoch
from scripts.running.circumstances import circumstances
from scripts.running.declaration import claim, declaration
from scripts.running.distribution import distributed
from scripts.running.failures import StopIfDiverged
from scripts.running.files import read_json
from scripts.running.progress import ProgressBar, ProgressLines
from scripts.running.progress_file import ProgressFile, forget_progress
from scripts.running.stop_in_time import StopInTime


@dataclasses.dataclass(frozen=True)
class Options:
    """What may differ between two machines without changing what is trained.

    Args:
        results: str or path, the folder of results. Defaults to `"results"`.
        data: str or path or None, the folder of data sets. Defaults to None.
        precision: a Keras dtype policy. Defaults to `"float32"`.
        jit: bool, compile with XLA, on PyTorch by `torch.compile`. Defaults to `False`: what Keras does by itself,
            which on JAX is to compile too.
        tensorboard: bool, write logs for TensorBoard. Defaults to `False`.
        progress: bool, show a bar, or without a terminal a line every minute. Defaults to `True`.
        distribute: str, of `scripts.running.distribution.HOW`, or None for one device. Defaults to None.
        devices: int or None, how many devices then. Defaults to None: all.
        until: float or None, the time, as of `time.time`, by which a training stops, to go on later. Defaults to None.
    """

    results: str = "results"
    data: str | None = None
    precision: str = "float32"
    jit: bool = False
    tensorboard: bool = False
    progress: bool = True
    until: float | None = None
    distribute: str | None = None
    devices: int | None = None


def size_folder(name, size, results):
    """Where all runs of an experiment at one size live.

    >>> size_folder("quickstart", "laptop", "results").as_posix()
    'results/runs/quickstart/laptop'
    """
    return pathlib.Path(results) / "runs" / name / size


def folder_of(name, size, label, seed, results):
    """Where the run of an experiment's training with such a label lives.

    >>> folder_of("laperm_fig10", "paper", "F2, layer-wise", 3, "results").as_posix()
    'results/runs/laperm_fig10/paper/f2_layer-wise/seed_3'
    """
    return size_folder(name, size, results) / slug(label) / f"seed_{seed}"


def slug(label):
    """A label as the name of a folder."""
    return re.sub(r"[^a-z0-9.=%-]+", "_", label.lower()).strip("_")


def run(training, seed, folder, options=None):
    """Run one training to its end, from wherever an earlier attempt was cut.

    Args:
        training: `scripts.running.training.Training`.
        seed: int.
        folder: str or path of this run.
        options: `Options`.

    Returns:
        Dict, the summary, as in the run's `done.json`.

    Raises:
        ValueError: the folder holds a run of another declaration.
        ValueError: logs for TensorBoard are asked for where there is no TensorFlow.
        PermissionError: the folder cannot be written to.
    """
    folder, options = pathlib.Path(folder), options or Options()
    if options.tensorboard and importlib.util.find_spec("tensorflow") is None:
        raise ValueError(
            "Keras writes logs for TensorBoard with TensorFlow, which is not installed. Received: --tensorboard. Leave "
            "it out, or run `pip install tensorflow`."
        )
    claim(folder, declaration(training, seed, options))
    if (folder / "done.json").exists():
        return read_json(folder / "done.json")
    keras.config.set_dtype_policy(options.precision)
    log_dir = folder / "tensorboard" if options.tensorboard else None
    try:
        with distributed(options.distribute, options.devices):
            prepared = training.prepare(seed, options.data, folder, jit=options.jit, log_dir=log_dir)
            return _fit(prepared, options)
    finally:
        keras.config.set_dtype_policy("float32")
        keras.backend.clear_session()


def _fit(prepared, options):
    checkpoint = Checkpoint(prepared)
    first_epoch = checkpoint.restore()
    callbacks = [
        *([prepared.evaluation] if prepared.evaluation else []),
        # Before the checkpoint: what they wrote beyond its state is written again, what they had not would be lost.
        *prepared.callbacks,
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: prepared.learning_rate(epoch)),
        SeedEveryEpoch(prepared.seed),
        StopIfDiverged(),
        checkpoint,
        ProgressFile(prepared, first_epoch),
    ]
    if options.until is not None:
        callbacks.append(StopInTime(options.until, prepared.epochs))
    if options.progress:
        callbacks.append((ProgressBar if sys.stderr.isatty() else ProgressLines)(prepared))
    if prepared.log_dir:
        callbacks.append(keras.callbacks.TensorBoard(str(prepared.log_dir)))
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
    forget_progress(prepared.folder)
    return checkpoint.finish({**prepared.summary(), **circumstances(), "seconds": round(seconds, 1)})
