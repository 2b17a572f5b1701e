"""VGG-5 on MNIST, trained some layers at a time; Fig. 7a to 12a and 22a.

Claim: training the top 1 and the bottom 1 layer alone nearly attains the accuracy of full training; training the top
layers always and all others in a tenth of the epochs does too, at a fraction of the backward passes' time (Li and
Banerjee 2021, section 6).

Command: `python -m scripts run rich_fig7 --data DIR`; then `python -m scripts figure rich_fig7`.

A layer is one with a kernel, as for VGG-11, whose 11 are its name: of the 12 of VGG-5, ten convolutions and two dense
layers, the top 4 are both dense layers and the two 1x1 convolutions below them. The paper does not say what it counts;
were it the five stages of the name, Top 3 Bottom 3, which it shows, would be the full network. The overnight size has
both readings of Top 1 Bottom 1 and of Top 2 Bottom 2.

Unlike the paper, which prints 0.1 as the learning rate of Adam, all variants have 0.001: one curve shows the full
network at 0.1. The paper size has the most telling variants at 0.1 too. The laptop size is a quarter as wide, for 20
epochs instead of 100, with fewer k, q and rho; since few layers learn slowly, some of its variants have 0.01 too, and
two have 40 epochs. "Counted network" is VGG-5 as its published number of parameters has it, with 3x3 kernels and batch
normalization (see `models.vgg5`). The quick size is a ReLU-Net, whose times mean nothing: its images are too small for
VGG-5.
"""

from scripts.experiment import Experiment
from scripts.publishing.verdicts import POINT, SLIGHTLY_BELOW, as_good, between, no_worse
from scripts.rich.draw_layerwise import drawing, scattering
from scripts.rich.layerwise_claims import accuracy_claim, cost_claim
from scripts.rich.layerwise_tables import table
from scripts.rich.layerwise_variants import (
    FULL,
    MIDDLE_ONLY,
    RANDOM_BETA,
    RANDOM_UNIFORM,
    named,
    top_and_bottom,
)
from scripts.rich.settings import PRINTED_RATE, adam, balanced, section_3
from scripts.running.training import changed

_VGG = changed(section_3("full", balanced("mnist"), ("vgg5", {}), adam(), epochs=100), steps_at_once=False)
_LAPTOP_SIZE = {"data": {"validation": 1000}, "network": {"arguments": {"width": 0.25}}, "epochs": 20}
_QUICK_SIZE = {
    "data": balanced("digits", limit=200, validation=200),
    "network": {"name": "relu_net", "arguments": {"units": 16, "depth": 2}},
    "epochs": 2,
    "batch_size": 20,
}
_ALL_RHO = (0.1, 0.2, 0.3, 0.4, 0.5)
_ALL_BOTTOMS = top_and_bottom(1, "all", 0.1)
_LAPTOP = (
    FULL,
    *(top_and_bottom(top=k) for k in (1, 2, 4)),
    *(top_and_bottom(bottom=q) for q in (1, 2)),
    *(top_and_bottom(k, k) for k in (1, 2)),
    MIDDLE_ONLY,
    top_and_bottom(1, 1, 0.1),
    *(top_and_bottom(1, "all", rho) for rho in (0.1, 0.3, 0.5)),
    top_and_bottom(4, "all", 0.1),
    RANDOM_UNIFORM,
    RANDOM_BETA,
)
_OVERNIGHT = (
    FULL,
    top_and_bottom(top=1),
    top_and_bottom(1, 1),
    top_and_bottom(2, 2),  # the dense layers and the first stage: were a layer a stage, top 1 + bottom 1
    top_and_bottom(5, 4),  # and top 2 + bottom 2
    MIDDLE_ONLY,
    top_and_bottom(1, 1, 0.1),
    *(top_and_bottom(k, "all", 0.1) for k in (1, 4)),
    RANDOM_UNIFORM,
    RANDOM_BETA,
)
_PAPER = (
    FULL,
    *(top_and_bottom(top=k) for k in (1, 2, 3, 4)),
    *(top_and_bottom(bottom=q) for q in (1, 2, 3, 4)),
    *(top_and_bottom(k, q) for k in (1, 2, 3, 4) for q in (1, 2, 3, 4)),
    MIDDLE_ONLY,
    *(top_and_bottom(k, bottom, rho) for bottom in (1, "all") for k in (1, 2, 3, 4) for rho in _ALL_RHO),
    RANDOM_UNIFORM,
    RANDOM_BETA,
)


