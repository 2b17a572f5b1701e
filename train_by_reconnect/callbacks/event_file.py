"""Named numbers in a log for TensorBoard, whatever backend trains."""

import os
import time
from collections.abc import Mapping


class EventFile:
    """A log of TensorBoard in a folder, which is made if it is not there.

    Args:
        log_dir: str or path of the folder.

    Raises:
        ImportError: the package tensorboard is not installed.
    """

    def __init__(self, log_dir: str | os.PathLike[str]) -> None:
        try:
            from tensorboard.summary.writer.event_file_writer import EventFileWriter
        except ModuleNotFoundError as error:
            raise ImportError(
                f"`log_dir` needs the package tensorboard, which is not installed. Received: log_dir={str(log_dir)!r}. "
                "Run `pip install tensorboard`, or leave it out."
            ) from error
        self._writer = EventFileWriter(os.fspath(log_dir))

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Write named numbers of one step."""
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.plugins.scalar.summary_v2 import scalar_pb

        for name, value in values.items():
            self._writer.add_event(Event(wall_time=time.time(), step=step, summary=scalar_pb(name, value)))

    def close(self) -> None:
        """Write what is left, and close the file."""
        self._writer.close()
