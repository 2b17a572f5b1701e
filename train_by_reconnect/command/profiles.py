"""The weight profiles of a model: their scores as a table, and their picture."""

import math

import keras

from train_by_reconnect.command.pictures import needing_matplotlib, picture_file
from train_by_reconnect.command.table import table
from train_by_reconnect.weights.profile_scores import score_profiles
from train_by_reconnect.weights.profiles import weight_profiles

_SCORES = ("plain", "plain_initializer", "plain_gaussian", "plain_shuffled", "standardized", "standardized_gaussian")


def score_lines(model: keras.Model, seed: int) -> list[str]:
    """The scores of all kernels as the lines of a table; see `train_by_reconnect.score_profiles`.

    Args:
        model: a built `keras.Model`.
        seed: int, of the nulls.

    Returns:
        List of str.
    """
    rows = []
    for score in score_profiles(model, seed=seed):
        values = [f"{getattr(score, name):.3f}" for name in _SCORES]
        rows.append([score.name, f"{score.units} x {score.size}", *values])
    return table(["kernel", "vectors", *(name.replace("_", ": ") for name in _SCORES)], rows)


def draw(model: keras.Model, path: str) -> list[str]:
    """Draw the weight profiles of all kernels.

    Args:
        model: a built `keras.Model`.
        path: str, a file that ends with `.png`, `.pdf` or `.svg`; more than 300 kernels go on in further files.

    Returns:
        List of the files' names.

    Raises:
        ValueError: the file is of another kind.
        ImportError: there is no matplotlib.
    """
    out = picture_file(path)
    with needing_matplotlib(path):
        from train_by_reconnect.command.draw_sheets import draw_sheets
    profiles = weight_profiles(model)
    weights = sum(math.prod(profile.shape) for profile in profiles)
    title = f"{model.name}: {len(profiles)} weight matrices, {weights:,} weights"
    written = []
    for page, figure in enumerate(draw_sheets(profiles, title), start=1):
        file = out.with_stem(f"{out.stem}_{page}") if page > 1 else out
        figure.savefig(file, dpi=110)
        written.append(str(file))
    return written