def _at_rate(rate, variant):
    return {**named(variant, f", rate {rate}"), "optimizer": {"learning_rate": rate}}


def _longer(variant):
    return {**named(variant, ", 40 epochs"), "epochs": 40}


def _counted(variant, **arguments):
    counted = {"batch_norm": True, "inner_kernel_size": 3, **arguments}
    return {**named(variant, ", counted network"), "network": {"arguments": counted}}


_TRAININGS = {
    "quick": [changed(_VGG, _QUICK_SIZE, variant) for variant in (FULL, top_and_bottom(1, "all", 0.5))],
    "laptop": [
        changed(_VGG, _LAPTOP_SIZE, variant)
        for variant in (
            *_LAPTOP,
            _at_rate(PRINTED_RATE, FULL),
            *(_at_rate(0.01, each) for each in (FULL, top_and_bottom(1, 1), top_and_bottom(2, 2), _ALL_BOTTOMS)),
            *map(_longer, (FULL, _ALL_BOTTOMS)),
            *(_counted(each, width=0.25) for each in (FULL, top_and_bottom(1, 1), _ALL_BOTTOMS)),
        )
    ],
    # By an estimate six and a half hours of two cores: the paper's network, images and epochs; two seeds in place of
    # five, and fewer variants, all at the usual rate.
    "overnight": [changed(_VGG, variant) for variant in _OVERNIGHT],
    "paper": [
        changed(_VGG, variant)
        for variant in (
            *_PAPER,
            *(_at_rate(PRINTED_RATE, each) for each in (FULL, top_and_bottom(1), top_and_bottom(1, 1), _ALL_BOTTOMS)),
            *(_counted(each) for each in (FULL, top_and_bottom(1, 1), _ALL_BOTTOMS)),
        )
    ],
}
_FULL = [full for full, *_ in _TRAININGS.values()]

_TWO_POINTS = 2 * POINT
_SIMILAR = ("top 1 + all bottoms, rho = 0.1", "top 4 + all bottoms, rho = 0.1")
_CLAIMS = (
    accuracy_claim(
        "Training the top 1 and the bottom 1 layer alone nearly attains the accuracy of full training (minus full; "
        "within 2 points).",
        _FULL,
        {"top 1 + bottom 1": no_worse(_TWO_POINTS)},
    ),
    accuracy_claim(
        "With the top 4, the top 2 and the bottom 2, or the middle layers it is at most 2 points below (minus full).",
        _FULL,
        dict.fromkeys(("top 4", "top 2 + bottom 2", "middle only"), no_worse(_TWO_POINTS)),
    ),
    accuracy_claim(
        "With the bottom 1 layer in a tenth of the epochs it is slightly below (minus full).",
        _FULL,
        {"top 1 + bottom 1, rho = 0.1": SLIGHTLY_BELOW},
    ),
    accuracy_claim(
        "With all bottom layers in a tenth of the epochs it is similar (minus full; within 2 points).",
        _FULL,
        dict.fromkeys(_SIMILAR, as_good(_TWO_POINTS)),
    ),
    cost_claim(
        "That takes 0.2 to 0.5 of the backward passes' time.",
        dict.fromkeys(_SIMILAR, between(0.2, 0.5, origin=1)),
    ),
)

EXPERIMENT = Experiment(
    claim="Training the top and the bottom layer of VGG-5 alone, or the others in a tenth of the epochs, is nearly as "
    "good on MNIST as full training; the latter at a fraction of its backward passes' time.",
    trainings=_TRAININGS,
    seeds={"quick": (0,), "laptop": (0, 1, 2), "overnight": (0, 1), "paper": tuple(range(5))},
    draw=drawing(_FULL),
    table=table(
        _FULL,
        {
            "top 4": ("at most 2 points below full", "-"),
            "top 1 + bottom 1": ("nearly that of full", "-"),
            "top 2 + bottom 2": ("at most 2 points below full", "-"),
            "middle only": ("at most 2 points below full", "-"),
            "top 1 + bottom 1, rho = 0.1": ("slightly below full", "-"),
            "top 1 + all bottoms, rho = 0.1": ("similar to full", "0.2 to 0.5"),
            "top 4 + all bottoms, rho = 0.1": ("similar to full", "0.2 to 0.5"),
        },
    ),
    claims=_CLAIMS,
    more_pictures={
        "rich_fig9a": scattering(_FULL, "backward_ratio", "time of the backward passes, full training = 1"),
        "rich_fig12a": scattering(_FULL, "step_ratio", "time of all training steps, full training = 1"),
    },
)
