"""JSON in a section of a file: deflated, of a limited size and depth, so that none is a bomb."""

import json
import zlib
from typing import Any

MAX_BYTES = 8 * 2**20
MAX_DEPTH = 64


def pack_json(content: Any) -> bytes:
    """JSON as bytes: 4 with its size, then the deflated text.

    >>> unpack_json(pack_json({"a": [1, None]}))
    {'a': [1, None]}
    """
    text = json.dumps(content, separators=(",", ":")).encode()
    _check_size(len(text))
    _check_depth(content)
    return len(text).to_bytes(4, "little") + zlib.compress(text, 9)


def unpack_json(data: bytes | memoryview) -> Any:
    """What `pack_json` packed; a ValueError says what is wrong with it."""
    size = int.from_bytes(data[:4], "little")
    _check_size(size)
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(data[4:], size + 1)
    except zlib.error as error:
        raise ValueError(f"JSON that cannot be inflated, {error}") from error
    if len(text) != size or not inflater.eof or inflater.unused_data:
        raise ValueError(f"JSON of another size than the declared {size:,} bytes")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"no JSON, {error}") from error
    _check_depth(content)
    return content


def _check_size(size: int) -> None:
    if size > MAX_BYTES:
        raise ValueError(f"JSON of {size:,} bytes, more than the {MAX_BYTES:,} that are allowed")


def _check_depth(content: Any) -> None:
    level, depth = [content], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise ValueError(f"JSON nested more than the {MAX_DEPTH} levels that are allowed")
        inside = [each.values() if isinstance(each, dict) else each for each in level if isinstance(each, (dict, list))]
        level = [each for values in inside for each in values]
