"""What a Keras model reads, where no batch is given."""

from __future__ import annotations

import keras

import fanin
from fanin.frameworks.keras.example import input_signatures


def two_inputs():
    tokens = keras.Input((7,), dtype="int32")
    mask = keras.Input((3,), dtype="int32")
    numbers = keras.Input((4,))
    table = keras.layers.Embedding(50, 8)(tokens)
    pooled = keras.layers.GlobalAveragePooling1D()(table)
    seen = keras.ops.cast(mask, "float32")
    joined = keras.layers.Concatenate()([pooled, seen, numbers])
    return keras.Model([tokens, mask, numbers], keras.layers.Dense(2)(joined))


def test_every_input_has_its_own_signature():
    assert next(input_signatures(two_inputs())).describe() == (
        "32×7 whole numbers below 50, 32×3 whole numbers below 2, "
        "32×4 standard normal numbers"
    )


def test_a_model_with_several_inputs_is_checked_without_a_batch():
    report = fanin.check(two_inputs())
    assert report.ok
    (made_up,) = (f for f in report.infos if f.code == "FAN004")
    assert "32×7 whole numbers below 50" in made_up.message


def test_a_model_that_is_not_built_offers_nothing():
    assert not list(input_signatures(keras.Sequential([keras.layers.Dense(2)])))
