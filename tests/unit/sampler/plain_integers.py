"""The sampler written again from docs/sampler.md: plain integers, one number a call."""

import math
import struct
from hashlib import blake2b
from pathlib import Path

import mpmath as mp
import numpy as np

import fanin.sampler

FOLDER = Path(fanin.sampler.__file__).parent
BASE, SLOPE = np.load(FOLDER / "normal32.npy").tolist()
COEFFICIENTS = np.load(FOLDER / "normal64.npy").T.tolist()
MASK = 0xFFFFFFFF


def key(name, seed, stream=0):
    message = struct.pack("<8sQQQ", b"fanin", 1, seed, stream) + name.encode()
    return int.from_bytes(blake2b(message, digest_size=8).digest(), "little")


def word(key, element, plane=0):
    block = element // 4
    c = [block & MASK, block >> 32, plane, 0]
    k = [key & MASK, key >> 32]
    for _ in range(10):
        p, q = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(q >> 32) ^ c[1] ^ k[0], q & MASK, (p >> 32) ^ c[3] ^ k[1], p & MASK]
        k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
    return c[element % 4]


def height_32(m):
    octave = (m | 1).bit_length() - 1
    t = (m << (31 - octave)) & 0x7FFFFFFF
    segment = 128 * octave + (t >> 24)
    return BASE[segment] - ((SLOPE[segment] * ((t >> 9) & 0x7FFF)) >> 11)


def height_64(m):
    octave = (m | 1).bit_length() - 1
    f = (m << (63 - octave) << 1) & (2**64 - 1)
    *lower, height = COEFFICIENTS[64 * octave + (f >> 58)]
    x = (f << 6) & (2**64 - 1)
    for c in reversed(lower):
        height = c + (height * x >> 64)
    return height


def tail_and_ratio(cut):
    """Give Φ(−cut) and the std left, to 60 digits."""
    with mp.workdps(60):
        tail = mp.erfc(mp.mpf(cut) / mp.sqrt(2)) / 2
        return tail, mp.sqrt(
            1 - 2 * mp.mpf(cut) * mp.npdf(mp.mpf(cut)) / (1 - 2 * tail)
        )


def normal(key, element, std, cut=None, bits=32):
    w = word(key, element)
    if bits == 64:
        w = w << 32 | word(key, element, plane=1)
    fraction = {32: 28, 64: 59}[bits]
    m = w & (2 ** (bits - 1) - 1)
    limit = 2 ** (bits - 1) - 1
    if cut is not None and cut < 10:
        tail, ratio = tail_and_ratio(cut)
        with mp.workdps(60):
            first = int(mp.nint(tail * 2**bits))
            std = float(mp.mpf(std) / ratio)
        m = first + (m * (2 ** (bits - 1) - first) >> (bits - 1))
        limit = min(limit, math.floor(cut * 2.0**fraction))
    height = min({32: height_32, 64: height_64}[bits](m), limit)
    return finished(height if w < 2 ** (bits - 1) else -height, std, fraction, bits)


def uniform(key, element, bound, bits=32):
    w = word(key, element)
    if bits == 64:
        w = w << 32 | word(key, element, plane=1)
    kept = {32: 24, 64: 53}[bits]
    return finished(2 * (w >> (bits - kept)) + 1 - 2**kept, bound, kept, bits)


def finished(units, scale, fraction, bits):
    kind = {32: np.float32, 64: np.float64}[bits]
    return kind(units) * kind(scale * 2.0**-fraction)
