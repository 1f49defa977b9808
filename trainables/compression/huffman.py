"""Huffman's code: of all prefix-free codes for these counts the one with the shortest message (Huffman 1952)."""

import heapq
from collections.abc import Sequence

import numpy as np

from trainables.compression.bits import Numbers


def code_lengths(counts: Sequence[int]) -> Numbers:
    """Bits of each symbol's code word; 0 for a symbol that never occurs, 1 for one that is alone.

    With H the entropy of the counts in bits, the mean over the message lies in [H, H + 1).
    """
    lengths = np.zeros(len(counts), dtype=np.int64)
    heap = [(count, place, [place]) for place, count in enumerate(counts) if count]
    if len(heap) == 1:
        lengths[heap[0][1]] = 1
    heapq.heapify(heap)
    while len(heap) > 1:
        first, place, some = heapq.heappop(heap)
        second, _, others = heapq.heappop(heap)
        merged = some + others
        lengths[merged] += 1
        heapq.heappush(heap, (first + second, place, merged))
    return lengths


def canonical(lengths: Numbers) -> Numbers:
    """Code words of these lengths: no word begins another, and lengths alone say what they are (0 where unused)."""
    words = np.zeros(len(lengths), dtype=np.int64)
    word = length = 0
    for symbol in sorted(np.flatnonzero(lengths).tolist(), key=lambda symbol: (lengths[symbol], symbol)):
        word <<= int(lengths[symbol]) - length
        length = int(lengths[symbol])
        words[symbol] = word
        word += 1
    return words
