"""PyTorch's files without PyTorch: nothing of a pickle is executed, and a tensor is what PyTorch would make of it."""

import builtins
import collections
import pickle
import zipfile

import ml_dtypes
import numpy as np
import pytest
from backends import only_on
from stored import Global, Storage, write_torch

from train_by_reconnect.instrument.sources import open_source

RANDOM = np.random.default_rng(0)


def state_dict():
    return collections.OrderedDict(
        [
            ("fc.weight", RANDOM.normal(size=(5, 7)).astype("float32")),
            ("fc.bias", np.zeros(5, "float32")),
            ("steps", np.array(3)),
            ("up.weight", RANDOM.normal(size=(3, 8, 2, 2))),
            ("up.bias", np.zeros(8)),
        ]
    )


def test_reads_a_state_dict(tmp_path):
    weights = state_dict()
    source = open_source(write_torch(tmp_path / "x.pt", weights))
    assert source.kind == "PyTorch file"
    assert [tensor.name for tensor in source.tensors] == list(weights)
    assert [(tensor.name, tensor.unit_axes) for tensor in source.profiled] == [("fc.weight", (0,)), ("up.weight", (1,))]
    for tensor in source.profiled:
        np.testing.assert_array_equal(tensor.read(), weights[tensor.name])
        assert isinstance(tensor.read().base, np.memmap)


def test_finds_the_state_dict_of_a_checkpoint_and_tells_the_optimizer(tmp_path):
    moments = {"state": {0: {"exp_avg": np.ones((5, 7), "float32")}}, "param_groups": [{"lr": 0.1, "params": [0]}]}
    value = {"epoch": 3, "model": {"state_dict": state_dict()}, "optimizer": moments, "names": {"a", "b"}}
    source = open_source(write_torch(tmp_path / "x.bin", value))
    assert [tensor.name for tensor in source.profiled] == ["model.state_dict.fc.weight", "model.state_dict.up.weight"]
    [moment] = [tensor for tensor in source.tensors if tensor.name.startswith("optimizer")]
    assert "optimizer" in moment.skipped


def test_reads_views_of_a_storage(tmp_path):
    transposed = np.arange(12, dtype="float32").reshape(3, 4).T
    part = Global("torch._utils", "_rebuild_tensor_v2", Storage(np.arange(12.0), "9"), 5, (2, 2), (4, 2), False, {})
    source = open_source(write_torch(tmp_path / "x.pt", {"a.weight": transposed, "b.weight": part}))
    np.testing.assert_array_equal(source.profiled[0].read(), transposed)
    assert source.profiled[1].read().tolist() == [[5, 7], [9, 11]]  # from 5 on, every 4th and every 2nd


def test_bfloat16_becomes_float32(tmp_path):
    weights = RANDOM.normal(size=(5, 7)).astype(ml_dtypes.bfloat16)
    [tensor] = open_source(write_torch(tmp_path / "x.pt", {"a.weight": weights})).profiled
    assert tensor.dtype == "bfloat16"
    np.testing.assert_array_equal(tensor.read(), weights.astype("float32"))


