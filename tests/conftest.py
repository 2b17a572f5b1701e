"""What several tests share: where the reference data lies, and small models."""

import contextlib
import gc
import os
import pathlib
import subprocess
import sys

import keras
import pytest
from backends import BACKEND

ROOT = pathlib.Path(__file__).resolve().parent.parent
REFERENCE = pathlib.Path(os.environ.get("TRAIN_BY_RECONNECT_REFERENCE", ROOT.parent / "shared"))

# Programs, which tests start in processes of their own.
collect_ignore_glob = ["*/replicas*.py", "*/sharded.py", "*/save_*.py", "*/ray_nodes.py"]
if BACKEND != "tensorflow":
    collect_ignore_glob.append("reference/*")

# What the imports made stays for good: without it every collection of garbage is several times faster. Collecting as
# often as Python would by itself is a good part of the time of these tests, which make models by the thousand.
gc.freeze()
gc.set_threshold(50_000, 20, 100)

# The processes of pytest-xdist share the cores. Of the backends only PyTorch's threads hinder each other there.
if BACKEND == "torch":
    import torch

    torch.set_num_threads(max(1, torch.get_num_threads() // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))))


def _reference(*parts):
    path = REFERENCE.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"needs {'/'.join(parts)} in the folder of reference data, which is not beside the project")
    return path


@pytest.fixture(autouse=True)
def fresh_keras():
    """Each test starts from the same seed, the float32 policy and without the graphs of the test before."""
    keras.utils.set_random_seed(0)
    yield
    keras.config.set_dtype_policy("float32")
    keras.backend.clear_session(free_memory=False)  # a collection of garbage would cost a fifth of a second


@pytest.fixture(autouse=True, scope="module")
def no_garbage():
    """Models are full of reference cycles; collected after every file, not after every test, which would be slow."""
    yield
    gc.collect()
    gc.freeze()  # what a file leaves behind, its modules and caches, stays too


@pytest.fixture(scope="session")
def killed_before():
    """A context in which a run is killed when an epoch begins, whatever trains in it."""
    from scripts.running.checkpoint import SeedEveryEpoch

    @contextlib.contextmanager
    def killed(epoch):
        usual = SeedEveryEpoch.on_epoch_begin

        def kill(self, now, logs=None):
            if now == epoch:
                raise KeyboardInterrupt
            usual(self, now, logs)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(SeedEveryEpoch, "on_epoch_begin", kill)
            with pytest.raises(KeyboardInterrupt):
                yield

    return killed


@pytest.fixture(scope="session")
def redeclare():
    """A function that makes a finished run stand for that of another declared training."""
    from scripts.running.declaration import declaration
    from scripts.running.files import write_json
    from scripts.running.runner import Options

    def redeclare(folder, training, seed=0):
        write_json(folder / "declaration.json", declaration(training, seed, Options()))

    return redeclare


@pytest.fixture(scope="session")
def data_directory():
    """Folder with `mnist.npz` and `fashion_mnist.npz` in Keras' layout."""
    return _reference("data", "mnist.npz").parent


@pytest.fixture(scope="session")
def pretrained_directory():
    """Folder with the weights the authors of LaPerm published."""
    return _reference("pretrained", "Conv7.h5").parent


@pytest.fixture(scope="session")
def fixtures_directory():
    """Folder with recorded answers of the original code."""
    return _reference("fixtures", "laperm_original_sync.npz").parent


@pytest.fixture(scope="session")
def cifar10_directory(tmp_path_factory):
    """Folder with `cifar10.npz`: all training images and the first 1,000 test images."""
    _reference("data", "cifar10")
    directory = tmp_path_factory.mktemp("cifar10")
    tool = _reference("tools", "make_cifar10.py")
    subprocess.run([sys.executable, str(tool), str(directory)], check=True, capture_output=True)
    return directory
