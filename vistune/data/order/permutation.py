"""Random permutations of any length that are computed, not stored: ten million samples in a random order cost no memory."""

from __future__ import annotations

from hashlib import blake2b

ROUNDS = 4


def permuted(index: int, size: int, *key: int) -> int:
    """Where `index` goes in a random permutation of `range(size)` that depends on `key` alone.

    A Feistel network over the smallest even number of bits that covers `size`, walked until it lands inside (Black & Rogaway,
    Ciphers with Arbitrary Finite Domains, 2002): about two walks of four short hashes each, on average.
    """
    if not 0 <= index < size:
        raise IndexError(f"{index} is not in range({size})")
    half = max(1, ((size - 1).bit_length() + 1) // 2)
    mask = (1 << half) - 1
    salt = b"".join(part.to_bytes(8, "little", signed=True) for part in key)
    while True:
        # Each round is invertible whatever the hash gives, so the whole is a permutation of the power of two around `size`.
        left, right = index >> half, index & mask
        for number in range(ROUNDS):
            digest = blake2b(right.to_bytes(8, "little") + salt, digest_size=8, person=bytes([number])).digest()
            left, right = right, left ^ (int.from_bytes(digest) & mask)
        index = left << half | right
        # What lands outside goes round again: the walk ends, since a permutation's cycle through `index` comes back inside.
        if index < size:
            return index
