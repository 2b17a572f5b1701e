"""Times of functions that take turns, so that whatever else a machine does falls on all of them alike."""

import statistics
import time


def interleaved(functions, rounds, clock=time.perf_counter):
    """Time several functions in turn, after a call of each that does not count.

    Args:
        functions: dict from a name to a function without arguments.
        rounds: int, at least 1.
        clock: function that gives the time in seconds, or an array of several such times. Defaults to
            `time.perf_counter`.

    Returns:
        Dict from a name to the list of its seconds, one for each round.

    Example:

    >>> ticks = iter(range(10))  # each call of the clock is a second later
    >>> interleaved({"a": lambda: None, "b": lambda: None}, 2, lambda: next(ticks))
    {'a': [1, 1], 'b': [1, 1]}
    """
    seconds = {name: [] for name in functions}
    for function in functions.values():
        function()
    names = list(functions)
    for number in range(rounds):
        turn = number % len(names)  # nobody is always first, or always after the same one
        for name in names[turn:] + names[:turn]:
            start = clock()
            functions[name]()
            seconds[name].append(clock() - start)
    return seconds


def median_difference(longer, shorter):
    """The median of the differences of two lists of seconds, round by round.

    Args:
        longer: list of float.
        shorter: list of float, as many.

    Returns:
        Float.

    Example:

    >>> median_difference([5.0, 9.0, 4.0], [2.0, 5.0, 2.0])
    3.0
    """
    return statistics.median(a - b for a, b in zip(longer, shorter, strict=True))


def median_ratio(numerators, denominators):
    """The median of the ratios of two lists of seconds, round by round.

    Args:
        numerators: list of float.
        denominators: list of float, as many.

    Returns:
        Float.

    Example:

    >>> median_ratio([4.0, 9.0, 4.0], [2.0, 3.0, 1.0])
    3.0
    """
    return statistics.median(a / b for a, b in zip(numerators, denominators, strict=True))
