"""Conv4 on CIFAR-10: is the similarity of weight profiles desirable?

Claim: from initial weights whose weight vectors are dissimilar, LaPerm is "still able to learn but show[s] degraded
performance" (Qiu and Suda 2020, section 7, preliminary experiments without figures).

Command: `python -m scripts run laperm_dissimilar --data DIR`; then `python -m scripts figure laperm_dissimilar`.

Settings of `laperm_fig6`, k = 1000. The paper does not say how its weights were made dissimilar; here each weight
vector of He uniform weights is multiplied by a factor between 1 / spread and spread, and each kernel then keeps its
root mean square (see `train_by_reconnect.make_dissimilar`). Batch normalization after each hidden layer makes the
initial network's answers depend little on these factors; what they change is how far the optimizer's steps, of one size
for all weights, move a weight vector among its own values. Adam starts from the same weights. The laptop size is a
quarter as wide, without dropout, has 7,000 images and 9 epochs, half of `laperm_fig6`'s. The quick size is a small
Conv2 on digits.
"""

from scripts.experiment import Experiment
from scripts.laperm.draw_accuracies import accuracies_over
from scripts.laperm.initial_weights import MakeDissimilar
from scripts.laperm.observers import InitialSimilarity
from scripts.laperm.runs import CHANCE, final_means, final_values, only
from scripts.laperm.settings import ADAM, laperm, observed_by
from scripts.laperm.sizes import conv4_of_fig6, sync_periods
from scripts.laperm.tables import differences, minus, table
from scripts.publishing.claims import Claim, Ours, Remark, in_points
from scripts.publishing.tables import percent
from scripts.publishing.verdicts import BELOW, CLEARLY_ABOVE


def _trainings(size, spreads):
    (k,) = sync_periods(size, (1000,))
    for name, method in (("LaPerm", laperm(k)), ("Adam", ADAM)):
        for spread in spreads:
            start = {"initial_weights": (MakeDissimilar(float(spread)),)}
            label = f"{name}, spread = {spread}"
            yield conv4_of_fig6(label, size, start, method, observed_by(InitialSimilarity()))


def _against_similar(curves):
    """Minus spread = 1."""
    values = final_values(curves, "spread")
    return minus(values.drop(1), values.loc[1], "spread = {}") if 1 in values.index else values.iloc[:0]


def _of_laperm(curves):
    return in_points(_against_similar(only(curves, method="LaPerm")))


def _of_adam(curves):
    return differences(_against_similar(only(curves, method="Adam")).mean(axis=1))


def _learned(curves):
    """How far LaPerm is above chance."""
    values = final_values(only(curves, method="LaPerm"), "spread")
    return {
        f"spread = {spread}": Ours(tuple(each.dropna() - CHANCE), percent(each.mean()))
        for spread, each in values.iterrows()
        if spread != 1
    }


def _similarity(curves):
    """How similar the weight profiles are at the start: the mean over all kernels."""
    means = final_means(only(curves, method="LaPerm"), "spread", "initial_similarity")
    return "; ".join(f"spread = {spread}: {mean:.2f}" for spread, mean in means.items())


EXPERIMENT = Experiment(
    claim="From weight vectors that are not similar, LaPerm still learns, but less well.",
    trainings={
        "quick": tuple(_trainings("quick", (1, 16))),
        "laptop": tuple(_trainings("laptop", (1, 4, 16, 64))),
        "paper": tuple(_trainings("paper", (1, 2, 4, 16, 64))),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": (0, 1, 2)},
    draw=accuracies_over(
        "initial weight vectors of different scales",
        "spread",
        "spread: largest factor of a scale",
        lambda known: known["method"],
    ),
    table=table({}, sync_period=False),
    claims=(
        Remark("How similar the initial weight profiles are (1 is the same, mean over kernels).", _similarity),
        Claim("From dissimilar weight vectors LaPerm still learns (test accuracy).", _learned, CLEARLY_ABOVE),
        Claim("But it learns less well from them (minus spread = 1).", _of_laperm, BELOW),
        Remark("Of Adam the paper says nothing (minus spread = 1).", _of_adam),
    ),
)
