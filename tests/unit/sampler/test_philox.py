import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanin.sampler.philox import philox4x32, words_at, words_in

# Random123's tests/kat_vectors, the lines "philox4x32 10": counter, key, result.
KNOWN_ANSWERS = [
    ("00000000 " * 4, "00000000 " * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff " * 4, "ffffffff " * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    (
        "243f6a88 85a308d3 13198a2e 03707344",
        "a4093822 299f31d0",
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]


def numbers(text):
    return [int(word, 16) for word in text.split()]


@pytest.mark.parametrize(("counter", "key", "result"), KNOWN_ANSWERS)
def test_random123s_known_answers_come_out(counter, key, result):
    columns = tuple(np.array([word], dtype=np.uint64) for word in numbers(counter))
    words = philox4x32(columns, tuple(numbers(key)))

    assert [int(word[0]) for word in words] == numbers(result)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**63 - 200), st.integers(0, 100))
def test_a_span_is_its_elements(key, start, length):
    index = np.arange(start, start + length, dtype=np.uint64)

    assert np.array_equal(words_in(key, start, start + length), words_at(key, index))


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.int64, np.uint64])
def test_the_integer_type_of_an_index_does_not_matter(dtype):
    index = np.array([0, 5, 99, 3], dtype=dtype)

    assert np.array_equal(words_at(7, index), words_in(7, 0, 100)[[0, 5, 99, 3]])


def test_an_index_beyond_32_bits_reaches_the_second_counter_word():
    element = 4 * (2**32 * 3 + 17) + 2
    counter = tuple(np.array([w], dtype=np.uint64) for w in (17, 3, 0, 0))
    expected = philox4x32(counter, (5, 6))[2]

    assert words_at(5 + 6 * 2**32, np.array([element]))[0] == expected[0]


def test_the_planes_differ():
    assert not np.any(words_in(1, 0, 1000) == words_in(1, 0, 1000, plane=1))
