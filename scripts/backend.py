"""Which backend Keras runs on, as the command line says it: chosen before Keras is imported."""

import importlib.util
import os
import sys

BACKENDS = ("tensorflow", "jax", "torch")


def choose_backend(name):
    """Let Keras run on a backend, or on its own default for None.

    Args:
        name: str, of `BACKENDS`, or None.

    Raises:
        ValueError: it is not installed, `KERAS_BACKEND` says otherwise, or Keras runs on another one already.
    """
    if name is None:
        return
    asked = os.environ.get("KERAS_BACKEND")
    if asked and asked != name:
        raise ValueError(
            f"`--backend` and KERAS_BACKEND must agree. Received: --backend {name}, KERAS_BACKEND={asked}. Leave one "
            "of them out."
        )
    if "keras" in sys.modules:
        running = sys.modules["keras"].backend.backend()
        if running != name:
            raise ValueError(
                f"The backend must be chosen before Keras is imported. Received: --backend {name}, while Keras runs on "
                f"{running}. Start a new process."
            )
    elif importlib.util.find_spec(name) is None:
        raise ValueError(
            f"The backend must be installed. Received: --backend {name}, and there is no {name} here. Run `pip install "
            f'"train-by-reconnect[{name}]"`, or choose another one of {", ".join(BACKENDS)}.'
        )
    else:
        os.environ["KERAS_BACKEND"] = name  # for the processes that this one starts too
