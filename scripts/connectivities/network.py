"""A network of which the connectivity is trained: its weights stay, and a score for each masks or flips it."""

import dataclasses
import functools

import keras

from scripts.running.choices import check_choice
from scripts.running.network import Network
from train_by_reconnect import BernoulliMask, EdgePopup, SignedMask, connectivity_model, remove_weights

MODES = ("prune", "flip", "prune_and_flip", "edge_popup", "bernoulli")
_EDGE_POPUP_L2 = 5e-5  # the gradient of the authors' weight decay of 1e-4


@dataclasses.dataclass(frozen=True)
class ConnectivityNetwork(Network):
    """An architecture whose random weights stay as they are while masks or signs of them are trained.

    Args:
        name: str, a function of `models`, and the next three as in `Network`.
        mode: str, of `MODES`. Defaults to `"prune"`.
        objective: `"free"` or `"minimal"`; minimal for `"prune"` and `"flip"`. Defaults to `"free"`.
        average: `"network"` or `"layer"`, over what a minimal objective averages. Defaults to `"network"`.
        rescale: bool, divide the masks of `"prune"` by the fraction of weights kept. Defaults to `False`.
        sparsity: float, of `"edge_popup"`; None for all others.
        remove_weights: bool, train with weights of +-1, on images that are multiplied by the weights' magnitudes
            instead. Defaults to `False`.
    """

    mode: str = "prune"
    objective: str = "free"
    average: str = "network"
    rescale: bool = False
    sparsity: float | None = None
    remove_weights: bool = False

    def __post_init__(self):
        """Refuse names that nothing has, and settings that the mode would ignore."""
        super().__post_init__()
        check_choice("mode", self.mode, MODES)
        check_choice("objective", self.objective, ("free", "minimal"))
        check_choice("average", self.average, ("network", "layer"))
        for setting, default, has_meaning, purpose in (
            ("objective", "free", self.mode in ("prune", "flip"), "mode 'prune' or 'flip'"),
            ("average", "network", self.objective == "minimal", "a minimal objective"),
            ("rescale", False, self.mode == "prune", "mode 'prune'"),
        ):
            if getattr(self, setting) != default and not has_meaning:
                raise ValueError(
                    f"`{setting}` is for {purpose}. Received: {setting}={getattr(self, setting)!r}, "
                    f"mode={self.mode!r}, objective={self.objective!r}. Leave it out."
                )
        if (self.sparsity is None) == (self.mode == "edge_popup"):
            raise ValueError(
                "`sparsity` is what edge-popup must know, and it alone. Received: "
                f"sparsity={self.sparsity}, mode={self.mode!r}. Set it for 'edge_popup' and for no other mode."
            )

    @property
    def has_one_magnitude(self):
        """Whether the weights of a layer differ in their signs only, and so can be removed after the training."""
        return self.mode in ("prune", "flip") and self.initializer == "signed_he_constant" and not self.remove_weights

    def build(self, loaded, seed):
        """As `Network.build`; where the weights are removed, the images are multiplied in place."""
        model = self._converted(super().build(loaded, seed), seed)
        if self.remove_weights:
            model, scale = remove_weights(model)
            for images in (loaded.x_train, loaded.x_val, loaded.x_test):
                images *= scale
        return model

    def _converted(self, model, seed):
        if self.mode == "edge_popup":
            decay = keras.regularizers.L2(_EDGE_POPUP_L2)
            wrap = functools.partial(EdgePopup, sparsity=self.sparsity, score_regularizer=decay)
            return connectivity_model(model, wrap, seed=seed)
        if self.mode == "bernoulli":
            return connectivity_model(model, BernoulliMask, seed=seed)
        options = {"average": self.average, "rescale": self.rescale}
        return connectivity_model(model, self.mode, self.objective, **options, seed=seed)


@dataclasses.dataclass(frozen=True)
class SignedMaskNetwork(ConnectivityNetwork):
    """A network of which each connection is kept, masked or flipped.

    How many are masked follows from where the scores start and how wide the range is in which they mask: where it is
    wide beside what the training moves them by, it stays near the fraction of the start.

    Args:
        mode: str, `"prune_and_flip"`; this and all before as in `ConnectivityNetwork`.
        masked_range: float, as in `SignedMask`. Defaults to 0.1.
        masked_at_start: float above 0 and up to 1, the fraction of connections that are masked before the first step;
            of the others half are flipped. Defaults to None: all connections are as they were.
    """

    mode: str = "prune_and_flip"
    masked_range: float = 0.1
    masked_at_start: float | None = None

    def __post_init__(self):
        """Refuse other modes, and what is no fraction."""
        super().__post_init__()
        check_choice("mode", self.mode, ("prune_and_flip",))
        if self.masked_at_start is not None and not 0 < self.masked_at_start <= 1:
            raise ValueError(
                "`masked_at_start` is a fraction above 0 and up to 1, or None. Received: "
                f"masked_at_start={self.masked_at_start!r}. Write 0.9 to begin with a tenth of the connections."
            )

    def _converted(self, model, seed):
        wrap = functools.partial(SignedMask, masked_range=self.masked_range, score_initializer=self._scores())
        return connectivity_model(model, wrap, seed=seed)

    def _scores(self):
        """Uniform around the middle of what masks, so far to both sides that the fraction is as declared."""
        if self.masked_at_start is None:
            return None
        middle, reach = -self.masked_range / 2, self.masked_range / self.masked_at_start / 2
        return keras.initializers.RandomUniform(middle - reach, middle + reach)
