"""The scores of all kernels of a network as one data frame."""

import dataclasses

import pandas as pd

from scripts.running.files import write_csv
from train_by_reconnect import score_profiles


def profile_scores(model, seed):
    """A row for each kernel, with the fields of `train_by_reconnect.ProfileScore`."""
    return pd.DataFrame([dataclasses.asdict(score) for score in score_profiles(model, seed=seed)])


def write_scores(path, scores):
    """Write them as CSV: a shape as `3x3x1x32`, and a score that a kernel of one weight vector has not as `nan`."""
    floats = scores.select_dtypes(float)
    text = floats.astype(object).where(floats.notna(), "nan")
    write_csv(path, scores.assign(shape=["x".join(map(str, shape)) for shape in scores["shape"]], **text))
