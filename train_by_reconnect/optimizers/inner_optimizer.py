"""What may be inside an optimizer around another, and which arguments belong there; anything else is refused."""

from typing import Any

import keras

# Arguments of `keras.optimizers.Optimizer` that would act on the wrapper's own, empty update.
_BELONG_TO_INNER = (
    "weight_decay",
    "clipnorm",
    "clipvalue",
    "global_clipnorm",
    "use_ema",
    "ema_momentum",
    "ema_overwrite_frequency",
    "loss_scale_factor",
    "learning_rate",
)


def get_inner(wrapper: keras.optimizers.Optimizer, inner_optimizer: Any) -> keras.optimizers.Optimizer:
    """The optimizer that a wrapper was given, by itself, its name or its config."""
    own = type(wrapper).__name__
    cause: Exception | None = None
    try:
        inner = keras.optimizers.get(inner_optimizer)
    except (ValueError, TypeError) as error:
        inner, cause = None, error
    if inner is None:
        raise ValueError(
            f"{own} expects a `keras.optimizers.Optimizer`, the name of one or its config. "
            f'Received: inner_optimizer={inner_optimizer!r}. Pass e.g. `keras.optimizers.Adam()` or "adam".'
        ) from cause
    if isinstance(inner, keras.optimizers.LossScaleOptimizer):
        raise ValueError(
            f"{own} must be inside a `LossScaleOptimizer`, so that a skipped step does not count. Received: "
            f"inner_optimizer={inner!r}. Use `LossScaleOptimizer({own}(...))`, or leave it to mixed precision."
        )
    if type(inner) is type(wrapper):
        raise ValueError(
            f"{own} around {own} would act on the weights twice. Received: inner_optimizer={inner!r}. Pass its "
            "`inner_optimizer`, and set what you need on the outer one."
        )
    refuse_accumulation(wrapper, inner.gradient_accumulation_steps)
    return inner


def refuse_arguments(wrapper: keras.optimizers.Optimizer, arguments: dict[str, Any]) -> None:
    """Say of each argument that a wrapper does not take where it belongs."""
    own = type(wrapper).__name__
    for argument, value in arguments.items():
        if argument == "gradient_accumulation_steps":
            raise ValueError(_no_accumulation(own, value))
        if argument in _BELONG_TO_INNER:
            raise ValueError(
                f"{own} does not take `{argument}`. Received: {argument}={value}. Set it on the `inner_optimizer`."
            )
        raise ValueError(
            f"{own} has no argument `{argument}`. Received: {argument}={value}. "
            f"Leave it out; `help({own})` lists the arguments."
        )


def refuse_accumulation(wrapper: keras.optimizers.Optimizer, steps: int | None) -> None:
    """Refuse to accumulate gradients, whose steps are not those that a wrapper counts."""
    if steps:
        raise ValueError(_no_accumulation(type(wrapper).__name__, steps))


def _no_accumulation(own: str, steps: Any) -> str:
    return (
        f"{own} counts completed steps and does not work with gradient accumulation. Received: "
        f"gradient_accumulation_steps={steps}. Use a larger batch, or accumulate in a `train_step` of your own."
    )
