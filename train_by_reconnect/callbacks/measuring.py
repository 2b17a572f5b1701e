"""The metrics of a model on several data sets, in one pass over each."""

from typing import Any

import keras
import numpy as np

from train_by_reconnect.backend import keras_training
from train_by_reconnect.backend.types import Tensor
from train_by_reconnect.callbacks.agreement import classes_of
from train_by_reconnect.callbacks.evaluation_data import Batch


def measure(
    model: keras.Model, data: dict[str, list[Batch]], metrics: list[Any], with_classes: bool
) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """The metrics of the present weights, and if asked for the class of each example of each data set.

    Of what `compile` takes, such as a name, only the data makes a metric: it then stands in the list instead.
    """
    values: dict[str, float] = {}
    classes: dict[str, np.ndarray] = {}
    for name, batches in data.items():
        answers = []
        for number, (x, y) in enumerate(batches):
            predicted = _answers_to(model, x, y)
            if number == 0:
                _start(metrics, y, predicted)
            for metric in metrics:
                metric.update_state(y, predicted)
            if with_classes:
                answers.append(classes_of(y, predicted))
        values.update({f"{name}_{metric.name}": float(metric.result()) for metric in metrics})
        if with_classes:
            classes[name] = np.concatenate(answers)
    return values, classes


def _start(metrics: list[Any], y: Tensor, predicted: np.ndarray) -> None:
    for position, metric in enumerate(metrics):
        if not isinstance(metric, keras.metrics.Metric):
            metrics[position] = keras_training.metric_for(metric, y, predicted)
        metrics[position].reset_state()


def _answers_to(model: keras.Model, x: Any, y: Tensor) -> np.ndarray:
    predicted = model.predict_on_batch(x)
    if not hasattr(predicted, "shape"):
        raise ValueError(
            f"`SyncEvaluation` expects a model with one output. Received: model={model.name!r} with {len(predicted)}. "
            "Leave this callback out, or train a model with one."
        )
    return predicted[: len(y)]  # of several replicas each answers all, one after the other
