"""The sampler written again from docs/sampler.md: plain integers, one number a call.

Nothing of fanin is imported. Of its package the two tables are read, as the page says.
"""

import itertools
import math
import struct
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path

import mpmath as mp
import numpy as np

FOLDER = Path(find_spec("fanin").origin).parent / "sampler"
BASE, SLOPE = np.load(FOLDER / "normal32.npy").tolist()
COEFFICIENTS = np.load(FOLDER / "normal64.npy").T.tolist()
MASK = 0xFFFFFFFF
WRAPPERS = {"_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"}

# 1. Key


def key(name, seed, stream=0):
    *owners, last = name.split(".")
    canonical = ".".join([*(o for o in owners if o not in WRAPPERS), last])
    message = struct.pack("<8sQQQ", b"fanin", 1, seed, stream) + canonical.encode()
    return int.from_bytes(blake2b(message, digest_size=8).digest(), "little")


# 2. Words


def word(key, element, plane=0):
    block = element // 4
    c = [block & MASK, block >> 32, plane, 0]
    k = [key & MASK, key >> 32]
    for _ in range(10):
        p, q = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(q >> 32) ^ c[1] ^ k[0], q & MASK, (p >> 32) ^ c[3] ^ k[1], p & MASK]
        k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
    return c[element % 4]


# 3. and 4. float32 and float64


def float32(x):
    """Round a whole number of at most 53 bits, or a double, to float32."""
    return struct.unpack("<f", struct.pack("<f", x))[0]


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


def normal_units(key, element, cut=None, bits=32):
    """Give the signed height, in Q4.28 or Q4.59."""
    w = word(key, element)
    if bits == 64:
        w = w << 32 | word(key, element, plane=1)
    m = w & (2 ** (bits - 1) - 1)
    limit = 2 ** (bits - 1) - 1
    if cut is not None and cut < 10:
        tail, _ = tail_and_ratio(cut)
        with mp.workdps(60):
            first = int(mp.nint(tail * 2**bits))
        m = first + (m * (2 ** (bits - 1) - first) >> (bits - 1))
        limit = min(limit, math.floor(cut * 2.0 ** {32: 28, 64: 59}[bits]))
    height = min({32: height_32, 64: height_64}[bits](m), limit)
    return height if w < 2 ** (bits - 1) else -height


def normal(key, element, std, cut=None, bits=32):
    units = normal_units(key, element, cut, bits)
    if cut is not None and cut < 10:
        with mp.workdps(60):
            std = float(mp.mpf(std) / tail_and_ratio(cut)[1])
    return finished(units, std, {32: 28, 64: 59}[bits], bits)


def uniform(key, element, bound, bits=32):
    w = word(key, element)
    if bits == 64:
        w = w << 32 | word(key, element, plane=1)
    kept = {32: 24, 64: 53}[bits]
    return finished(2 * (w >> (bits - kept)) + 1 - 2**kept, bound, kept, bits)


def finished(units, size, fraction, bits):
    """Convert and multiply: a product of two float32 is exact in a double."""
    if bits == 64:
        return float(units) * (size * 2.0**-fraction)
    return float32(float32(units) * float32(size * 2.0**-fraction))


# 5. float16 and bfloat16


def rounded(number, dtype):
    """Round a float32 number once, to nearest, ties to even."""
    if dtype == "float16":
        return struct.unpack("<e", struct.pack("<e", number))[0]
    bits = struct.unpack("<I", struct.pack("<f", number))[0]
    upper, lower = divmod(bits, 2**16)
    upper += lower > 2**15 or (lower == 2**15 and upper % 2)
    return struct.unpack("<f", struct.pack("<I", upper << 16))[0]


# 6. Constant and matrices


def constant(value, bits):
    return value if bits == 64 else float32(value)


def number(key, element, law, dtype):
    """Give one element of a law that draws one by one."""
    bits = 64 if dtype == "float64" else 32
    if law["kind"] == "constant":
        found = constant(law["value"], bits)
    elif law["kind"] == "uniform":
        bound = law.get("bound") or law["std"] * 1.7320508075688772
        found = uniform(key, element, bound, bits)
    else:
        cut = law.get("cut", 2.0) if law["kind"] == "truncated_normal" else None
        found = normal(key, element, law["std"], cut, bits)
    return rounded(found, dtype) if dtype in {"float16", "bfloat16"} else found


def product(one, other):
    across = list(zip(*other, strict=True))
    return [
        [math.fsum(a * b for a, b in zip(r, c, strict=True)) for c in across]
        for r in one
    ]


def unit_matrix(n):
    return [[float(i == j) for j in range(n)] for i in range(n)]


def stewart(x):
    """Give Q of the rows of numbers x, more rows than columns: H₀ H₁ … D."""
    n_long, n_short = len(x), len(x[0])
    q = unit_matrix(n_long)
    signs = []
    for k in range(n_short):
        v = [0.0] * k + [row[k] for row in x[k:]]
        signs.append(-1 if v[k] < 0 else 1)
        v[k] += signs[k] * math.sqrt(math.fsum(a * a for a in v))
        norm = math.fsum(a * a for a in v)
        h = [
            [float(i == j) - 2 * a * b / norm for j, b in enumerate(v)]
            for i, a in enumerate(v)
        ]
        q = product(q, h)
    return [[-s * a for a, s in zip(row, signs, strict=False)] for row in q]


def orthogonal(key, group, n_out, n_in):
    n_long, n_short = max(n_out, n_in), min(n_out, n_in)
    first = group * n_out * n_in
    x = [
        [normal(key, first + r * n_short + c, 1.0) for c in range(n_short)]
        for r in range(n_long)
    ]
    q = stewart(x)
    return q if n_out >= n_in else [list(row) for row in zip(*q, strict=True)]


def matrix_weight(key, shape, law, roles=None):
    """Give a weight of a law of matrices, its elements in row-major order.

    roles: outputs, inputs, kernel (axes), groups, and is_by_input, for a transposed
    convolution of PyTorch.
    """
    roles = roles or {"outputs": [0], "inputs": [1], "kernel": [*range(2, len(shape))]}
    groups = roles.get("groups", 1)
    is_by_input = roles.get("is_by_input", False)
    outputs, inputs, kernel = (
        [shape[axis] for axis in roles[name]]
        for name in ("outputs", "inputs", "kernel")
    )
    n_outputs, n_inputs, n_positions = map(math.prod, (outputs, inputs, kernel))
    n_out = n_outputs if is_by_input else n_outputs // groups
    n_in = n_inputs // groups if is_by_input else n_inputs
    middle = flat_index([length // 2 for length in kernel], kernel)
    is_whole = law["kind"] == "orthogonal"
    n_columns = n_in * n_positions if is_whole else n_in
    matrices = [
        unit_matrix(max(n_out, n_in))
        if law["kind"] == "identity"
        else orthogonal(key, group, n_out, n_columns)
        for group in range(groups)
    ]
    found = []
    for place in itertools.product(*map(range, shape)):
        output = flat_index([place[a] for a in roles["outputs"]], outputs)
        source = flat_index([place[a] for a in roles["inputs"]], inputs)
        position = flat_index([place[a] for a in roles["kernel"]], kernel)
        group = source // n_in if is_by_input else output // n_out
        row, column = output % n_out, source % n_in
        if is_whole:
            column = column * n_positions + position
        is_zero = not is_whole and position != middle
        found.append(0.0 if is_zero else law["gain"] * matrices[group][row][column])
    return found


def flat_index(place, lengths):
    index = 0
    for step, length in zip(place, lengths, strict=True):
        index = index * length + step
    return index
