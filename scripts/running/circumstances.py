"""Where and when a number was measured."""

import datetime
import os
import pathlib
import platform
import re

import numpy as np

from scripts.running.device import accelerators, versions


def circumstances():
    """The date, the kind of machine and the versions, to stand beside every measured number.

    Returns:
        Dict of str.

    Example:

    >>> sorted(circumstances())
    ['date', 'machine', 'versions']
    """
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": machine(),
        "versions": versions(),
    }


def machine():
    """The kind of machine.

    Returns:
        Str, e.g. `"2 cores of AMD EPYC, NumPy with AVX-512"`: what NumPy may use decides how fast it sorts.

    Example:

    >>> len(machine()) > 0
    True
    """
    if names := accelerators():
        return ", ".join(names)
    cpu = platform.processor() or platform.machine()
    information = pathlib.Path("/proc/cpuinfo")
    if information.exists():
        found = re.search(r"model name\s*:\s*(.+)", information.read_text())
        cpu = found.group(1).strip() if found else cpu
    return f"{os.cpu_count()} cores of {cpu}, NumPy with {_instructions()}"


def _instructions():
    """The widest instruction set that NumPy uses, e.g. `"AVX-512"`."""
    sets = np.show_config(mode="dicts")["SIMD Extensions"]
    # Newer versions name the levels of x86-64, older ones single extensions.
    for name, parts in {"AVX-512": ("X86_V4", "AVX512"), "AVX2": ("X86_V3", "AVX2")}.items():
        if any(each.startswith(parts) for each in [*sets["baseline"], *sets.get("found", [])]):
            return name
    return ", ".join([*sets["baseline"], *sets.get("found", [])])
