"""Floats as unsigned integers that are ordered as they are: what is equal has the same bits, NaN and -0.0 too."""

import hashlib

import keras
import numpy as np

_UNSIGNED: dict[int, np.dtype] = {2: np.dtype("<u2"), 4: np.dtype("<u4"), 8: np.dtype("<u8")}
FLOATS = ("bfloat16", "float16", "float32", "float64")
INTEGERS = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


def numpy_dtype(name: str) -> np.dtype:
    """The dtype of arrays of that name; NumPy has no bfloat16 of its own."""
    if name == "bfloat16":
        return keras.ops.convert_to_numpy(keras.ops.zeros(1, "bfloat16")).dtype
    return np.dtype(name).newbyteorder("<") if np.dtype(name).itemsize > 1 else np.dtype(name)


def bits_of(values: np.ndarray) -> np.ndarray:
    """The bits of floats as unsigned integers."""
    return np.ascontiguousarray(values).view(_UNSIGNED[values.dtype.itemsize])


def buffer_of(values: np.ndarray) -> memoryview:
    """The bytes of an array, in its order."""
    return np.ascontiguousarray(values).reshape(-1).view(np.uint8).data


def digest_of(values: np.ndarray) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of an array's bytes."""
    return hashlib.sha256(buffer_of(values)).hexdigest()[:16]


def order_words(bits: np.ndarray) -> np.ndarray:
    """The bits of floats as integers in the order of the floats.

    >>> order_words(bits_of(np.array([-1.0, -0.0, 0.0, 1.0], "float16"))).tolist()
    [17407, 32767, 32768, 48128]
    """
    sign = sign_of(bits.dtype)
    return np.where(bits & sign, ~bits, bits | sign)


def unorder_words(words: np.ndarray) -> np.ndarray:
    """The bits again.

    >>> unorder_words(order_words(bits_of(np.array([-0.5, 2.0], "float32")))).view("float32").tolist()
    [-0.5, 2.0]
    """
    sign = sign_of(words.dtype)
    return np.where(words & sign, words ^ sign, ~words)


def sign_of(dtype: np.dtype) -> np.generic:
    """The integer of which only the bit of the sign is set."""
    return dtype.type(1 << (8 * dtype.itemsize - 1))
