"""`--fail-if "plain<0.5"`: which layers meet a condition."""

import difflib
import operator
import re
from collections.abc import Mapping, Sequence
from typing import Any

_OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def check_condition(text: str) -> tuple[str, str, float]:
    """A condition as its column, operator and limit.

    Raises:
        ValueError: it is none.

    >>> check_condition("plain <= 0.5")
    ('plain', '<=', 0.5)
    """
    found = re.fullmatch(r"\s*(\w+)\s*(<=|>=|<|>)\s*(\S+)\s*", text)
    try:
        column, sign, limit = found.groups() if found else ("", "", "no number")
        return column, sign, float(limit)
    except ValueError as error:
        raise ValueError(
            f"`--fail-if` takes a column, one of {', '.join(_OPERATORS)} and a number. Received: {text!r}. Write e.g. "
            '--fail-if "plain<0.5".'
        ) from error


def meeting(rows: Sequence[Mapping[str, Any]], condition: str) -> list[str]:
    """A line for each row that meets a condition; a number that is nan meets none.

    Raises:
        ValueError: it is no condition, or there is no such column of numbers.

    >>> meeting([{"name": "a", "plain": 0.25}, {"name": "b", "plain": 0.75}], "plain<0.5")
    ['a: plain is 0.25, which is < 0.5']
    """
    column, sign, limit = check_condition(condition)
    known = [key for key, value in rows[0].items() if isinstance(value, (int, float))]
    if column not in known:
        near = difflib.get_close_matches(column, known, 5, 0.5)
        raise ValueError(
            f"`--fail-if` must name a column of numbers. Received: {condition!r}. "
            + (f"Did you mean {' or '.join(near)}? " if near else "")
            + f"There are: {', '.join(known)}."
        )
    return [
        f"{row['name']}: {column} is {row[column]:.6g}, which is {sign} {limit:g}"
        for row in rows
        if _OPERATORS[sign](row[column], limit)
    ]
