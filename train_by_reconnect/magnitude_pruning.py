"""Magnitude pruning of a trained network in one shot, and its further training with the zeros in place."""

import keras
import numpy as np
from keras import ops

from train_by_reconnect.initial_weights import kernels_of, reports_of
from train_by_reconnect.laperm import LaPerm


def prune_by_magnitude(model, sparsity, *, scope="layer", output_sparsity=None):
    """Set the weights of the smallest magnitude to zero. Biases and normalization layers are left alone.

    Exactly `round(sparsity * size)` weights are pruned, of each kernel or of all together; weights that are zero
    already count, and of equal magnitudes the first ones are pruned.

    Args:
        model: a built `keras.Model`.
        sparsity: float, the fraction of zeros, from 0 to 1.
        scope: `"layer"`, the fraction is of each kernel; or `"network"`, it is of all kernels together, and the
            magnitudes of different layers compete. Defaults to `"layer"`.
        output_sparsity: float or None, a fraction of its own for the output layer, which is the last kernel in the
            order of `model.trainable_variables`. Frankle and Carbin prune it at half the rate of the others. Defaults
            to None, the output layer is like the others.

    Returns:
        List of `KernelReport`, one for each kernel.

    Raises:
        ValueError: a fraction outside 0 to 1, an unknown scope, or a model that is not built.

    Example:

    >>> model = keras.Sequential([keras.Input((10,)), keras.layers.Dense(5), keras.layers.Dense(4)])
    >>> [report.sparsity for report in prune_by_magnitude(model, 0.8, output_sparsity=0.4)]
    [0.8, 0.4]

    Reference:
        Han et al. 2015, "Learning both Weights and Connections for Efficient Neural Networks", section 3;
        Frankle and Carbin 2019, "The Lottery Ticket Hypothesis", section 2 (one shot, the output layer).
    """
    for name, value in (("sparsity", sparsity), ("output_sparsity", output_sparsity)):
        if value is not None and not 0 <= value <= 1:
            raise ValueError(
                f"`{name}` is a fraction of zeros, from 0 to 1. Received: {name}={value}. Write 0.9 for 90 %."
            )
    if scope not in ("layer", "network"):
        raise ValueError(f'`scope` must be "layer" or "network". Received: scope={scope!r}. Choose one of them.')
    kernels = [kernel for kernel, _ in kernels_of(model)]
    alike, output = (kernels, []) if output_sparsity is None else (kernels[:-1], kernels[-1:])
    groups = [alike] if scope == "network" else [[kernel] for kernel in alike]
    for group in filter(None, groups):
        _prune(group, sparsity)
    if output:
        _prune(output, output_sparsity)
    return reports_of(kernels)


def _prune(kernels, sparsity):
    """Prune a fraction of all weights of these kernels together."""
    values = [kernel.numpy() for kernel in kernels]
    magnitudes = np.concatenate([np.abs(value).ravel() for value in values])
    is_pruned = np.zeros(magnitudes.size, bool)
    is_pruned[np.argsort(magnitudes, kind="stable")[: round(sparsity * magnitudes.size)]] = True
    parts = np.split(is_pruned, np.cumsum([value.size for value in values])[:-1])
    for kernel, value, part in zip(kernels, values, parts, strict=True):
        value[part.reshape(value.shape)] = 0
        kernel.assign(value)


class KeepZeros(keras.callbacks.Callback):
    """Keep every weight of a kernel at zero that is zero when training begins, with any optimizer.

    For training on after `prune_by_magnitude` or `sparsify`. The zeros are put back inside each train step, right
    after the update, as a `kernel_constraint` is; so neither momentum nor weight decay nor moving averages bring one
    back. A constraint that a kernel has already is applied first.

    During `fit` there is one byte more for each weight. Nothing is left on the model afterwards and nothing needs to be
    saved: the zeros are in the weights, and the next `fit`, resumed or not, finds them there.

    Three things to know: a kernel initialized with zeros would never learn; norms of gradients (for clipping) include
    those of the zeros; during training the optimizer's own moving averages (`use_ema`) are not exactly 0 there, but
    after `fit` the weights are.

    Raises:
        ValueError: the optimizer is `LaPerm`, which moves zeros as it moves any weight.

    Example:

    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    >>> reports = prune_by_magnitude(model, 0.5)
    >>> model.compile(optimizer="adam", loss="mse")
    >>> history = model.fit(np.ones((8, 4)), np.ones((8, 2)), callbacks=[KeepZeros()], verbose=0)
    >>> int((model.get_weights()[0] == 0).sum())
    4

    Reference:
        Han et al. 2015, section 3.
    """

    def on_train_begin(self, logs=None):
        """Refuse an optimizer that moves zeros."""
        optimizer = self.model.optimizer
        while optimizer is not None and not isinstance(optimizer, LaPerm):
            optimizer = getattr(optimizer, "inner_optimizer", None)
        if optimizer is not None:
            raise ValueError(
                f"`KeepZeros` expects an optimizer that leaves weights where they are. Received: {optimizer.name!r}, "
                "which permutes them, zeros too. Leave this callback out."
            )
        self._former = None

    def on_epoch_begin(self, epoch, logs=None):
        """Look for zeros at the first epoch: by then a resumed training has its weights back."""
        if self._former is not None:
            return
        kernels = [kernel for kernel, _ in kernels_of(self.model)]
        self._former = [(kernel, kernel.constraint) for kernel in kernels]
        for kernel in kernels:
            kernel.constraint = _keeping_zeros(kernel)
        self.model.make_train_function(force=True)  # a step that is compiled already knows no constraint

    def on_train_end(self, logs=None):
        """Put the zeros back once more, after moving averages have become the weights, and leave no trace."""
        for kernel, former in self._former or []:
            kernel.assign(kernel.constraint(kernel))
            kernel.constraint = former
        self.model.make_train_function(force=True)


def _keeping_zeros(kernel):
    """A constraint: what the kernel's own one makes of the weights, and 0 where the kernel is 0 now."""
    is_kept = ops.convert_to_tensor(kernel.numpy() != 0)
    own = kernel.constraint

    def constrain(weights):
        constrained = ops.convert_to_tensor(weights if own is None else own(weights))
        return ops.where(is_kept, constrained, ops.zeros_like(constrained))

    return constrain
