"""What is written is what TensorBoard reads."""

import sys

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

from train_by_reconnect.callbacks.event_file import EventFile


def read(folder):
    """The numbers of each name, by step."""
    events = EventAccumulator(str(folder)).Reload()
    names = events.Tags()["tensors"]
    return {
        name: {event.step: float(tensor_util.make_ndarray(event.tensor_proto)) for event in events.Tensors(name)}
        for name in names
    }


def test_numbers_by_name_and_step(tmp_path):
    log = EventFile(tmp_path / "a" / "b")  # folders that are not there yet
    log.write(3, {"first": 0.5, "second": -2})
    log.write(10, {"first": 0.25})
    log.close()
    assert read(tmp_path / "a" / "b") == {"first": {3: 0.5, 10: 0.25}, "second": {3: -2.0}}


def test_they_are_scalars_to_tensorboard(tmp_path):
    log = EventFile(tmp_path)
    log.write(1, {"number": 1.0})
    log.close()
    metadata = EventAccumulator(str(tmp_path)).Reload().SummaryMetadata("number")
    assert metadata.plugin_data.plugin_name == "scalars"


def test_two_logs_of_one_folder_are_read_as_one(tmp_path):
    for step in (1, 2):
        log = EventFile(tmp_path)
        log.write(step, {"number": step / 2})
        log.close()
    files = list(tmp_path.glob("events*"))
    assert len(files) == 2
    assert sorted(value for file in files for value in read(file)["number"].values()) == [0.5, 1.0]


def test_without_tensorboard(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard.summary.writer.event_file_writer", None)
    with pytest.raises(ImportError, match=r"`log_dir` needs the package tensorboard.* Received: log_dir=.*Run `pip"):
        EventFile(tmp_path)
