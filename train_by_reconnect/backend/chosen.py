"""Which backend Keras runs on, and what to say where it is none that can train, or another than one expects."""

import os

_CAN_TRAIN = ("tensorflow", "jax", "torch")


def backend_of_keras() -> str:
    """The backend that Keras runs on.

    Raises:
        ImportError: it is not installed, is one that cannot train, or `KERAS_BACKEND` was set too late.
    """
    asked = os.environ.get("KERAS_BACKEND")
    if asked and asked not in _CAN_TRAIN:
        raise ImportError(_cannot_train(asked))
    received = f"KERAS_BACKEND={asked}" if asked else "no KERAS_BACKEND, for which Keras takes its own default"
    try:
        import keras
    except ModuleNotFoundError as error:
        if error.name not in _CAN_TRAIN:
            raise
        raise ImportError(
            f"train_by_reconnect needs a backend of Keras, and {error.name} is not installed. Received: {received}. "
            f'Run `pip install "train-by-reconnect[{error.name}]"`, or set KERAS_BACKEND to one that is there: '
            "tensorflow, jax or torch."
        ) from error
    name = str(keras.backend.backend())
    if name not in _CAN_TRAIN:
        raise ImportError(_cannot_train(name))
    if asked and asked != name:
        raise ImportError(
            f"The backend must be chosen before Keras is imported. Received: {received}, while Keras runs on {name}. "
            "Set it at the very start, or start anew."
        )
    return name


def _cannot_train(name: str) -> str:
    return (
        f"train_by_reconnect needs a backend of Keras that can train. Received: {name!r}. Set KERAS_BACKEND to "
        "tensorflow, jax or torch before Keras is imported."
    )
