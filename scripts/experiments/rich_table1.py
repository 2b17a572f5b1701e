"""VGG-11 on CIFAR-10, trained some layers at a time, also from earlier weights; Table 1, Fig. 7b to 12b, 21, 22b, 23.

Claim: training the top layers always and all others in some of the epochs costs a fifth to a half of the backward
passes' time; from random weights it loses accuracy, from pre-trained ones hardly (Li and Banerjee 2021, section 6).

Command: `python -m scripts run rich_table1 --data DIR`; then `python -m scripts figure rich_table1`. The paper size
starts from ImageNet's weights of VGG-11, which are to lie in DIR as `vgg11_imagenet.npz`: the arrays in the order of
the layers, in the layout of Keras or of PyTorch (see `models.initialize_from`).

The 11 layers are those with a kernel. Unlike the paper, the laptop size trains a network of a quarter of the width on
5,000 images for 15 epochs, in batches of 64, and halves the learning rate every 5 of them: where it stayed at 0.01, one
run in which all layers followed the top 4 fell back to chance. It starts from He's initialization: from Glorot's it is
at chance for the first few hundred of its 1,185 steps. What it calls pre-trained has been trained before on 10,000
other images of CIFAR-10, for as many epochs. The quick size is a ReLU-Net, whose times mean nothing: its images are
too small for VGG-11.
"""

from scripts.experiment import Experiment
from scripts.publishing.verdicts import difference, number
from scripts.rich.draw_layerwise import drawing, dynamics, scattering
from scripts.rich.earlier_weights import TrainedBefore, WeightsFrom
from scripts.rich.layerwise_claims import accuracy_claim, cost_claim
from scripts.rich.layerwise_tables import table
from scripts.rich.layerwise_variants import (
    FULL,
    MIDDLE_ONLY,
    PRE_TRAINED,
    RANDOM_BETA,
    RANDOM_UNIFORM,
    pre_trained,
    top_and_bottom,
)
from scripts.rich.settings import balanced, nesterov, section_3
from scripts.running.training import changed

_VGG = changed(
    section_3("full", balanced("cifar10", limit=None), ("vgg11", {}), nesterov(), epochs=180), steps_at_once=False
)
_LAPTOP_SIZE = {
    "data": balanced("cifar10", limit=5000, validation=1000),
    "network": {"arguments": {"width": 0.25}, "initializer": "he_normal"},
    "epochs": 15,
    "batch_size": 64,
    "optimizer": nesterov(halve_every=5),
}
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
    *(top_and_bottom(top=k) for k in (1, 4)),
    *(top_and_bottom(1, "all", rho) for rho in (0.1, 0.3, 0.5)),
    *(top_and_bottom(4, "all", rho) for rho in (0.1, 0.5)),
    RANDOM_UNIFORM,
    RANDOM_BETA,
)
_TABLE_1 = tuple(top_and_bottom(k, bottom, rho) for bottom in (4, "all") for k in (1, 4) for rho in _ALL_RHO)
_PAPER = (
    FULL,
    *(top_and_bottom(top=k) for k in (1, 2, 3, 4)),
    *(top_and_bottom(bottom=q) for q in (1, 2, 3, 4)),
    *(top_and_bottom(k, q) for k in (1, 2, 3, 4) for q in (1, 2, 3, 4)),
    MIDDLE_ONLY,
    RANDOM_UNIFORM,
    RANDOM_BETA,
    *_TABLE_1,
)
# The paper's accuracy in %, its difference to full training, and its ratio of times.
_PUBLISHED = {
    "full": (90.80, 0.0, 1),
    "full, pre-trained": (90.89, 0.09, 1),
    "random-uniform": (85.10, -5.70, 0.45),
    "random-beta": (54.80, -36.01, 0.16),
}
_PUBLISHED_BY_RHO = {  # 0.1 to 0.5
    ("top 1 + bottom 4", ""): (
        (76.28, -14.53, 0.09),
        (81.68, -9.12, 0.16),
        (83.91, -6.9, 0.23),
        (85.20, -5.6, 0.29),
        (85.87, -4.94, 0.41),
    ),
    ("top 1 + bottom 4", PRE_TRAINED): (
        (84.93, -5.87, 0.09),
        (87.14, -3.66, 0.17),
        (88.23, -2.57, 0.22),
        (87.87, -2.94, 0.29),
        (88.52, -2.28, 0.33),
    ),
    ("top 4 + bottom 4", ""): (
        (79.98, -10.83, 0.21),
        (85.04, -5.77, 0.28),
        (86.31, -4.5, 0.33),
        (86.23, -4.58, 0.38),
        (87.48, -3.32, 0.44),
    ),
    ("top 4 + bottom 4", PRE_TRAINED): (
        (85.73, -5.08, 0.19),
        (87.38, -3.42, 0.26),
        (88.57, -2.24, 0.32),
        (88.90, -1.91, 0.39),
        (89.19, -1.61, 0.45),
    ),
    ("top 1 + all bottoms", ""): (
        (79.79, -11.01, 0.18),
        (86.27, -4.53, 0.27),
        (88.04, -2.76, 0.37),
        (88.08, -2.72, 0.43),
        (88.71, -2.1, 0.55),
    ),
    ("top 1 + all bottoms", PRE_TRAINED): (
        (89.17, -1.64, 0.18),
        (90.59, -0.22, 0.28),
        (90.77, -0.03, 0.36),
        (90.98, 0.17, 0.45),
        (90.82, 0.02, 0.53),
    ),
    ("top 4 + all bottoms", ""): (
        (77.12, -13.69, 0.23),
        (80.23, -10.58, 0.30),
        (87.60, -3.21, 0.38),
        (88.27, -2.53, 0.48),
        (88.65, -2.15, 0.58),
    ),
    ("top 4 + all bottoms", PRE_TRAINED): (
        (88.47, -2.34, 0.23),
        (90.59, -0.22, 0.32),
        (91.08, 0.28, 0.39),
        (91.17, 0.36, 0.49),
        (91.23, 0.42, 0.58),
    ),
}


