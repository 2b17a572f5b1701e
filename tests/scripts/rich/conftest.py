"""What the tests of the rich regime paper share: one finished run that everything watches."""

import pytest

from scripts.rich.activity import Activity
from scripts.rich.reinitialized import Reinitialized
from scripts.rich.settings import adam, balanced, section_3
from scripts.rich.sorted_gradients import SortedGradients
from scripts.running.runner import Options, run


@pytest.fixture(scope="session")
def observed():
    """A small training that all observers watch.

    1,437 training images less 200 held out, of which 30 of each class are used: 3 steps of 128 an epoch. The network
    has 64*5 + 5 + 5*5 + 5 + 5*10 + 10 = 415 parameters.
    """
    return section_3(
        "observed",
        balanced("digits", limit=300, validation=200),
        ("relu_net", {"units": 5, "depth": 2}),
        adam(0.1),
        epochs=3,
        observers=(Activity(), SortedGradients((0, 2, 3)), Reinitialized((0, 0.1, 1, 10, 100))),
    )


@pytest.fixture(scope="session")
def finished(observed, tmp_path_factory):
    """The folder of its finished run, and the summary."""
    folder = tmp_path_factory.mktemp("finished")
    return folder, run(observed, 1, folder, Options(progress=False))
