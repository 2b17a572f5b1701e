"""The printed names, and pictures that say what was run and how long."""

import pathlib

import matplotlib.figure
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

import models
from scripts.data.sources import SHAPES
from scripts.experiment import find, names
from scripts.publishing.curves import Curve
from scripts.publishing.names import DATA_NAMES, NETWORK_NAMES, is_of, subject
from scripts.publishing.quick_check import mark
from scripts.running.images import Images
from scripts.running.network import Network
from scripts.running.training import Training

RESULTS = pathlib.Path(__file__).resolve().parents[3] / "results"


def curve(network, data, **arguments):
    training = Training("a", Images(data), Network(network, arguments), epochs=1, batch_size=1)
    return Curve(training, 0, pd.DataFrame(), {})


def test_everything_has_a_name():
    assert set(DATA_NAMES) == set(SHAPES)
    assert set(NETWORK_NAMES) == set(models.__all__) - {"initialize_from", "load_published"}


def test_all_that_was_run_is_named():
    same = [curve("conv2", "cifar10"), curve("conv4", "cifar10"), curve("conv2", "cifar10"), curve("conv13", "cifar10")]
    assert subject(same[:1]) == "Conv2 on CIFAR-10"
    assert subject(same) == "Conv2, Conv4 and Conv13 on CIFAR-10"
    assert subject([curve("vgg5", "mnist"), curve("resnet18", "cifar10")]) == "VGG-5 on MNIST and ResNet-18 on CIFAR-10"
    assert subject([curve("relu_net", "digits", depth=2)]) == "3-layer ReLU-Net on digits"
    assert is_of(same, ("conv2", "conv4", "conv13"), "cifar10")
    assert not is_of(same, ("conv2",), "cifar10")
    assert not is_of([curve("conv2", "digits")], ("conv2",), "cifar10")


def test_the_mark_is_red_and_at_the_top_right():
    plain, marked = (matplotlib.figure.Figure(figsize=(4, 3), layout="constrained") for _ in range(2))
    pictures = []
    for figure, marks in ((plain, False), (marked, True)):
        figure.suptitle("a title", x=0.01, ha="left")
        figure.subplots().plot([1, 2])
        if marks:
            mark(figure)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        pictures.append(np.asarray(canvas.buffer_rgba()).astype(int))
    rows, columns = np.nonzero((pictures[0] != pictures[1]).any(axis=2))
    assert rows.max() < 30
    assert columns.min() > 250
    red, green, blue, _ = pictures[1][rows, columns].min(axis=0)
    assert (green, blue) == (0, 0)
    assert red > 200


@pytest.mark.parametrize(
    "page", sorted(set(RESULTS.glob("*.md")) - {RESULTS / "README.md"}), ids=lambda page: page.stem
)
def test_published_pages_begin_as_they_would_today(page):
    title, opening, _ = page.read_text().split("\n\n", 2)
    assert opening == find(title.removeprefix("# ").partition(",")[0]).opening


@pytest.mark.parametrize("name", names())
def test_pages_say_whose_the_claim_is(name):
    experiment = find(name)
    assert experiment.opening.startswith("The paper claims: " if experiment.in_paper else "Asked here: ")
    assert experiment.in_paper or "?" in experiment.claim
    assert experiment.in_paper or not experiment.paper
