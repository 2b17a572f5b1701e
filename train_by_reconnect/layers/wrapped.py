"""Which layers of Keras can be wrapped as layers with fixed kernels."""

import keras

# The layers whose kernels are all their own; what holds other layers (attention, recurrent layers) is made of these.
LAYER_CLASSES = (
    keras.layers.Dense,
    keras.layers.EinsumDense,
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
    keras.layers.DepthwiseConv1D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv1D,
    keras.layers.SeparableConv2D,
)


def check_can_be_wrapped(layer: keras.Layer) -> None:
    """Refuse a layer that computes with more than its kernels, or that would change them."""
    if not isinstance(layer, LAYER_CLASSES):
        raise ValueError(
            f"`layer` must be one of {', '.join(each.__name__ for each in LAYER_CLASSES)}. Received: layer={layer} "
            f"of class {type(layer).__name__}. Wrap the layers inside it one by one."
        )
    for name in ("kernel_constraint", "depthwise_constraint", "pointwise_constraint"):
        if getattr(layer, name, None) is not None:
            raise ValueError(
                f"`layer` must have no constraint on a kernel, which is fixed and never updated. Received: {name}="
                f"{getattr(layer, name)} of {layer.name!r}. Leave it out."
            )
    if getattr(layer, "lora_rank", None) or getattr(layer, "quantization_mode", None):
        raise ValueError(
            f"`layer` must compute with its kernel alone. Received: layer={layer.name!r} with lora_rank="
            f"{getattr(layer, 'lora_rank', None)} and quantization_mode={layer.quantization_mode!r}. Wrap it "
            "before that is switched on."
        )
