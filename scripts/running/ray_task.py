"""One run as a task of Ray: what happens on a machine of the cluster. Importing this starts no backend."""

import os
import pathlib
import tempfile


def make_run(text, environment, backend, token):
    """Make one run, in the folder of results if it is seen from here, else in one of its own.

    Args:
        text: str, the run and the options, as of `scripts.running.packing.packed`.
        environment: dict of str, variables to be set before the backend is imported.
        backend: str, of Keras.
        token: str, path of a file that is there where the folder of results is seen.

    Returns:
        Dict with the parts of the `Outcome`, and `"files"`, from the relative path of each to its bytes: empty where
        the folder of results is seen.
    """
    os.environ.update(environment)
    os.environ["KERAS_BACKEND"] = backend
    from scripts.running.packing import told_of_all

    if pathlib.Path(token).exists():
        return _only(told_of_all(text)) | {"files": {}}
    with tempfile.TemporaryDirectory() as folder:
        said = _only(told_of_all(text, results=folder))
        paths = [path for path in pathlib.Path(folder).rglob("*") if path.is_file() and path.suffix != ".lock"]
        return said | {"files": {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}}


def _only(told):
    """The only thing that was told; where nothing was, another process has made the run in the meantime."""
    return told[0] if told else {"how": "done before", "summary": {}, "error": ""}
