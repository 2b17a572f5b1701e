"""The kernels of a SavedModel, the format of TensorFlow that Keras 3 writes with `Model.export`.

Keras 3 cannot make a model of a SavedModel, so only the variables are read: each of rank 2 or more is taken for a
kernel whose last axis numbers the neurons. That is right for `Dense` and `Conv` layers, and wrong for depthwise,
transposed and attention kernels: a SavedModel does not say which those are. Where there is a `.keras` file, use that.
"""

import keras


def load_saved_model(path):
    """Read the kernels of a SavedModel.

    Args:
        path: `pathlib.Path`, the folder.

    Returns:
        A built `keras.Layer` with a layer for each kernel, which cannot be called.

    Raises:
        ValueError: the SavedModel cannot be read, or has no variable of rank 2 or more.
    """
    try:
        import tensorflow as tf
    except ImportError as error:
        raise ValueError(
            f"A SavedModel is read by TensorFlow, which is not installed. Received: {path}. Run `pip install "
            "tensorflow`, or save the model as a .keras file."
        ) from error
    try:
        arrays = _read_variables(tf, path)
    except Exception as error:  # TensorFlow's readers raise whatever they do
        raise ValueError(
            f"{path} must be a whole SavedModel. Received: {' '.join(str(error).split())} Copy it again."
        ) from error
    arrays = [(name, array) for name, array in arrays if array.ndim > 1 and array.dtype.kind == "f"]
    if not arrays:
        raise ValueError(f"{path} must hold variables of rank 2 or more. Received: a SavedModel with none.")
    return _SavedVariables(arrays, name=path.resolve().name.replace("/", "_"))


def _read_variables(tf, path):
    """Pairs of a name and an array: Keras' names where it wrote the SavedModel, else those of the checkpoint."""
    variables = getattr(tf.saved_model.load(str(path)), "variables", None)
    if variables:
        return [(variable.name.partition(":")[0], variable.numpy()) for variable in variables]
    checkpoint = tf.train.load_checkpoint(str(path / "variables" / "variables"))
    ending = "/.ATTRIBUTES/VARIABLE_VALUE"
    keys = [key for key in checkpoint.get_variable_to_shape_map() if key.endswith(ending)]
    of_optimizer = (".OPTIMIZER_SLOT", "optimizer/_variables")  # its moments have the shapes of the kernels
    keys = sorted(key for key in keys if not any(mark in key for mark in of_optimizer))
    return [(key.removesuffix(ending), checkpoint.get_tensor(key)) for key in keys]


class _SavedVariables(keras.layers.Layer):
    """The kernels of a SavedModel, a layer for each."""

    def __init__(self, arrays, name):
        super().__init__(name=name)
        self.parts = [_SavedVariable(path, array) for path, array in arrays]
        self.built = True


class _SavedVariable(keras.layers.Layer):
    def __init__(self, path, array):
        layer, _, variable = path.rpartition("/")
        super().__init__(name=layer.replace("/", "_") or variable, trainable=False)
        self.kernel = self.add_weight(shape=array.shape, name=variable, dtype=array.dtype.name, initializer="zeros")
        self.kernel.assign(array)
        self.built = True
