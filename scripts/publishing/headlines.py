"""The few numbers that the README shows: declared beside their experiments, written from the committed records."""

import collections.abc
import dataclasses
import statistics

from scripts.publishing.tables import percent


@dataclasses.dataclass(frozen=True)
class Headline:
    """One line of the README's table of results.

    Args:
        sentence: str, what was done.
        measure: function of a list of `Curve` that gives our number, as text; None or `""` where the runs for it are
            not there.
        paper: str, the paper's number. Defaults to `"-"`: no paper has one.
    """

    sentence: str
    measure: collections.abc.Callable
    paper: str = "-"


def accuracy(label, metric="test_accuracy"):
    """What measures the accuracy of the runs of one training: the mean, and the range of more than one seed.

    Args:
        label: str, of the training.
        metric: str, which entry of a run's summary. Defaults to `"test_accuracy"`.

    Returns:
        Function for `Headline`.
    """

    def measure(curves):
        values = [curve.summary[metric] for curve in curves if curve.label == label]
        return mean_and_range(values) if values else None

    return measure


def mean_and_range(values):
    """Accuracies of several seeds as text; of one seed, that number alone.

    >>> mean_and_range([0.5, 0.75]), mean_and_range([0.5])
    ('62.50 % (50.00 to 75.00)', '50.00 %')
    """
    mean = percent(statistics.mean(values))
    return f"{mean} ({100 * min(values):.2f} to {100 * max(values):.2f})" if len(values) > 1 else mean