class Runs:
    """What a pickle that executes code is: here it would leave a mark."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def leave_mark(path):
    open(path, "w").close()


@pytest.mark.parametrize("as_zip", [True, False])
@pytest.mark.parametrize("function", [leave_mark, builtins.exec, eval, builtins.open, getattr])
def test_a_pickle_that_would_execute_code_is_refused_and_executes_nothing(tmp_path, function, as_zip):
    mark = tmp_path / "mark"
    code = f"open({str(mark)!r}, 'w')"
    arguments = {leave_mark: (str(mark),), builtins.open: (str(mark), "w"), getattr: ("", "upper")}
    pickled = pickle.dumps({"a.weight": Runs(function, *arguments.get(function, (code,)))}, protocol=2)
    path = tmp_path / "x.pt"
    if as_zip:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", pickled)
    else:
        path.write_bytes(pickled)
    with pytest.raises(ValueError, match="was not executed") as caught:
        open_source(path)
    assert function.__name__ in str(caught.value)
    assert not mark.exists()
    if function is leave_mark:  # and it is one that would
        pickle.loads(pickled)
        assert mark.exists()


@pytest.mark.parametrize(
    "part",
    [("torch.nn.modules.linear", "Linear"), ("torch", "load"), ("torch.serialization", "load"), ("os", "system")],
)
def test_refuses_whatever_is_no_part_of_a_state_dict(tmp_path, part):
    path = write_torch(tmp_path / "x.pt", {"a": Global(*part, "x")})
    with pytest.raises(ValueError, match=f"calls {part[0]}.{part[1]}"):
        open_source(path)


def test_what_a_pickle_sets_on_a_known_name_stays_with_that_pickle(tmp_path):
    # BUILD on the function itself: {"poisoned": True} becomes its state.
    pickled = b"\x80\x02ctorch._utils\n_rebuild_parameter\n}X\x08\x00\x00\x00poisonedq\x00\x88sb."
    path = tmp_path / "x.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
    with pytest.raises(ValueError, match="holds tensors"):
        open_source(path)
    from train_by_reconnect.instrument import torch_pickles

    assert not any(hasattr(each, "poisoned") for each in torch_pickles._KNOWN.values())


@pytest.mark.parametrize("kept", [0.05, 0.3, 0.6, 0.95])
def test_refuses_half_a_file(tmp_path, kept):
    path = write_torch(tmp_path / "x.pt", state_dict())
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(ValueError, match=r"x.pt must be .* Received: "):
        open_source(path)


@pytest.mark.parametrize("name", ["empty", "short", "missing"])
def test_refuses_storages_that_are_not_what_the_pickle_says(tmp_path, name):
    storages = {"empty": {"0": np.zeros(0)}, "short": {"0": np.zeros(34, "float32")}, "missing": {}}[name]
    path = write_torch(tmp_path / "x.pt", {"a.weight": np.ones((5, 7), "float32")}, storages)
    with pytest.raises(ValueError, match="must be a whole PyTorch file"):
        open_source(path)


@pytest.mark.parametrize("shape", [(1 << 40, 1 << 20), (-5, 7), (5, 8)])
def test_refuses_a_tensor_larger_than_its_storage(tmp_path, shape):
    storage = Storage(np.ones((5, 7), "float32"), "0")
    view = Global("torch._utils", "_rebuild_tensor_v2", storage, 0, shape, (7, 1), False, {})
    with pytest.raises(ValueError, match="must be a whole PyTorch file"):
        open_source(write_torch(tmp_path / "x.pt", {"a.weight": view}))


def test_refuses_a_compressed_archive(tmp_path):
    plain, packed = write_torch(tmp_path / "x.pt", state_dict()), tmp_path / "y.pt"
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    with pytest.raises(ValueError, match="compresses"):
        open_source(packed)


def test_a_circle_in_a_checkpoint_ends(tmp_path):
    pickled = b"\x80\x02}q\x00X\x04\x00\x00\x00selfh\x00s."
    path = tmp_path / "x.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
    with pytest.raises(ValueError, match=r"holds tensors. Received: a pickle of dict"):
        open_source(path)


def test_doubling_upon_doubling_ends(tmp_path):
    nested = [np.ones((5, 7), "float32")]
    for _ in range(60):  # 2^60 ways to the tensor
        nested = [nested, nested]
    source = open_source(write_torch(tmp_path / "x.pt", {"a": nested, "b.weight": np.ones((5, 7), "float32")}))
    assert len(source.tensors) == 2


@only_on("torch", "it writes what is read here")
@pytest.mark.parametrize("as_zip", [True, False])
def test_reads_what_pytorch_writes(tmp_path, as_zip):
    import torch

    layers = [torch.nn.Linear(7, 5), torch.nn.ConvTranspose2d(3, 8, 2), torch.nn.LSTM(4, 3), torch.nn.Embedding(9, 2)]
    net = torch.nn.ModuleList(layers)
    tied = torch.arange(24.0).reshape(4, 6)
    value = {
        "net": net.state_dict(),
        "parameter": torch.nn.Parameter(torch.ones(2, 3)),
        "part.weight": tied[1:, ::2],
        "half.weight": tied.half(),
        "brain.weight": tied.bfloat16(),
        "device": torch.device("cpu"),
        "dtype": torch.float32,
        "size": tied.shape,
    }
    path = tmp_path / "x.pth"
    torch.save(value, path, _use_new_zipfile_serialization=as_zip)
    found = {tensor.name: tensor for tensor in open_source(path).tensors}
    expected = {**{f"net.{name}": each for name, each in net.state_dict().items()}}
    expected |= {name: value[name] for name in ("parameter", "part.weight", "half.weight", "brain.weight")}
    assert set(found) == set(expected)
    for name, tensor in expected.items():
        np.testing.assert_array_equal(found[name].read(), tensor.detach().float().numpy())
    assert [found[f"net.{name}"].unit_axes for name in ("0.weight", "1.weight", "2.weight_hh_l0", "3.weight")] == [
        *((0,), (1,), (0,), (0,))
    ]


@only_on("torch", "it writes what is read here")
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning", "ignore:`torch.jit:FutureWarning")  # of 2.14
def test_reads_a_torchscript_archive(tmp_path):
    import torch

    net = torch.nn.Sequential(torch.nn.Linear(7, 5), torch.nn.ReLU(), torch.nn.Linear(5, 2))
    torch.jit.trace(net, torch.ones(1, 7)).save(tmp_path / "x.pt")
    found = {tensor.name: tensor for tensor in open_source(tmp_path / "x.pt").profiled}
    assert {name: tensor.shape for name, tensor in found.items()} == {"0.weight": (5, 7), "2.weight": (2, 5)}
    np.testing.assert_array_equal(found["2.weight"].read(), net[2].weight.detach().numpy())
