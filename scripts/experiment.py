"""The declaration of an experiment: what a file in `scripts/experiments` says, and nothing it does."""

import collections.abc
import dataclasses
import difflib
import importlib
import pkgutil

from scripts import experiments

SIZES = ("quick", "laptop", "overnight", "paper")


@dataclasses.dataclass(frozen=True)
class Experiment:
    """One figure or table of a paper: which trainings it takes, and how to draw them.

    Args:
        claim: str, what the paper's figure says, in a sentence or two; or what is asked here, where no paper does.
        trainings: dict from a size (`"quick"`: seconds; `"laptop"`: two cores; `"overnight"`: two cores for
            about ten hours at most; `"paper"`: the paper's settings) to a list of declared trainings, one for each
            curve: frozen dataclasses.
        seeds: dict from a size to the default seeds.
        draw: function of the `Figure` of matplotlib and the list of `Curve` that draws the picture.
        paper: dict from the label of a curve to the paper's number and how the paper picked it, as text.
        default_size: the size of the README. Defaults to `"laptop"`.
        rows: function of the list of `Curve` that gives the rows of the published CSV, as list of dict. Defaults to
            None: all evaluations.
        table: function of the list of `Curve` that gives the published table, in Markdown; the columns of the paper's
            numbers have names that begin with "paper". Defaults to None: the accuracies.
        claims: tuple of `scripts.publishing.claims.Claim` and `Remark`, printed below the table.
        headlines: tuple of `scripts.publishing.headlines.Headline`, what the README shows of it. Defaults to none.
        in_paper: bool, whether the claim is a paper's. Defaults to `True`.
        more_pictures: dict from the name of a further picture to the function that draws it, as `draw`.
    """

    claim: str
    trainings: collections.abc.Mapping
    seeds: collections.abc.Mapping
    draw: collections.abc.Callable
    paper: collections.abc.Mapping = dataclasses.field(default_factory=dict)
    default_size: str = "laptop"
    rows: collections.abc.Callable | None = None
    table: collections.abc.Callable | None = None
    claims: tuple = ()
    headlines: tuple = ()
    in_paper: bool = True
    more_pictures: collections.abc.Mapping = dataclasses.field(default_factory=dict)

    @property
    def opening(self):
        """The claim with whose it is, as pages and lists begin."""
        return f"The paper claims: {self.claim}" if self.in_paper else f"Asked here: {self.claim}"


def names():
    """The names of all experiments: the files in `scripts/experiments`.

    Returns:
        Sorted list of str.

    Example:

    >>> "quickstart" in names()
    True
    """
    return sorted(module.name for module in pkgutil.iter_modules(experiments.__path__))


def find(name):
    """The declaration of one experiment.

    Args:
        name: str, one of `names()`.

    Returns:
        `Experiment`.

    Raises:
        ValueError: there is none of that name.

    Example:

    >>> sorted(find("quickstart").trainings)
    ['laptop', 'quick']
    """
    if name not in names():
        near = difflib.get_close_matches(name, names(), 3)
        advice = f"Did you mean {' or '.join(near)}?" if near else f"Choose one of: {', '.join(names())}."
        raise ValueError(f"There is no such experiment. Received: {name!r}. {advice}")
    return importlib.import_module(f"scripts.experiments.{name}").EXPERIMENT


def trainings_of(name, size):
    """The trainings of one experiment at one size.

    Args:
        name: str, one of `names()`.
        size: str, a size that the experiment declares.

    Returns:
        List of declared trainings.

    Raises:
        ValueError: the experiment has no such size.
    """
    declared = find(name).trainings
    if size not in declared:
        raise ValueError(f"{name} has no such size. Received: --size {size}. Choose one of: {', '.join(declared)}.")
    return declared[size]
