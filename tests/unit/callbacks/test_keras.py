from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from fanin.callbacks import KerasCallback, LearningError, LearningWarning
from fanin.rules import Verdict

# Keras 3.15 on torch: a variable's __array__ has no argument ``copy``.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation:DeprecationWarning"
)


def data():
    generator = np.random.Generator(np.random.Philox(3))
    x = generator.standard_normal((64, 6)).astype("float32")
    return x, (x[:, 0] > 0).astype("int64")


def net(*, is_zero=False):
    keras.utils.set_random_seed(7)
    model = keras.Sequential(
        [
            keras.layers.Input((6,)),
            keras.layers.Dense(16, "relu", kernel_initializer="he_normal"),
            keras.layers.Dropout(0.1),
            keras.layers.Dense(3),
        ]
    )
    if is_zero:
        for variable in model.trainable_variables:
            variable.assign(np.zeros(variable.shape, "float32"))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.05), loss)
    return model


def fit(model, *callbacks, epochs=2):
    x, y = data()
    return model.fit(
        x, y, 16, epochs=epochs, verbose=0, shuffle=False, callbacks=list(callbacks)
    )


def test_a_fit_with_the_callback_is_the_same_to_the_last_bit():
    alone, watched = net(), net()
    keras.utils.set_random_seed(8)
    losses = fit(alone).history["loss"]
    keras.utils.set_random_seed(8)
    history = fit(watched, KerasCallback(steps=3)).history

    pairs = zip(alone.get_weights(), watched.get_weights(), strict=True)
    assert all(np.array_equal(one, other) for one, other in pairs)
    assert history["loss"] == losses


def test_updates_and_the_loss_of_each_batch_are_seen():
    model = net()
    start = [np.array(w) for w in model.get_weights()]
    it = KerasCallback(steps=8)
    history = fit(model, it, epochs=1)
    trace = it.watch.trace

    assert it.watch.n_steps == 4
    assert trace.weight[0] == pytest.approx(
        [float(np.sqrt(np.mean(w.astype(float) ** 2))) for w in start]
    )
    assert trace.loss.mean() == pytest.approx(history.history["loss"][0], rel=1e-5)
    assert -4 < history.history["fanin_update_ratio_median"][0] < 0
    assert it.report.verdict is Verdict.HEALTHY


def test_a_batch_gives_a_whole_check_with_the_histograms_of_every_layer():
    x, y = data()
    it = KerasCallback(x, "cross_entropy", y, steps=2)
    fit(net(), it)

    assert it.start.verdict is Verdict.HEALTHY
    assert it.start.profile is not None


def test_a_dead_model_is_told_of_by_its_steps_alone():
    with pytest.warns(LearningWarning, match="the first 8 steps"):
        fit(net(is_zero=True), KerasCallback())


def test_a_dead_model_can_stop_or_fail_the_fit():
    x, y = data()
    words = {"batch": x, "loss": "cross_entropy", "target": y}
    with pytest.raises(LearningError, match="FAN101"):
        fit(net(is_zero=True), KerasCallback(**words, action="raise"))
    stopping = KerasCallback(action="stop", steps=3)
    with pytest.warns(LearningWarning):
        history = fit(net(is_zero=True), stopping, epochs=20)

    assert len(history.history["loss"]) == 1


def test_a_second_fit_is_not_checked_again():
    model, it = net(), KerasCallback(steps=2)
    fit(model, it)
    seen = it.watch
    fit(model, it)

    assert it.watch is seen


OTHER = """
import sys
sys.path.insert(0, {folder!r})
import test_keras as t

t.test_a_fit_with_the_callback_is_the_same_to_the_last_bit()
t.test_updates_and_the_loss_of_each_batch_are_seen()
t.test_a_dead_model_is_told_of_by_its_steps_alone()
print(t.keras.backend.backend(), "done")
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "tensorflow"])
def test_the_same_holds_on_the_other_backends(backend):
    code = OTHER.format(folder=str(Path(__file__).parent))
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.strip().endswith(f"{backend} done"), done.stderr[-2000:]
