"""Table 1 of connectivity training as claims: what each method reaches against the training of all weights."""

from scripts.connectivities.settings import method_of
from scripts.publishing.claims import Claim, Ours, in_points
from scripts.publishing.curves import ends
from scripts.publishing.tables import percent
from scripts.publishing.verdicts import at_most, difference


def claims(accuracies, changed=None):
    """The claims of one column of the table, which are of the He constant initialization.

    Args:
        accuracies: dict from a method to the paper's accuracy, the baseline among them.
        changed: dict from a method to what the paper says of the fraction of its connections that are changed, as a
            `Stated`. Defaults to nothing.

    Returns:
        Tuple of `Claim`.
    """
    said = [
        Claim(
            f"{method.capitalize()} reaches {percent(value)}, the training of all weights "
            f"{percent(accuracies['baseline'])} (minus baseline).",
            _against_baseline(method),
            difference(value - accuracies["baseline"]),
        )
        for method, value in accuracies.items()
        if method != "baseline"
    ]
    for method, stated in (changed or {}).items():
        many = f"about {percent(stated.number)}" if stated.number else f"at most {percent(stated.high)}"
        said.append(Claim(f"{method.capitalize()} changes {many} of the connections.", _changed(method), stated))
    return tuple(said)


# "By changing less than 10 % of the total".
FEW = {method: at_most(0.1) for method in ("minimal pruning", "minimal flipping")}


def _fields(training):
    return {"method": method_of(training), "start": training.network.initializer}


def _values(curves, measure):
    """What the runs from He constant weights ended with: a row for each method, a column for each seed."""
    runs = ends(curves, _fields).reindex(columns=["method", "start", "seed", measure])
    runs = runs[(runs["start"] == "signed_he_constant") & runs[measure].notna()]
    return runs.pivot(index="method", columns="seed", values=measure)


def _against_baseline(method):
    def measure(curves):
        values = _values(curves, "test_accuracy_at_best")
        if not {method, "baseline"} <= set(values.index):
            return {}
        return in_points((values.loc[[method]] - values.loc["baseline"]).rename({method: ""}))

    return measure


def _changed(method):
    def measure(curves):
        values = _values(curves, "changed").reindex([method]).loc[method].dropna().astype(float)
        return {"": Ours(tuple(values), percent(values.mean()))} if len(values) else {}

    return measure
