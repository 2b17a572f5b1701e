"""Records: one small file for each finished run, from which figures and tables are drawn again without training.

A record holds the run's declaration, its summary, its evaluations and whatever else its observers wrote for tables and
pictures, but no weights. Records are committed; the folders of runs, which hold weights, are not. Where a run's folder
is missing its record is unpacked in its place.
"""

import pathlib
import zipfile

from scripts.running.files import replacing

_ALWAYS = ("declaration.json", "done.json", "rows.csv")
_RUNS, _RECORDS = "runs", "records"


def keep_record(training, folder):
    """Write the record of a finished run.

    Args:
        training: `scripts.running.training.Training`, whose observers name in `files` what they wrote.
        folder: `pathlib.Path` of the run, as of `scripts.running.runner.folder_of`.

    Returns:
        `pathlib.Path` of the record.
    """
    names = [*_ALWAYS, *(name for part in training.observers for name in getattr(part, "files", ()))]
    path = record_of(folder)
    with replacing(path) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in names:
            # Without the time of writing: the same run has the same record.
            archive.writestr(zipfile.ZipInfo(name), (folder / name).read_bytes(), zipfile.ZIP_DEFLATED)
    return path


def record_of(folder):
    """Where the record of the run in a folder is, or would be: `pathlib.Path`.

    >>> record_of(pathlib.Path("results/runs/quickstart/quick/adam/seed_0")).as_posix()
    'results/records/quickstart/quick/adam/seed_0.zip'
    """
    return _other_tree(folder, _RUNS, _RECORDS).with_suffix(".zip")


def unpack_records(folder):
    """Unpack the records of runs that have no folder.

    Args:
        folder: `pathlib.Path`, below which the runs are looked for, e.g. that of an experiment's size.
    """
    for path in sorted(_other_tree(folder, _RUNS, _RECORDS).glob("*/seed_*.zip")):
        run = _other_tree(path, _RECORDS, _RUNS).with_suffix("")
        if (run / "done.json").exists():
            continue
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                # A run that was cut here lies behind the record: it is done.
                with replacing(run / pathlib.PurePath(name).name) as partial:
                    partial.write_bytes(archive.read(name))


def _other_tree(path, old, new):
    """The same place below `new` as below the innermost folder named `old`."""
    parts = list(path.parts)
    parts[len(parts) - 1 - parts[::-1].index(old)] = new
    return pathlib.Path(*parts)