def _table_1():
    """What Table 1 says of each label: the accuracy, the difference and the ratio."""
    found = dict(_PUBLISHED)
    for (name, start), row in _PUBLISHED_BY_RHO.items():
        found |= {f"{name}, rho = {rho:g}{start}": cells for rho, cells in zip(_ALL_RHO, row, strict=True)}
    return found


def _published():
    """The same as two cells."""
    return {label: (f"{a:.2f} % ({d:+.2f})", f"{ratio:g}") for label, (a, d, ratio) in _table_1().items()}


def _claims():
    variants = {label: cells for label, cells in _table_1().items() if label != "full"}
    return (
        accuracy_claim(
            "Each variant loses against full training what Table 1 says: the column of the paper (minus full).",
            _FULL,
            {label: difference(points / 100) for label, (_, points, _) in variants.items()},
        ),
        cost_claim(
            "The backward passes take the fraction of the time that Table 1 says.",
            {label: number(ratio, origin=1) for label, (_, _, ratio) in variants.items() if ratio != 1},
        ),
    )


def _with_pre_training(size, images, skipped, variants, pre_trained_variants):
    """The variants; then full training on images which these do not use, and variants that start from it."""
    before = changed(_VGG, size, FULL, label="pre-training", data={"limit": images, "skip": skipped})
    from_it = (pre_trained(variant, TrainedBefore(before)) for variant in pre_trained_variants)
    return [
        *(changed(_VGG, size, variant) for variant in variants),
        before,
        *(changed(_VGG, size, variant) for variant in from_it),
    ]


_IMAGENET = WeightsFrom("vgg11_imagenet.npz")
_TRAININGS = {
    "quick": _with_pre_training(_QUICK_SIZE, 200, 200, (FULL, RANDOM_UNIFORM), (_ALL_BOTTOMS,)),
    "laptop": _with_pre_training(_LAPTOP_SIZE, 10_000, 5000, _LAPTOP, (FULL, _ALL_BOTTOMS)),
    "paper": [
        changed(_VGG, variant)
        for variant in (*_PAPER, *(pre_trained(variant, _IMAGENET) for variant in (FULL, *_TABLE_1)))
    ],
}
_FULL = [full for full, *_ in _TRAININGS.values()]

EXPERIMENT = Experiment(
    claim="VGG-11 on CIFAR-10 whose top layers are always trained, and all others in some epochs, needs a fifth to a "
    "half of the backward passes' time; from pre-trained weights it is as good as full training.",
    trainings=_TRAININGS,
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": tuple(range(5))},
    draw=drawing(_FULL),
    table=table(_FULL, _published()),
    claims=_claims(),
    more_pictures={
        "rich_fig9b": scattering(_FULL, "backward_ratio", "time of the backward passes, full training = 1"),
        "rich_fig12b": scattering(_FULL, "step_ratio", "time of all training steps, full training = 1"),
        "rich_fig23": dynamics(_FULL, [FULL, _ALL_BOTTOMS, top_and_bottom(4, "all", 0.5)]),
    },
)
