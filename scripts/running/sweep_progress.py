"""How far a whole sweep is, whoever makes its runs: one display for all of them."""

import sys
import time

import tqdm

from scripts.running.progress_file import progress_of


class SweepProgress:
    """One bar for all runs, or without a terminal a line every minute.

    Args:
        jobs: list of `scripts.running.sweep.Job`.
        options: `scripts.running.runner.Options`; its `progress` says whether anything is shown.
        clock: function that gives the time in seconds. Defaults to `time.monotonic`.
        seconds: float, between two lines. Defaults to 60.
    """

    def __init__(self, jobs, options, clock=time.monotonic, seconds=60):
        self.jobs, self.options, self.clock, self.seconds = jobs, options, clock, seconds
        self._bar, self._last = None, clock()

    def __enter__(self):
        if self.options.progress and sys.stderr.isatty():
            form = "{l_bar}{bar}| {n:.1f}/{total} runs [{elapsed}<{remaining}{postfix}]"
            self._bar = tqdm.tqdm(total=len(self.jobs), bar_format=form, dynamic_ncols=True, leave=False)
        return self

    def __exit__(self, *exception):
        if self._bar is not None:
            self._bar.close()

    def clear(self):
        """Make room for a line of somebody else's."""
        if self._bar is not None:
            self._bar.clear()

    def show(self):
        """Look at the runs, and show how far they are if it is time."""
        is_time = self._bar is not None or (self.options.progress and self.clock() - self._last >= self.seconds)
        if not is_time:
            return
        self._last = self.clock()
        results = self.options.results
        done = [job.is_done(results) for job in self.jobs]
        parts = {
            f"{job.training.label}, seed {job.seed}": part
            for job, is_done in zip(self.jobs, done, strict=True)
            if not is_done and (part := progress_of(job.folder(results))[0])
        }
        running = "; ".join(f"{which}: {100 * part:.0f} %" for which, part in parts.items())
        if self._bar is None:
            tqdm.tqdm.write(f"{sum(done)} of {len(done)} runs are done; {running}")
        else:
            self._bar.n = sum(done) + sum(parts.values())
            self._bar.set_postfix_str(running)
