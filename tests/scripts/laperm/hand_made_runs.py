"""Finished runs made by hand, of ten steps an epoch, and what the tables say of them."""

import pandas as pd

from scripts.experiment import find, trainings_of
from scripts.laperm.fields import fields
from scripts.publishing.claims import claims_beside_ours
from scripts.publishing.curves import Curve


def declared(name, size="quick", **wanted):
    """The only training of an experiment with these fields."""
    (training,) = (t for t in trainings_of(name, size) if wanted.items() <= fields(t).items())
    return training


def curve(training, held_out, test, seed=0, **summary):
    """A run that is evaluated after each epoch: right after a synchronization, if it is LaPerm's.

    Args:
        training: `Training`.
        held_out: list of float, the held-out accuracy after each epoch.
        test: float, the test accuracy at the end.
        seed: int. Defaults to 0.
        **summary: what else is known at the end.
    """
    is_laperm, rows = training.optimizer.around == "laperm", []
    for epoch, value in enumerate(held_out):
        moment = {"epoch": epoch, "step": 10 * (epoch + 1)}
        values = {"val_accuracy": value, "train_accuracy": value + 0.1}
        rows += [{**moment, "when": "after", **values}, {**moment, "when": "epoch"}] if is_laperm else []
        rows += [] if is_laperm else [{**moment, "when": "epoch", **values}]
    known = {"test_accuracy": test, "test_images": 360, "is_permutation": is_laperm, **summary}
    return Curve(training, seed, pd.DataFrame(rows), known)


def seen_before(run, values):
    """The same run, evaluated before a synchronization too: in the first epochs, one value for each."""
    before = [
        {"epoch": epoch, "step": 10 * (epoch + 1), "when": "before", "val_accuracy": value}
        for epoch, value in enumerate(values)
    ]
    return Curve(run.training, run.seed, pd.concat([pd.DataFrame(before), run.rows]), run.summary)


def said(name, curves):
    """What ours are in the claims of an experiment, by their first words."""
    return {sentence: ours for sentence, (ours, _) in _claims(name, curves).items()}


def verdicts(name, curves):
    """The verdicts on the claims of an experiment, by their first words."""
    return {sentence: verdict.rstrip(".") for sentence, (_, verdict) in _claims(name, curves).items()}


def _claims(name, curves):
    lines = claims_beside_ours(find(name).claims, curves).splitlines()
    found = {}
    for line in lines:
        if line.startswith("- "):
            sentence, _, ours = line[2:].removeprefix("The paper claims: ").partition(" Ours: ")
            found[sentence[:18]] = ours.split(" Verdict: ") if " Verdict: " in ours else (ours, "")
    return found
