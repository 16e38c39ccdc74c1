"""The specification gives the same bits elsewhere: plain integers, PyTorch, JAX."""

import importlib.util
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from fanin.sampler import Law, draw
from fanin.sampler.key import key_of
from fanin.sampler.table import narrow_table
from fanin.sampler.truncation import cut_at

NAME, SEED = "encoder.layers.3.weight", 11
KEY = key_of(NAME, seed=SEED)
BASE, SLOPE = narrow_table()
N_NUMBERS = 1 << 18
STARTS = [0, 2**34 - 2**17, 2**45]

SCALES = {
    "normal": Law("normal", std=0.0371),
    "truncated": Law("truncated_normal", std=0.0371, cut=2.0),
    "near": Law("truncated_normal", std=1.0, cut=0.7),
    "uniform": Law("uniform", bound=0.0371),
}


@pytest.fixture(params=SCALES.values(), ids=SCALES)
def law(request):
    return request.param


@pytest.fixture(scope="module")
def plain():
    path = Path(__file__).parent / "plain_integers.py"
    spec = importlib.util.spec_from_file_location("plain_integers", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def constants(law):
    """First magnitude, magnitudes left, limit, factor."""
    if law.kind == "uniform":
        return 0, 2**31, 2**31 - 1, np.float32(law.bound * 2.0**-24)
    cut = cut_at(law.cut if law.kind == "truncated_normal" else 10.0)
    factor = np.float32(cut.parent_std(law.std) * 2.0**-28)
    return cut.first_32, 2**31 - cut.first_32, cut.limit_32, factor


# PyTorch: 64-bit integers, masked to 32 bits


def torch_words(element):
    low = 0xFFFFFFFF
    block = element >> 2
    c0, c1 = block & low, block >> 32
    c2 = c3 = torch.zeros_like(block)
    k0, k1 = KEY & low, KEY >> 32
    for _ in range(10):
        # The halves of a 32 × 32-bit product, by 16-bit limbs: int64 has a sign.
        (h0, l0), (h1, l1) = halves(0xD2511F53, c0), halves(0xCD9E8D57, c2)
        c0, c1, c2, c3 = h1 ^ c1 ^ k0, l1, h0 ^ c3 ^ k1, l0
        k0, k1 = (k0 + 0x9E3779B9) & low, (k1 + 0xBB67AE85) & low
    return torch.stack([c0, c1, c2, c3]).gather(0, (element & 3)[None])[0]


def halves(constant, x):
    low = constant * (x & 0xFFFF)
    high = constant * (x >> 16) + (low >> 16)
    return high >> 16, ((high & 0xFFFF) << 16) | (low & 0xFFFF)


def torch_numbers(element, law):
    first, left, limit, factor = constants(law)
    w = torch_words(element)
    if law.kind == "uniform":
        units = 2 * (w >> 8) + 1 - 2**24
        return units.to(torch.float32) * torch.tensor(factor)
    m = first + (((w & 0x7FFFFFFF) * left) >> 31)
    octave = torch.frexp((m | 1).double())[1].long() - 1
    t = (m << (31 - octave)) & 0x7FFFFFFF
    segment = 128 * octave + (t >> 24)
    base, slope = (torch.from_numpy(x.astype(np.int64)) for x in (BASE, SLOPE))
    height = base[segment] - ((slope[segment] * ((t >> 9) & 0x7FFF)) >> 11)
    height = height.clamp(max=limit)
    units = torch.where(w >= 2**31, -height, height).to(torch.int32)
    return units.to(torch.float32) * torch.tensor(factor)


# JAX: 32-bit integers only (x64 is off), under jit


def jax_high(a, b):
    """The upper half of a 32 × 32-bit product, by 16-bit limbs."""
    a_low, a_high, b_low, b_high = a & 0xFFFF, a >> 16, b & 0xFFFF, b >> 16
    middle = a_high * b_low + ((a_low * b_low) >> 16)
    other = a_low * b_high + (middle & 0xFFFF)
    return a_high * b_high + (middle >> 16) + (other >> 16)


def jax_words(block_low, block_high, position):
    u32 = jnp.uint32
    c0, c1 = block_low, block_high
    c2 = c3 = jnp.zeros_like(c0)
    m0, m1 = u32(0xD2511F53), u32(0xCD9E8D57)
    for turn in range(10):
        k0 = u32((KEY + turn * 0x9E3779B9) & 0xFFFFFFFF)
        k1 = u32(((KEY >> 32) + turn * 0xBB67AE85) & 0xFFFFFFFF)
        c0, c1, c2, c3 = (
            jax_high(m1, c2) ^ c1 ^ k0,
            m1 * c2,
            jax_high(m0, c0) ^ c3 ^ k1,
            m0 * c0,
        )
    return jnp.choose(position, [c0, c1, c2, c3], mode="clip")


def jax_numbers(block_low, block_high, position, law):
    first, left, limit, factor = constants(law)
    w = jax_words(block_low, block_high, position)
    if law.kind == "uniform":
        units = 2 * (w >> 8).astype(jnp.int32) + jnp.int32(1 - 2**24)
        return units.astype(jnp.float32) * factor
    m = w & 0x7FFFFFFF
    if first:
        m = jnp.uint32(first) + jax_high(m << 1, jnp.uint32(left))
    octave = 31 - jax.lax.clz(m | 1)
    t = (m << (31 - octave)) & 0x7FFFFFFF
    segment = (octave << 7) + (t >> 24)
    drop = (jnp.asarray(SLOPE)[segment] * ((t >> 9) & 0x7FFF)) >> 11
    height = jnp.minimum(jnp.asarray(BASE)[segment] - drop, jnp.uint32(limit))
    units = height.astype(jnp.int32)
    units = jnp.where(w >> 31 == 1, -units, units)
    return units.astype(jnp.float32) * factor


def drawn(law, index, dtype="float32"):
    return draw(NAME, (2**63,), law, seed=SEED, index=index, dtype=dtype)


@pytest.mark.parametrize("start", STARTS)
def test_pytorch_integers_give_the_same_bits(law, start):
    index = np.arange(start, start + N_NUMBERS)
    numbers = torch_numbers(torch.from_numpy(index), law)

    assert np.array_equal(numbers.numpy(), drawn(law, index))


@pytest.mark.parametrize("start", STARTS)
def test_jax_under_jit_gives_the_same_bits(law, start):
    index = np.arange(start, start + N_NUMBERS)
    block = index >> 2
    run = jax.jit(lambda low, high, at: jax_numbers(low, high, at, law))
    numbers = run(
        (block & 0xFFFFFFFF).astype(np.uint32),
        (block >> 32).astype(np.uint32),
        (index & 3).astype(np.int32),
    )

    assert np.array_equal(np.asarray(numbers), drawn(law, index))


@pytest.mark.parametrize("bits", [32, 64])
def test_plain_integers_give_the_same_bits(plain, law, bits):
    index = [*range(300), 2**34, 2**40 + 1, 2**63 - 1]
    key = plain.key(NAME, SEED)
    if law.kind == "uniform":
        numbers = [plain.uniform(key, i, law.bound, bits=bits) for i in index]
    else:
        cut = law.cut if law.kind == "truncated_normal" else None
        numbers = [plain.normal(key, i, law.std, cut=cut, bits=bits) for i in index]

    assert np.array_equal(numbers, drawn(law, index, dtype=f"float{bits}"))


def test_one_product_after_the_conversion_is_equal_under_jit():
    """All that the specification asks of float32 arithmetic."""
    units = np.random.default_rng(0).integers(-(2**31), 2**31, 1 << 18).astype(np.int32)
    factor = np.float32(0.0371 * 2.0**-28)
    under_jit = jax.jit(lambda units: units.astype(jnp.float32) * factor)(units)
    in_torch = torch.from_numpy(units).to(torch.float32) * torch.tensor(factor)

    assert np.array_equal(np.asarray(under_jit), units.astype(np.float32) * factor)
    assert np.array_equal(in_torch.numpy(), units.astype(np.float32) * factor)
