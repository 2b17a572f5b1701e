"""Flat arrays of bits: masks and signs."""

import struct

import numpy as np

from train_by_reconnect.coding.entropy import Reader, Writer, check_codec


def bits_bound(bits: np.ndarray) -> float:
    """N H(q): the bits that n bits need of which a fraction q are ones."""
    bits = np.asarray(bits, bool)
    counts = [np.count_nonzero(bits), bits.size - np.count_nonzero(bits)]
    return float(sum(count * np.log2(bits.size / count) for count in counts if count))


def encode_bits(bits: np.ndarray, codec: str) -> bytes:
    """A flat array of bits in bytes: n H(q) bits and up to 16 bytes by `"range"`, n bits and 8 bytes by `"packed"`."""
    check_codec(codec)
    bits = np.asarray(bits, bool).ravel()
    ones = int(np.count_nonzero(bits))
    head = struct.pack("<Q", ones)
    if codec == "packed":
        return head + np.packbits(bits, bitorder="little").tobytes()
    writer = Writer()
    if 0 < ones < bits.size:
        writer.write(bits, np.full(bits.size, ones / bits.size))
    return head + writer.data()


def decode_bits(data: bytes, size: int, codec: str) -> np.ndarray:
    """The array of `size` bits that `encode_bits` wrote; a `ValueError` where the data cannot be one."""
    check_codec(codec, reading=True)
    if len(data) < 8 or (ones := struct.unpack_from("<Q", data)[0]) > size:
        raise ValueError(f"The data must begin with the number of ones among {size} bits. Received: {data[:8]!r}.")
    body = data[8:]
    if codec == "packed":
        if len(body) != -(-size // 8):
            raise ValueError(f"{size} bits must have {-(-size // 8)} bytes. Received: {len(body)} bytes.")
        unpacked = np.unpackbits(np.frombuffer(body, np.uint8), bitorder="little")
        bits = unpacked[:size].astype(bool)
        if unpacked[size:].any():
            raise ValueError("The last byte must be filled up with zeros: the file is damaged, get it once more.")
    else:
        reader = Reader(body)
        certain = ones in (0, size)
        bits = np.full(size, ones > 0) if certain else reader.read(np.full(size, ones / size)).astype(bool)
        reader.finish()
    if np.count_nonzero(bits) != ones:
        raise ValueError(f"{ones} of the bits must be ones. Received: {np.count_nonzero(bits)} ones.")
    return bits
