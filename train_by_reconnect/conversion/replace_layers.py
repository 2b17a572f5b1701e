"""Copy a model with other layers in the place of some: functional, Sequential, subclassed, and any nesting of these."""

import tempfile
import warnings

import keras

from train_by_reconnect.backend import keras_internals
from train_by_reconnect.weights.kernels import check_built


def replace_layers(model, replace):
    """Copy a built model, with other layers in the place of some.

    A functional or Sequential model is cloned. A subclassed model or layer is made anew by its `from_config`, after
    which the layers that it holds as attributes, also in lists, tuples and dicts, are copied from the original. A layer
    that the model uses several times is copied once. All state is copied, but that of replaced layers is up to the
    caller. The model itself is left as it is; its copy is not compiled.

    Args:
        model: a built `keras.Model`.
        replace: function of a layer of the model that gives a new layer, which takes its input shape, or None for a
            copy. It is asked first for a layer and then, if that gives None, for those inside it. Layers that a layer
            creates in its `build`, or that hide inside one of Keras' own (attention, recurrent layers), are not asked
            for, but for those in `TimeDistributed`.

    Returns:
        Pair of the copy, and a list of pairs of a replaced layer and what replaced it.

    Raises:
        ValueError: the model is not built, or a subclassed part of it is not what its `from_config` makes.

    Example:

    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.ReLU()])
    >>> is_relu = lambda layer: isinstance(layer, keras.layers.ReLU)
    >>> leaky, pairs = replace_layers(model, lambda layer: keras.layers.LeakyReLU() if is_relu(layer) else None)
    >>> [type(layer).__name__ for layer in leaky.layers]
    ['Dense', 'LeakyReLU']
    """
    check_built(model)
    copies, replaced = {}, []

    def copy(layer):
        if id(layer) in copies:
            return copies[id(layer)][1]
        new = replace(layer) if isinstance(layer, keras.Layer) else None
        if new is not None:
            replaced.append((layer, new))
        elif isinstance(layer, (keras.Sequential, keras.Function)):
            new = _clone(layer, copy)
        else:
            new = copy_of_layer(layer)
            if is_searched(layer):
                _replace_attributes(layer, new, copy)
        copies[id(layer)] = (layer, new)
        return new

    own_classes = {type(layer) for layer in keras_internals.all_layers(model) if not _is_of_keras(layer)}
    with keras.saving.custom_object_scope({each.__name__: each for each in own_classes}):
        new_model = copy(model)
        pairs = [(old, new) for old, new in copies.values() if isinstance(old, keras.Layer)]
        for old, new in reversed(pairs):  # a model first: most build all inside them
            _build_alike(old, new)
    done = {id(old) for old, _ in replaced}
    known = {id(layer) for pair in pairs for layer in pair}
    for old, new in pairs:
        if id(old) not in done:
            copy_state(old, new, known)
            if not old.trainable:
                new.trainable = False
    return new_model, replaced


def is_searched(layer):
    """Whether `replace_layers` looks for layers inside this one.

    Args:
        layer: `keras.Layer`.

    Returns:
        Boolean.
    """
    models = (keras.Sequential, keras.Function, keras.layers.TimeDistributed)
    return isinstance(layer, models) or not _is_of_keras(layer)


def copy_of_layer(layer):
    """A new layer of the same configuration, without its weights.

    Args:
        layer: `keras.Layer` or another operation of a functional model.

    Returns:
        The same, not built.
    """
    # The code of a Lambda layer comes from the model at hand, not from a file.
    trusted = {"safe_mode": False} if isinstance(layer, keras.layers.Lambda) else {}
    return type(layer).from_config(layer.get_config(), **trusted)


def copy_state(layer, new, apart=()):
    """Copy all state of a layer and of the layers inside it: weights, statistics and vocabularies.

    Args:
        layer: `keras.Layer`.
        new: a layer of the same structure.
        apart: ids of the layers inside either that are left out.

    Raises:
        ValueError: they have not the same variables or layers.
    """
    state = {}
    layer.save_own_variables(state)
    new.load_own_variables(state)
    if hasattr(layer, "save_assets"):
        with tempfile.TemporaryDirectory() as folder:
            layer.save_assets(folder)
            new.load_assets(folder)
    inside, new_inside = (
        [each for each in keras_internals.layers_inside(outer) if id(each) not in apart] for outer in (layer, new)
    )
    if len(inside) != len(new_inside):
        raise _not_as_configured(layer)
    for each, new_each in zip(inside, new_inside, strict=True):
        copy_state(each, new_each, apart)


def _is_of_keras(layer):
    return type(layer).__module__.partition(".")[0] == "keras"


def _clone(model, copy):
    """Clone a functional or Sequential model."""
    inputs = None
    if isinstance(model, keras.Function):  # Keras' own copies of input layers have other names
        inputs = keras.tree.map_structure(lambda x: copy_of_layer(keras_internals.operation_of(x)).output, model.input)
    with keras_internals.as_if_not_compiled(model):
        return keras.models.clone_model(model, inputs, clone_function=copy)


def _replace_attributes(layer, new, copy):
    """Give a subclassed layer that its `from_config` made copies of the layers of the original."""
    held = {name: value for name, value in keras_internals.attributes_of(new).items() if _layers_in(value)}
    with keras_internals.replacing_layers(new, [each for value in held.values() for each in _layers_in(value)]):
        for name, value in held.items():
            try:
                setattr(new, name, _copied(getattr(layer, name), value, copy))
            except (AttributeError, KeyError, TypeError, IndexError) as error:
                raise _not_as_configured(layer) from error


def _layers_in(value):
    if isinstance(value, keras.Layer):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return []
    return [layer for each in value for layer in _layers_in(each)]


def _copied(value, made, copy):
    """The value of an attribute, with copies of the layers in it, where the one that `from_config` made has layers."""
    if isinstance(made, keras.Layer):
        if not isinstance(value, keras.Layer):
            raise TypeError(f"not a layer: {value}")
        return copy(value)
    if isinstance(made, dict):
        return {key: _copied(value[key], each, copy) for key, each in made.items()}
    if isinstance(made, (list, tuple)):
        values = [_copied(value[index], each, copy) for index, each in enumerate(made)]
        return tuple(values) if isinstance(made, tuple) else values
    return made


def _build_alike(layer, new):
    if not layer.built or new.built:
        return
    keras_internals.share_path(layer, new)
    with warnings.catch_warnings():
        # Keras warns of a model that it cannot call without data; the layers inside are built one by one then.
        warnings.filterwarnings("ignore", message="Model .* had a build config")
        new.build_from_config(layer.get_build_config())
    if isinstance(new, keras.Model):
        new.built = True


def _not_as_configured(layer):
    return ValueError(
        f"A subclassed layer or model must hold the same layers when made anew by its `from_config`. Received: "
        f"{layer.name!r} of class {type(layer).__name__}, which does not. Let its `get_config` give all arguments that "
        "decide which layers it makes in `__init__`, and make no layers afterwards."
    )
