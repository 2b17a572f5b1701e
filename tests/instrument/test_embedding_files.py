"""Word vectors: text of GloVe and word2vec, binary of word2vec, and files that are not whole."""

import numpy as np
import pytest

from train_by_reconnect.instrument.sources import open_source

VECTORS = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -3.0]], "float32")
GLOVE = "the 0.5 -1 2\nof 1.5 0.25 -3e0\n"


def read(path):
    [tensor] = open_source(path).tensors
    assert (tensor.shape, tensor.unit_axes, tensor.skipped) == ((2, 3), (0,), "")
    return tensor.read()


@pytest.mark.parametrize(
    "text",
    [GLOVE, f"2 3\n{GLOVE}", f"2 3\r\n{GLOVE}\n", GLOVE.replace("of", ". .").replace(" -1", "\t-1"), GLOVE.rstrip()],
)
def test_reads_text(tmp_path, text):
    path = tmp_path / "words.txt"
    path.write_bytes(text.encode())
    np.testing.assert_array_equal(read(path), VECTORS)


@pytest.mark.parametrize("between", [b"", b"\n"])
def test_reads_binary(tmp_path, between):
    path = tmp_path / "words.bin"
    words = [b"the " + VECTORS[0].tobytes(), b"of " + VECTORS[1].tobytes()]
    path.write_bytes(b"2 3\n" + between.join([*words, b""]))
    np.testing.assert_array_equal(read(path), VECTORS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"3 3\n{GLOVE}".encode(), "2 lines where its first says 3"),
        (b"1000000000 300\nthe \x00\x01", "for 1000000000 x 300 numbers"),
        (b"2 3\nthe " + VECTORS.tobytes()[:20], "for 2 x 3 numbers"),
        (b"some words, no numbers\nand more\n", "Received: a file of"),
    ],
)
def test_refuses_a_file_that_does_not_hold_what_it_says(tmp_path, content, message):
    path = tmp_path / "words.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        open_source(path)


@pytest.mark.parametrize("line", ["two 1 2", "two 1 2 x", "1 2 3"])
def test_a_line_that_differs_is_named_when_read(tmp_path, line):
    path = tmp_path / "words.vec"
    path.write_text(f"{GLOVE}{line}\n")
    [tensor] = open_source(path).tensors
    with pytest.raises(ValueError, match="in line 3"):
        tensor.read()
