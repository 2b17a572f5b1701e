"""How arrangements of values and masks are written in few bits.

Two codecs: `"range"`, a range coder of `constriction` (the extra `coding`), and `"packed"`, plain bits without it. All
integers are little-endian; within a byte the first bit is the lowest.

An arrangement says which place of a row has which rank, where the reader knows the sorted ranks of each row.

- packed: let w be the number of bits of the greatest rank. w planes follow each other, the lowest bits of the ranks
  first; a plane holds one bit a weight, row after row, and is filled up with zeros to a whole byte.
- range: the number of 32-bit words (uint32), then the words of the range coder. See `splitting` for its symbols.

Bits begin with the number of ones (uint64).

- packed: the bits, filled up with zeros to a whole byte.
- range: the words of the range coder, each bit coded with the probability ones / size of a one; none, if all bits are
  equal.
"""

from train_by_reconnect.coding.arrangements import arrangement_bits as arrangement_bits
from train_by_reconnect.coding.arrangements import decode_arrangements as decode_arrangements
from train_by_reconnect.coding.arrangements import encode_arrangements as encode_arrangements
from train_by_reconnect.coding.bits import bits_bound as bits_bound
from train_by_reconnect.coding.bits import decode_bits as decode_bits
from train_by_reconnect.coding.bits import encode_bits as encode_bits
from train_by_reconnect.coding.entropy import Codec as Codec
from train_by_reconnect.coding.entropy import default_codec as default_codec
