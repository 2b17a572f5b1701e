"""Layers whose kernels stay as they are: a factor for each weight is trained instead."""

from collections.abc import Callable, Sequence
from typing import Any, Self

import keras

from train_by_reconnect.backend import keras_layers
from train_by_reconnect.backend.chosen import backend_of_keras
from train_by_reconnect.backend.types import Identifier, Tensor
from train_by_reconnect.layers.initializers import PositiveUniform
from train_by_reconnect.layers.wrapped import LAYER_CLASSES, check_can_be_wrapped
from train_by_reconnect.weights.layouts import Layout, describe_layer


class FixedKernels(keras.layers.Wrapper):
    """A layer whose kernels never change, each multiplied by a function of trained scores, one for every weight.

    The base of `Masked`, `Signed`, `SignedMask`, `EdgePopup` and `BernoulliMask`, which say what the factor is: the
    layer computes with the kernel `w * factor(t)`. The kernel is stored once; the product exists during a step only.

    Strides, padding, dilation, groups, activation, masks of sequences and the dtype policy are those of the wrapped
    layer. Its `kernel_regularizer` and `activity_regularizer` apply, the first at each call to the kernel that the
    layer computes with; a constraint is refused, as nothing updates a fixed kernel. A bias stays fixed too unless
    `train_bias`.

    Args:
        layer: a `keras.layers` Dense, EinsumDense, Conv1D/2D/3D, Conv1D/2D/3DTranspose, DepthwiseConv1D/2D or
            SeparableConv1D/2D, built or not.
        train_bias: bool, whether the bias is trained. Defaults to `False`.
        score_initializer: whatever `keras.initializers.get` takes. Defaults to `PositiveUniform()`.
        score_regularizer: whatever `keras.regularizers.get` takes, e.g. `MinimalChange()`, or a list of such, one for
            each kernel. Defaults to None.
        **kwargs: `name` and `trainable`, as for any layer. The name defaults to that of `layer`.

    Input and output shapes: those of `layer`.

    Raises:
        ValueError: `layer` is none of these, has a constraint on its kernel, has LoRA factors or is quantized.
    """

    def __init__(
        self,
        layer: keras.Layer,
        *,
        train_bias: bool = False,
        score_initializer: Identifier = None,
        score_regularizer: Identifier | Sequence[Identifier] = None,
        **kwargs: Any,
    ) -> None:
        backend_of_keras()  # it may have been changed since
        check_can_be_wrapped(layer)
        kwargs.setdefault("name", layer.name)
        # The wrapped layer casts by its own policy; scores and product keep the precision of the kernel.
        super().__init__(layer, **{**kwargs, "dtype": layer.variable_dtype, "autocast": False})
        self.train_bias = train_bias
        self.score_initializer = keras.initializers.get(score_initializer or PositiveUniform())
        self.score_regularizer: Any
        if isinstance(score_regularizer, (list, tuple)):
            self.score_regularizer = [keras.regularizers.get(each) for each in score_regularizer]
        else:
            self.score_regularizer = keras.regularizers.get(score_regularizer)
        self.supports_masking = layer.supports_masking
        setattr(layer, "quantize", self.quantize)  # noqa: B010  # Keras quantizes the layers inside one by one

    @classmethod
    def of(cls, layer_class: Callable[..., keras.Layer], **arguments: Any) -> Callable[..., Self]:
        """Give a function that makes such layers, without a bias unless told otherwise.

        It takes the arguments of `layer_class`, so it can stand wherever an architecture takes a class of layers.

        Args:
            layer_class: class, e.g. `keras.layers.Conv2D`.
            **arguments: for this class.

        Returns:
            Function of the arguments of `layer_class`, with `use_bias=False` by default.

        Example:

        >>> from train_by_reconnect import Masked
        >>> masked_dense = Masked.of(keras.layers.Dense)
        >>> masked_dense(300, activation="relu").layer.use_bias
        False
        """

        def make(*args: Any, use_bias: bool = False, **kwargs: Any) -> Any:
            return cls(layer_class(*args, use_bias=use_bias, **kwargs), **arguments)

        return make

    def build(self, input_shape: Any = None) -> None:
        """Build the layer, and a score for every weight of its kernels."""
        super().build(input_shape)
        self.scores = [
            self.add_weight(
                shape=kernel.shape,
                initializer=_own(self.score_initializer),
                regularizer=regularizer,
                autocast=False,
                name=kernel.name.replace("kernel", "scores"),
            )
            for kernel, regularizer in zip(self.kernels, self._regularizers(), strict=True)
        ]
        self._fix()

    def call(self, inputs: Tensor) -> Tensor:
        """Compute the layer with its effective kernels."""
        effective = {}
        for kernel, values in zip(self.kernels, self.effective_kernels(), strict=True):
            effective[id(kernel)] = values
            if kernel.regularizer is not None and self.trainable:
                self.add_loss(kernel.regularizer(values))
        # All weights are handed over, as a scope around this one would else be hidden from the layer.
        state = [(variable, effective.get(id(variable), variable.value)) for variable in self.layer.weights]
        with keras.StatelessScope(state, collect_losses=True) as scope:
            # A subclass may ask in its `call` for more than inputs, e.g. whether it is trained.
            is_known = type(self.layer) in LAYER_CLASSES
            outputs = keras_layers.call_within(self.layer, inputs) if is_known else self.layer(inputs)
        # From here on they are this layer's; both would count in a scope around this one.
        keras_layers.forget_losses(self.layer)
        for loss in scope.losses:
            self.add_loss(loss)
        return outputs

    @property
    def kernels(self) -> list[keras.Variable]:
        """The fixed kernels, as list of `keras.Variable`: one, or two of a separable convolution."""
        return [variable for variable, layout in describe_layer(self.layer) if layout.kind == "kernel"]

    def effective_kernels(self) -> list[Tensor]:
        """The kernels that the layer computes with.

        Returns:
            List of tensors, one for each kernel, of its shape and dtype.
        """
        pairs = zip(self.kernels, self.scores, strict=True)
        return [self.effective_kernel(kernel.value, scores.value) for kernel, scores in pairs]

    def effective_kernel(self, kernel: Tensor, scores: Tensor) -> Tensor:
        """`kernel * factor(scores)`; a subclass may know a faster way.

        Args:
            kernel: tensor.
            scores: tensor of its shape and dtype.

        Returns:
            Tensor of this shape and dtype, with the gradient that is to reach the scores.
        """
        return kernel * self.factor(scores)

    def factor(self, scores: Tensor) -> Tensor:
        """What a kernel is multiplied by; a subclass defines it.

        Args:
            scores: tensor.

        Returns:
            Tensor of the shape and dtype of `scores`, with the gradient that is to reach the scores.
        """
        raise NotImplementedError

    def is_changed(self, scores: Tensor) -> Tensor:
        """Which connections are not what they were before training; a subclass defines it.

        Args:
            scores: tensor.

        Returns:
            Boolean tensor of the shape of `scores`.
        """
        raise NotImplementedError

    def quantize(self, mode: Any = None, type_check: bool = True, config: Any = None) -> None:
        """Refuse: a kernel of integer codes cannot be multiplied by what the scores say.

        Args:
            mode: str.
            type_check: bool.
            config: `keras.quantizers.QuantizationConfig` or None.

        Raises:
            ValueError: always.
        """
        raise ValueError(
            "A layer to be quantized must not have fixed kernels, whose scores need the weights themselves. Received: "
            f"mode={mode!r} for {self.name!r} of class {type(self).__name__}. `strip` the model first, and quantize "
            "what it gives."
        )

    def set_score_regularizers(self, regularizers: list[keras.Regularizer | None]) -> None:
        """Set a regularizer for the scores of each kernel; a model must be compiled anew afterwards.

        Args:
            regularizers: list of `keras.Regularizer` or None, one for each kernel.
        """
        self.score_regularizer = regularizers
        for scores, regularizer in zip(self.scores, self._regularizers(), strict=True):
            scores.regularizer = regularizer

    def _regularizers(self) -> list[keras.Regularizer | None]:
        several = isinstance(self.score_regularizer, (list, tuple))
        return self.score_regularizer if several else [self.score_regularizer] * len(self.kernels)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The output shape of the wrapped layer."""
        return self.layer.compute_output_shape(input_shape)

    @property  # type: ignore[misc]  # Keras' own can be set too
    def input_spec(self) -> Any:
        """The input specification of the wrapped layer."""
        return self.layer.input_spec

    @property
    def trainable(self) -> bool:
        """Whether the scores, and the bias if `train_bias`, are trained; the kernels never are."""
        return super().trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        keras_layers.set_trainable(self, value)
        if self.built:
            self._fix()

    def _fix(self) -> None:
        """Take from training what stays fixed; Keras sets all variables of a layer at once."""
        fixed = {id(kernel) for kernel in self.kernels}
        for variable in self.layer.weights:
            variable.trainable = self.trainable and self.train_bias and id(variable) not in fixed

    def get_config(self) -> dict[str, Any]:
        """The arguments of this layer and the wrapped layer's configuration."""
        return {
            **super().get_config(),
            "train_bias": self.train_bias,
            "score_initializer": keras.initializers.serialize(self.score_initializer),
            "score_regularizer": keras.saving.serialize_keras_object(self.score_regularizer),
        }


# Their kernels are the wrapped layer's, which describes them itself.
@describe_layer.register(FixedKernels)
def _(layer: FixedKernels) -> list[tuple[keras.Variable, Layout]]:
    return [(scores, Layout("scores", None)) for scores in getattr(layer, "scores", [])]


def _own(initializer: Callable[..., Any]) -> Callable[..., Any]:
    """An initializer for one variable: two kernels of a layer must not draw the same scores."""
    return initializer.clone() if isinstance(initializer, keras.initializers.Initializer) else initializer
