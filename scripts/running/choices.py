"""A choice among names, checked where it is declared."""

import difflib


def check_choice(setting, value, allowed):
    """Refuse a name that is none of those allowed.

    Args:
        setting: str, what is chosen.
        value: the choice.
        allowed: iterable of str, or of None for "none of them".

    Raises:
        ValueError: it is none of these.

    Example:

    >>> check_choice("optimizer", "adma", ("adam", "sgd"))
    Traceback (most recent call last):
    ValueError: `optimizer` must be one of 'adam', 'sgd'. Received: optimizer='adma'. Did you mean 'adam'?
    """
    allowed = list(allowed)
    if value in allowed:
        return
    near = difflib.get_close_matches(str(value), [str(each) for each in allowed], 1)
    advice = f"Did you mean {near[0]!r}?" if near else "Choose one of them."
    raise ValueError(
        f"`{setting}` must be one of {', '.join(map(repr, allowed))}. Received: {setting}={value!r}. {advice}"
    )
