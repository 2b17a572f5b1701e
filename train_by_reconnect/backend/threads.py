"""Jobs of NumPy, shared between threads where there is enough to do."""

import concurrent.futures
import os
from collections.abc import Callable, Sequence

from train_by_reconnect.backend.scratch import give_back

# Fewer weights are sorted sooner by one thread.
_MANY = 1 << 18


def run(jobs: Sequence[Callable[[], None]], weights: int) -> None:
    """Do all jobs, on all cores if there is enough to do; NumPy lets other threads run while it works."""
    threads = min(_cores(), len(jobs)) if weights >= _MANY else 1
    left = iter(jobs)  # of which each thread takes the next; CPython lets one at a time do that

    def work() -> None:
        for job in left:
            job()

    if threads > 1:
        with concurrent.futures.ThreadPoolExecutor(threads - 1) as pool:
            others = [pool.submit(work) for _ in range(threads - 1)]
            work()
        for done in others:
            done.result()
    else:
        work()
    give_back()


def _cores() -> int:
    """How many this process may use: fewer where OMP_NUM_THREADS says so, as to what else runs several threads."""
    allowed = os.environ.get("OMP_NUM_THREADS", "")
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(there, int(allowed)) if allowed.isdecimal() and int(allowed) else there
