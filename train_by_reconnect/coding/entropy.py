"""The range coder of constriction, which is an extra, and the words that it reads and writes."""

import importlib
import importlib.util
from typing import Any, Literal

import numpy as np

Codec = Literal["range", "packed"]


def default_codec() -> str:
    """`"range"` where constriction can be imported, `"packed"` elsewhere."""
    try:
        importlib.import_module("constriction")
    except ImportError:
        return "packed"
    return "range"


def check_codec(codec: str, reading: bool = False) -> None:
    """Refuse a codec that does not exist or is only read, or that needs what is not installed."""
    if codec not in ("range", "packed") and not (reading and codec == "splitting"):
        raise ValueError(f'`codec` must be "range" or "packed". Received: codec={codec!r}.')
    if codec != "packed" and default_codec() != "range":
        raise ValueError(
            f"The codec {codec!r} needs the package constriction, which cannot be imported. Received: codec={codec!r}. "
            "Install it by `pip install train-by-reconnect[coding]`."
        )


class Writer:
    """Bits, each with its probability, and integers, each below its limit, to bytes."""

    def __init__(self) -> None:
        stream = importlib.import_module("constriction").stream
        self._coder: Any = stream.queue.RangeEncoder()
        self._family: Any = stream.model.Bernoulli(perfect=False)
        self._below: Any = stream.model.Uniform()

    def write(self, bits: np.ndarray, probabilities: np.ndarray) -> None:
        """Append bits, each with the probability (float64, between 0 and 1) that it is a one."""
        if bits.size:
            self._coder.encode(bits.astype(np.int32), self._family, probabilities)

    def write_below(self, numbers: np.ndarray, limits: np.ndarray) -> None:
        """Append integers, each of any value below its limit (from 2 to 2**24)."""
        if numbers.size:
            self._coder.encode(numbers.astype(np.int32), self._below, limits.astype(np.int32))

    def data(self) -> bytes:
        """The words written so far."""
        return self._coder.get_compressed().astype("<u4").tobytes()


class Reader:
    """Bytes to bits and integers, whose probabilities and limits are those of the writer."""

    def __init__(self, data: bytes) -> None:
        if len(data) % 4:
            raise ValueError(f"Coded data must be whole words of 4 bytes. Received: len(data)={len(data)}.")
        stream = importlib.import_module("constriction").stream
        self._family: Any = stream.model.Bernoulli(perfect=False)
        self._below: Any = stream.model.Uniform()
        self._coder: Any = self._guarded(stream.queue.RangeDecoder, np.frombuffer(data, "<u4").astype(np.uint32))

    def read(self, probabilities: np.ndarray) -> np.ndarray:
        """The next bits, as int32."""
        if not probabilities.size:
            return np.zeros(0, np.int32)
        return self._guarded(self._coder.decode, self._family, probabilities)

    def read_below(self, limits: np.ndarray) -> np.ndarray:
        """The next integers, as int32."""
        if not limits.size:
            return np.zeros(0, np.int32)
        return self._guarded(self._coder.decode, self._below, limits.astype(np.int32))

    def finish(self) -> None:
        """Refuse data that goes on after the last symbol."""
        if not self._coder.maybe_exhausted():
            raise ValueError("Coded data goes on after its last symbol: the file is damaged, get it once more.")

    def _guarded(self, call: Any, *args: Any) -> Any:
        """What a call of constriction returns, its refusals and panics turned into a `ValueError`."""
        try:
            return call(*args)
        except (KeyboardInterrupt, SystemExit, MemoryError):
            raise
        except BaseException as error:  # a panic of constriction is no `Exception`
            raise ValueError(f"Coded data cannot be read: the file is damaged, get it once more ({error}).") from None
