"""How arrangements of values and masks are written in few bits.

Two codecs: `"range"`, a range coder of `constriction` (the extra `coding`), and `"packed"`, plain bits without it. All
integers are little-endian; within a byte the first bit is the lowest.

An arrangement says in which order sequences hold their values, where the reader knows the sorted values of each.

- packed: the rank of a value is the number of different smaller ones in its sequence. Let w be the number of bits of
  the greatest rank. w planes follow each other, the lowest bits of the ranks first; a plane holds one bit a value,
  sequence after sequence, and is filled up with zeros to a whole byte.
- range: the number of 32-bit words (uint32), then the words of the range coder. A sequence of n values in which n / 256
  or fewer equal one before them counts as one of different values, equal ones from left to right. In any other one the
  values that occur once are of class 0, and those that occur more often of class 1, 2, ... in ascending order. If there
  are such, first comes by `splitting` which place has which class, in all sequences; then, by `swaps`, the order of the
  values that count as different.
- splitting, which is only read: the same, but all by `splitting`.

Bits begin with the number of ones (uint64).

- packed: the bits, filled up with zeros to a whole byte.
- range: the words of the range coder, each bit coded with the probability ones / size of a one; none, if all bits are
  equal.
"""

from train_by_reconnect.coding.arrangements import arrangement_bits as arrangement_bits
from train_by_reconnect.coding.arrangements import decode_arrangements as decode_arrangements
from train_by_reconnect.coding.arrangements import encode_arrangements as encode_arrangements
from train_by_reconnect.coding.arrangements import sort_sequences as sort_sequences
from train_by_reconnect.coding.bits import bits_bound as bits_bound
from train_by_reconnect.coding.bits import decode_bits as decode_bits
from train_by_reconnect.coding.bits import encode_bits as encode_bits
from train_by_reconnect.coding.entropy import Codec as Codec
from train_by_reconnect.coding.entropy import default_codec as default_codec
