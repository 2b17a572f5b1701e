"""Which answers of a classifier change when its weights do."""

import numpy as np
import numpy.typing as npt


def agreement(labels: npt.ArrayLike, before: npt.ArrayLike, after: npt.ArrayLike) -> dict[str, float]:
    """Compare what a classifier answers before and after a change.

    Args:
        labels: array of int, shape (examples,), the right answers.
        before: array of int, shape (examples,), the answers before.
        after: array of int, shape (examples,), the answers after.

    Returns:
        Dict of fractions of all examples, from 0 to 1: `agreement`, with the same answer, right or wrong; `lost`, right
        before and wrong after; `gained`, wrong before and right after. The accuracy changes by `gained - lost`, and
        `1 - agreement - lost - gained` goes from one wrong answer to another.

    Raises:
        ValueError: the arrays are empty or of different shapes.

    Example:

    >>> agreement([0, 1, 2, 2], before=[0, 1, 0, 1], after=[0, 2, 2, 0])
    {'agreement': 0.25, 'lost': 0.25, 'gained': 0.25}

    Reference:
        Review 2 of Qiu and Suda 2020, on "the difference between the predictions on different samples when
        reconnecting the weights".
    """
    labels, before, after = map(np.asarray, (labels, before, after))
    if not labels.size or not labels.shape == before.shape == after.shape:
        raise ValueError(
            "Expected one label and one answer before and after for each of at least one example. Received: labels of "
            f"shape {labels.shape}, before {before.shape}, after {after.shape}. Pass class numbers, one for each."
        )
    right_before, right_after = before == labels, after == labels
    return {
        "agreement": float(np.mean(before == after)),
        "lost": float(np.mean(right_before & ~right_after)),
        "gained": float(np.mean(~right_before & right_after)),
    }


def classes_of(labels: npt.ArrayLike, predicted: npt.ArrayLike) -> np.ndarray:
    """The class that a classifier answers for each label: the most probable, or of one probability whether it is > 0.5.

    Example:

    >>> classes_of([1, 0], [[0.1, 0.9], [0.2, 0.8]]), classes_of([1, 0], [[0.9], [0.2]])
    (array([1, 1]), array([1, 0]))
    """
    labels, predicted = np.asarray(labels), np.asarray(predicted)
    if (labels != np.round(labels)).any():
        raise ValueError(
            f"`compare` needs integer labels. Received: a label {labels[labels != np.round(labels)][0]}. Pass class "
            "numbers, or leave out `compare`."
        )
    if predicted.ndim > 1 and predicted.shape[-1] > 1:
        return np.ravel(np.argmax(predicted, axis=-1))
    if not ((predicted >= 0) & (predicted <= 1)).all():
        raise ValueError(
            "`compare` needs a probability from 0 to 1 where a model has a single output. Received: answers from "
            f"{predicted.min()} to {predicted.max()}. Give the last layer a sigmoid, or leave out `compare`."
        )
    return np.ravel(predicted > 0.5).astype(int)
