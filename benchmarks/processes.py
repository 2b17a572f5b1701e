"""Measuring in a process of its own, where nothing else has used memory before."""

import pathlib
import re
import subprocess
import sys


def resident(field):
    """Bytes of this process in memory, as Linux tells.

    Args:
        field: `"VmRSS"` for now, `"VmHWM"` for the most there ever was.
    """
    status = pathlib.Path("/proc/self/status").read_text()
    return 1024 * int(re.search(rf"{field}:\s*(\d+) kB", status)[1])


def in_a_process(script, *arguments):
    """Run a benchmark with other arguments, in a new process.

    Args:
        script: str, path of the benchmark.
        *arguments: str, its arguments.

    Returns:
        List of str, what stood between the tabs of the last line it printed.
    """
    done = subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1].split("\t")
