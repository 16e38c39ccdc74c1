import struct
from hashlib import blake2b

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanin.errors import ArgumentError
from fanin.sampler.key import WRAPPERS, canonical_name, key_of

WORDS = st.integers(0, 2**64 - 1)
COMPONENT = st.text(st.characters(exclude_characters=".", codec="utf-8"))


@pytest.mark.parametrize("wrapper", sorted(WRAPPERS))
@pytest.mark.parametrize("form", ["{}.a.b", "a.{}.b", "{}.{}.a.{}.b"])
def test_a_wrapper_is_left_out_wherever_it_stands(wrapper, form):
    assert canonical_name(form.format(*[wrapper] * 3)) == "a.b"


@pytest.mark.parametrize(
    "name", ["module.a", "_orig_mod", "a._orig_mod", "orig_mod.a", "a/_orig_mod/b"]
)
def test_a_name_that_only_looks_like_a_wrapper_stays(name):
    assert canonical_name(name) == name


@given(st.lists(COMPONENT, min_size=1))
def test_taking_wrappers_off_twice_is_taking_them_off_once(components):
    name = canonical_name(".".join(components))

    assert canonical_name(name) == name


@given(COMPONENT, WORDS, WORDS)
def test_the_message_is_header_and_name(name, seed, stream):
    message = b"fanin\0\0\0" + struct.pack("<QQQ", 1, seed, stream) + name.encode()
    expected = int.from_bytes(blake2b(message, digest_size=8).digest(), "little")

    assert key_of(name, seed=seed, stream=stream) == expected


@given(st.tuples(COMPONENT, WORDS, WORDS), st.tuples(COMPONENT, WORDS, WORDS))
def test_different_addresses_have_different_keys(one, other):
    keys = [
        key_of(name, seed=seed, stream=stream) for name, seed, stream in (one, other)
    ]

    assert (keys[0] == keys[1]) == (one == other)


def test_a_numpy_integer_is_a_seed():
    assert key_of("a", seed=np.uint64(2**63)) == key_of("a", seed=2**63)


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, "1", None])
def test_a_seed_out_of_range_is_refused(seed):
    with pytest.raises(ArgumentError, match="'seed' must be a whole number from 0"):
        key_of("a", seed=seed)


@pytest.mark.parametrize("name", ["\ud800", None, 3])
def test_a_name_that_is_no_text_is_refused(name):
    with pytest.raises(ArgumentError, match="'name' must be text that UTF-8 can write"):
        key_of(name, seed=0)
