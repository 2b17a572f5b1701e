"""Files of weights as other frameworks write them, written here without those."""

import collections
import io
import json
import pickle
import struct
import zipfile

import numpy as np

STORAGES = {
    "float32": "FloatStorage",
    "float64": "DoubleStorage",
    "int64": "LongStorage",
    "bfloat16": "BFloat16Storage",
}
SAFE = {"float32": "F32", "float64": "F64", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int8": "I8"}


def write_safetensors(path, arrays, metadata=None):
    """As its format page says: the length of the header, the header, the numbers."""
    header, numbers = {"__metadata__": metadata} if metadata else {}, b""
    for name, array in arrays.items():
        place = [len(numbers), len(numbers) + array.nbytes]
        kind = SAFE.get(array.dtype.name, array.dtype.name.upper())
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": place}
        numbers += array.tobytes()
    return write_safetensors_header(path, json.dumps(header).encode(), numbers)


def write_safetensors_header(path, header, numbers=b""):
    path.write_bytes(struct.pack("<Q", len(header)) + header + numbers)
    return path


class Global:
    """Something that a pickle names, perhaps of a module that is not here, and what it is called with."""

    def __init__(self, module, name, *arguments):
        self.module, self.name, self.arguments = module, name, arguments


class Storage:
    def __init__(self, array, key):
        self.array, self.key = array, key


class TorchPickler(pickle._Pickler):
    """Writes names of modules that are not there; tensors are arrays, each in a storage of its own."""

    def __init__(self, file):
        super().__init__(file, protocol=2)
        self.storages = {}

    def persistent_id(self, each):
        if isinstance(each, Storage):
            self.storages[each.key] = each.array
            kind = Global("torch", STORAGES[each.array.dtype.name])
            return ("storage", kind, each.key, "cpu", each.array.size)
        return None

    def save(self, each, *rest, **options):
        if isinstance(each, np.ndarray):
            strides = tuple(stride // each.itemsize for stride in each.strides)
            storage = Storage(each.ravel(order="K"), str(len(self.storages)))  # as it lies in memory
            hooks = collections.OrderedDict()
            each = Global("torch._utils", "_rebuild_tensor_v2", storage, 0, each.shape, strides, False, hooks)
        if isinstance(each, Global):
            self.write(f"c{each.module}\n{each.name}\n".encode())
            if each.arguments:
                self.save(tuple(each.arguments))
                self.write(pickle.REDUCE)
            return
        super().save(each, *rest, **options)


def write_torch(path, value, storages=None):
    """As `torch.save` of version 1.6 and later; `storages` replaces the numbers that belong to it."""
    pickled = io.BytesIO()
    pickler = TorchPickler(pickled)
    pickler.dump(value)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled.getvalue())
        archive.writestr("archive/byteorder", b"little")
        for key, array in (pickler.storages if storages is None else storages).items():
            archive.writestr(f"archive/data/{key}", array.tobytes())
    return path
