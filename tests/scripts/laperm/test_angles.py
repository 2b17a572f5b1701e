"""The regression: images that are rotated, a network that says by how much, and what its table says."""

import keras
import numpy as np
import pandas as pd
import pytest
from hand_made_runs import declared

from scripts.experiment import find, trainings_of
from scripts.laperm.angles import DEVIATION, LARGEST_ANGLE, AngleImages, rotated
from scripts.publishing.curves import Curve
from scripts.publishing.publish import publish
from scripts.running.files import read_csv
from scripts.running.runner import Options, folder_of, run

NAME = "laperm_regression"
ADAM = declared(NAME, method="Adam")
WHOLE, FREE = (declared(NAME, k=20, output_free=is_free) for is_free in (False, True))


def test_rotated_by_hand():
    # A dot to the right of the center goes up where the image turns counterclockwise, that is to a smaller row.
    images = np.zeros((40, 15, 15, 1), "float32")
    images[:, 7, 12] = 1
    turned, angles = rotated(images, seed=1)
    rows = (turned[..., 0] * np.arange(15)[:, np.newaxis]).sum((1, 2)) / turned.sum((1, 2, 3))
    # The dot is 5 pixels from the center: 5 sin(angle) above it, but for the bilinear interpolation.
    np.testing.assert_allclose(7 - rows, 5 * np.sin(np.radians(LARGEST_ANGLE * angles)), atol=0.3)
    np.testing.assert_array_equal(rotated(images, seed=1)[0], turned)
    assert np.sqrt(np.mean((45 * rotated(np.zeros((20_000, 1, 1, 1), "float32"), 2)[1]) ** 2)) == pytest.approx(
        DEVIATION, rel=0.02
    )


def test_the_table_by_hand():
    # Errors are fractions of 45 degrees: Adam 0.1 and 0.2, 6.75 degrees on average; LaPerm 0.3, twice as much.
    def run_of(training, seed, error):
        rows = pd.DataFrame([{"epoch": 0, "step": 10, "when": "epoch", "val_error": error, "train_error": error}])
        return Curve(training, seed, rows, {"test_error": error, "is_permutation": training == WHOLE})

    table = find(NAME).table([run_of(ADAM, 0, 0.1), run_of(ADAM, 1, 0.2), run_of(WHOLE, 0, 0.3)])
    assert "| Adam | 2 | 6.75 | 4.50 | 9.00 | 6.75 | 0 of 2 |" in table
    assert "- LaPerm, k = 20: 2.00." in table


@pytest.mark.slow
def test_regression_runs_and_is_published(tmp_path):
    for training, when in ((ADAM, "epoch"), (FREE, "after")):
        folder = folder_of(NAME, "quick", training.label, 0, tmp_path)
        run(training, 0, folder, Options(progress=False))
        rows = read_csv(folder / "rows.csv")
        rows = rows[rows["when"] == when]
        assert rows["step"].tolist() == [20, 40, 60, 80]
        assert rows["val_error"].iloc[-1] < rows["val_error"].iloc[0]
        assert rows["train_error"].notna().all()
    table = publish(NAME, "quick", tmp_path, tmp_path)
    assert "| Adam | 1 |" in table
    assert "26.0 degrees" in table
    assert (tmp_path / f"{NAME}.png").stat().st_size > 10_000


def test_regression_leaves_the_output_free():
    assert all(isinstance(training.data, AngleImages) for training in trainings_of(NAME, "quick"))
    for training, is_free in ((WHOLE, False), (FREE, True)):
        prepared = training.prepare(0)
        model, output = prepared.model, prepared.model.get_layer("angle")
        assert model.output_shape == (None, 1)
        assert output.activation is keras.activations.linear
        before = output.kernel.numpy()
        model.optimizer.build(model.trainable_variables)
        model.optimizer.recapture()
        changed = before + np.arange(len(before))[:, np.newaxis].astype("float32")
        output.kernel.assign(changed)
        model.optimizer.synchronize()
        expected = changed if is_free else np.sort(before, axis=0)[np.argsort(np.argsort(changed[:, 0]))]
        np.testing.assert_array_equal(output.kernel.numpy(), expected)
