"""Initial weights of the rich regime paper that were trained before: by another run, or by somebody else."""

import dataclasses
import pathlib

import models
from scripts.running.earlier_run import earlier_run
from scripts.running.training import Training

_FILES = (".npz", ".keras", ".h5")


@dataclasses.dataclass(frozen=True)
class TrainedBefore:
    """The final weights of another training of the same experiment, with the same seed, as far as they fit.

    Args:
        starts_from: `Training`, that one; it is declared before.
    """

    starts_from: Training

    def apply(self, prepared):
        """Take them over."""
        folder = earlier_run(prepared, self.starts_from)
        trained = self.starts_from.network.build(prepared.loaded, prepared.seed)
        trained.load_weights(folder / "final.weights.h5")
        models.initialize_from(prepared.model, trained)


@dataclasses.dataclass(frozen=True)
class WeightsFrom:
    """The weights in a file, as far as they fit.

    Args:
        file: str, its name in the folder of data sets: `.npz`, `.keras` or `.h5`, as `models.initialize_from` takes it.

    Raises:
        ValueError: the file is of another kind.
    """

    file: str

    def __post_init__(self):
        """Refuse what would be found out only when it is read."""
        if not self.file.endswith(_FILES):
            raise ValueError(
                f"`file` must be of a kind that holds weights: {', '.join(_FILES)}. Received: file={self.file!r}. "
                "Save them e.g. with `numpy.savez(path, *arrays)`."
            )

    def apply(self, prepared):
        """Take them over."""
        path = pathlib.Path(prepared.directory or "") / self.file
        if not path.is_file():
            raise FileNotFoundError(
                f"`file` must be in the folder of data sets. Received: file={self.file!r}, folder="
                f"{prepared.directory}. Put the weights there, e.g. with `numpy.savez(path, *arrays)`, and name the "
                "folder with --data; the size 'laptop' trains its own instead."
            )
        models.initialize_from(prepared.model, path)
