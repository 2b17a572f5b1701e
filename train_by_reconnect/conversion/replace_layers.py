"""Copy a model with other layers in the place of some: functional, Sequential, subclassed, and any nesting of these."""

import tempfile
import warnings
from collections.abc import Callable, Collection
from typing import Any

import keras

from train_by_reconnect.backend import keras_copies, keras_layers
from train_by_reconnect.conversion.configurations import configurations_given, refuse_incomplete_configurations
from train_by_reconnect.weights.kernels import check_built


def replace_layers(
    model: keras.Model, replace: Callable[[keras.Layer], keras.Layer | None]
) -> tuple[keras.Model, list[tuple[keras.Layer, keras.Layer]]]:
    """Copy a built model, with other layers in the place of some.

    A functional or Sequential model is cloned; of a subclass of these, the copy is one too. Any other subclassed model
    or layer is made anew by its `from_config`, after which the layers that it holds as attributes, also in lists,
    tuples and dicts, are copied from the original; the copy cannot be saved whole if its configuration does not tell of
    the replaced ones. A layer that the model uses several times is copied once. All state is copied, except that of
    replaced layers. The model itself is left as it is; its copy is not compiled.

    Args:
        model: a built `keras.Model`.
        replace: function of a layer of the model that gives a new layer, which takes its input shape, or None for a
            copy. It is called with a layer first and then, if it gives None, with those inside it; but not with layers
            that a layer creates in its `build`, nor with those inside one of Keras' own (attention, recurrent layers)
            other than `TimeDistributed`.

    Returns:
        Pair of the copy, and a list of pairs of a replaced layer and what replaced it.

    Raises:
        ValueError: the model is not built; a subclassed part of it differs from what its `from_config` makes; or a
            subclass of a functional or Sequential model has both an `__init__` and other methods of Keras of its own.

    Example:

    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.ReLU()])
    >>> is_relu = lambda layer: isinstance(layer, keras.layers.ReLU)
    >>> leaky, pairs = replace_layers(model, lambda layer: keras.layers.LeakyReLU() if is_relu(layer) else None)
    >>> [type(layer).__name__ for layer in leaky.layers]
    ['Dense', 'LeakyReLU']
    """
    check_built(model)
    copies: dict[int, tuple[Any, Any]] = {}
    replaced: list[tuple[keras.Layer, keras.Layer]] = []

    def copy(layer: Any) -> Any:
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

    own_classes = {type(layer) for layer in keras_layers.all_layers(model) if not is_of_keras(type(layer))}
    with (
        keras.saving.custom_object_scope({each.__name__: each for each in own_classes}),
        configurations_given(keras_layers.all_layers(model)),
    ):
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
    own = [new for old, new in pairs if id(old) not in done and not is_of_keras(type(new))]
    refuse_incomplete_configurations(own, [new for _, new in replaced], own_classes)
    return new_model, replaced


def is_searched(layer: keras.Layer) -> bool:
    """Whether `replace_layers` looks for layers inside this one."""
    models = (keras.Sequential, keras.Function, keras.layers.TimeDistributed)
    return isinstance(layer, models) or not is_of_keras(type(layer))


def copy_of_layer(layer: Any) -> Any:
    """A new layer, or other operation of a functional model, of the same configuration and not built."""
    # The code of a Lambda layer comes from the model at hand, not from a file.
    trusted = {"safe_mode": False} if isinstance(layer, keras.layers.Lambda) else {}
    return type(layer).from_config(layer.get_config(), **trusted)


def copy_state(layer: keras.Layer, new: keras.Layer, apart: Collection[int] = ()) -> None:
    """Copy weights, statistics and vocabularies, except for layers inside with an id in `apart`."""
    state: dict[str, Any] = {}
    layer.save_own_variables(state)
    # Copies: on JAX two variables would share an array, and the training of one model would take it from the other.
    new.load_own_variables({key: keras.ops.convert_to_numpy(value) for key, value in state.items()})
    if hasattr(layer, "save_assets"):
        with tempfile.TemporaryDirectory() as folder:
            layer.save_assets(folder)
            new.load_assets(folder)
    inside, new_inside = (
        [each for each in keras_layers.layers_inside(outer) if id(each) not in apart] for outer in (layer, new)
    )
    if len(inside) != len(new_inside):
        raise _not_as_configured(layer)
    for each, new_each in zip(inside, new_inside, strict=True):
        copy_state(each, new_each, apart)


def is_of_keras(thing: Any) -> bool:
    """Whether a class or function is Keras' own."""
    return thing.__module__.partition(".")[0] == "keras"


def _clone(model: Any, copy: Callable[[Any], Any]) -> keras.Model:
    """Clone a functional or Sequential model; a subclass that behaves as its class says stays one."""
    own_classes = [each for each in type(model).__mro__ if not is_of_keras(each) and issubclass(each, keras.Model)]
    has_own_init = any("__init__" in vars(each) for each in own_classes)
    own_methods = {name for each in own_classes for name in vars(each) if not name.startswith("__")}
    changed = sorted(own_methods & set(dir(keras.Model)) - {"get_config", "from_config"})
    if has_own_init and changed:
        raise ValueError(
            "A subclass of a functional or Sequential model must take the arguments of these, to be copied with other "
            f"layers. Received: {model.name!r} of class {type(model).__name__}, which has an `__init__` and "
            f"{', '.join(changed)} of its own. Leave out its `__init__`, and give it its layers when it is made."
        )
    inputs = None
    if isinstance(model, keras.Function):  # Keras' own copies of input layers have other names
        inputs = keras.tree.map_structure(lambda x: copy_of_layer(keras_copies.operation_of(x)).output, model.input)
    with keras_copies.as_if_not_compiled(model):
        new = keras.models.clone_model(model, inputs, clone_function=copy)
    if type(new) is type(model) or has_own_init:
        return new
    return type(model)(keras_layers.layers_inside(new), name=new.name, trainable=new.trainable)


def _replace_attributes(layer: keras.Layer, new: keras.Layer, copy: Callable[[Any], Any]) -> None:
    """Give a subclassed layer that its `from_config` made copies of the layers of the original."""
    held = {name: value for name, value in keras_copies.attributes_of(new).items() if _layers_in(value)}
    with keras_copies.replacing_layers(new, [each for value in held.values() for each in _layers_in(value)]):
        for name, value in held.items():
            try:
                setattr(new, name, _copied(getattr(layer, name), value, copy))
            except (AttributeError, KeyError, TypeError, IndexError) as error:
                raise _not_as_configured(layer) from error


def _layers_in(value: Any) -> list[keras.Layer]:
    if isinstance(value, keras.Layer):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return []
    return [layer for each in value for layer in _layers_in(each)]


def _copied(value: Any, made: Any, copy: Callable[[Any], Any]) -> Any:
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


def _build_alike(layer: keras.Layer, new: keras.Layer) -> None:
    if not layer.built or new.built:
        return
    keras_copies.share_path(layer, new)
    with warnings.catch_warnings():
        # Keras warns of a model that it cannot call without data; the layers inside are built one by one then.
        warnings.filterwarnings("ignore", message="Model .* had a build config")
        new.build_from_config(layer.get_build_config())
    if isinstance(new, keras.Model):
        new.built = True


def _not_as_configured(layer: keras.Layer) -> ValueError:
    return ValueError(
        f"A subclassed layer or model must hold the same layers when made anew by its `from_config`. Received: "
        f"{layer.name!r} of class {type(layer).__name__}, which does not. Let its `get_config` give all arguments that "
        "decide which layers it makes in `__init__`, and make no layers afterwards."
    )
