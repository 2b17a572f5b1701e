"""One declared training, put together from parts, each of which checks what it is given when it is declared.

| part | says | in |
|---|---|---|
| `data` | which images, how many, scaled and augmented how | `scripts.running.images` |
| `network` | which architecture with which random weights | `scripts.running.network` |
| `initial_weights` | what is done to these before the first step | `scripts.laperm.initial_weights`, ... |
| `optimizer` | which one, its rate and schedule, and LaPerm or Lookahead around it | `scripts.running.optimizer` |
| `task` | the loss and the metrics | `scripts.running.task` |
| `evaluation` | on which images, and how often at synchronizations | `scripts.running.evaluation` |
| `observers` | what watches and measures | `scripts.running.observers`, and one package a paper |

A paper that needs something else adds a part of its own: a frozen dataclass with the same methods.
"""

import dataclasses

import keras

from scripts.running.evaluation import Evaluation
from scripts.running.images import Images
from scripts.running.network import Network
from scripts.running.optimizer import Optimizer
from scripts.running.prepared import Prepared
from scripts.running.task import Classification


@dataclasses.dataclass(frozen=True)
class Training:
    """What one curve of a figure needs to know; nothing in it is left to chance but the seed.

    Args:
        label: str, the name of the curve, for people to read.
        data: `Images`.
        network: `Network`.
        epochs: int.
        batch_size: int, examples a step.
        optimizer: `Optimizer`. Defaults to Adam alone.
        initial_weights: tuple of parts with `apply(prepared)`, which change the new model in their order.
        observers: tuple of parts with `observe(prepared)`, as in `scripts.running.observers`.
        evaluation: `Evaluation`. Defaults to the held-out images only.
        task: as `Classification`, which is the default.
        steps_at_once: bool, make several steps in a call; for small networks that nothing watches step by step.
            Defaults to `False`.
    """

    label: str
    data: Images
    network: Network
    epochs: int
    batch_size: int
    optimizer: Optimizer = Optimizer()  # noqa: RUF009 (all these are frozen)
    initial_weights: tuple = ()
    observers: tuple = ()
    evaluation: Evaluation = Evaluation()  # noqa: RUF009
    task: object = Classification()
    steps_at_once: bool = False

    def prepare(self, seed, directory=None, folder=None, *, jit=False, log_dir=None):
        """Make everything that `fit` needs.

        Args:
            seed: int, of the initial weights, the order of the data and all else.
            directory: folder of the data sets, or None for Keras' cache.
            folder: `pathlib.Path` of the run, for what is written beside its curve.
            jit: bool, whether to compile with XLA, or by `torch.compile`. Defaults to `False`: as Keras does by itself,
                which compiles on JAX and not on PyTorch.
            log_dir: path for the logs of TensorBoard, or None.

        Returns:
            `Prepared`.
        """
        keras.utils.set_random_seed(seed)
        loaded = self.data.load(directory)
        model = self.network.build(loaded, seed)
        prepared = Prepared(self, model, loaded, seed, directory, folder, log_dir)
        for part in self.initial_weights:
            part.apply(prepared)
        model.compile(
            optimizer=self.optimizer.make(model),
            loss=self.task.loss,
            metrics=self.task.compiled_metrics(),
            jit_compile=True if jit else "auto",
            steps_per_execution=prepared.compiled_steps(),
        )
        prepared.observe()
        return prepared

    def part(self, kind):
        """The part of a class among the initial weights and the observers, or None."""
        return next((part for part in (*self.initial_weights, *self.observers) if isinstance(part, kind)), None)


def changed(training, *changes, **more):
    """The same training with other settings.

    Args:
        training: `Training`.
        *changes: dict from a field to its new value, or for a part to a dict of what changes within it. Later ones
            change what earlier ones have made.
        **more: a last such dict.

    Returns:
        `Training`.

    Example:

    >>> adam = Training("Adam", Images("digits"), Network("conv2"), epochs=2, batch_size=32)
    >>> changed(adam, {"optimizer": {"name": "sgd", "learning_rate": 0.1}}, epochs=5).optimizer.learning_rate
    0.1
    """
    for change in (*changes, more):
        values = {}
        for name, value in change.items():
            part = getattr(training, name)
            is_within = isinstance(value, dict) and dataclasses.is_dataclass(part)
            values[name] = dataclasses.replace(part, **value) if is_within else value
        training = dataclasses.replace(training, **values)
    return training
