"""Parts F to N: what the scale meets in practice."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Any

from fanin.lab.lessons.course.asking import is_steady
from fanin.lab.lessons.course.deep_net import DEPTH, a_layer, lesson, start
from fanin.lab.lessons.course.scale import HE
from fanin.lab.lessons.course.small_net import question, says
from fanin.lab.lessons.lesson import Setting
from fanin.report.page import number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.lab.lessons.layers.evidence import Look, Looks, Variant

PART = "In practice"
HE_RELU: dict[str, Any] = {"scheme": "he_normal", "activation": "relu"}
GLOROT_TANH: dict[str, Any] = {"scheme": "glorot_normal", "activation": "tanh"}
SHALLOW = Setting(name="depth", label="layers", usual=6, low=2, high=60, step=1)
BIAS = Setting(name="bias", label="hidden bias", usual=-3.0, low=-5, high=5, step=0.1)
INPUTS = Setting(
    name="inputs", label="inputs times", usual=100.0, low=0.1, high=255, step=0.1
)
HEAD = Setting(
    name="factor", label="weights times", usual=3.0, low=0.1, high=10, step=0.1
)


def biased(settings: Mapping[str, float]) -> tuple[Variant, ...]:
    """Give ReLU nets with the bias asked for and with 0."""
    return (
        start(f"bias {settings['bias']:g}", settings, bias=settings["bias"], **HE_RELU),
        start("bias 0", settings, **HE_RELU),
    )


def small_bias(settings: Mapping[str, float]) -> tuple[Variant, ...]:
    """Give ReLU nets with a small positive bias and with 0."""
    return (
        start("bias 0.01", settings, bias=0.01, **HE_RELU),
        start("bias 0", settings, **HE_RELU),
    )


def louder(settings: Mapping[str, float]) -> tuple[Variant, ...]:
    """Give ReLU nets whose weights are all too large, and right."""
    return (
        start(
            f"{settings['factor']:g} × He",
            settings,
            factor=settings["factor"],
            **HE_RELU,
        ),
        start("he normal", settings, **HE_RELU),
    )


def unscaled(settings: Mapping[str, float]) -> tuple[Variant, ...]:
    """Give tanh nets with inputs as they came, and scaled to second moment 1."""
    return (
        start(
            f"inputs × {settings['inputs']:g}",
            settings,
            input_factor=settings["inputs"],
            **GLOROT_TANH,
        ),
        start("inputs scaled", settings, **GLOROT_TANH),
    )


def defaults(settings: Mapping[str, float]) -> tuple[Variant, ...]:
    """Give what three frameworks do unasked, and He."""
    schemes = {
        "PyTorch": "pytorch_default",
        "Keras": "glorot_uniform",
        "Flax": "lecun_truncated",
        "he normal": "he_normal",
    }
    return tuple(
        start(label, settings, scheme=scheme, activation="relu")
        for label, scheme in schemes.items()
    )


def seeds(settings: Mapping[str, float]) -> tuple[Variant, ...]:
    """Give one start in narrow layers and in wide ones."""
    return (
        start("8 units", settings, width=8, **HE_RELU),
        start("128 units", settings, **HE_RELU),
    )


def width_of_band(one: Look) -> float:
    """Give how many times the greatest signal over seeds is the least, at the end."""
    low, high = one.spread.low[-2], one.spread.high[-2]
    return high / low if low > 0 else float("inf")


def band(one: Look) -> str:
    """Say how far seeds differ."""
    times = width_of_band(one)
    return f"{number(times)} times" if times < float("inf") else "without bound"


def even(e: Looks) -> float:
    """Give the loss of guessing every class alike: ln K."""
    return log(e.case.data.n_classes)


def named(e: Looks, label: str) -> Look:
    """Give the start of that label."""
    return next(one for one in e.looks if one.label == label)


def on(one: Look) -> float:
    """Give the share of entries that are on, over all hidden layers."""
    flat = one.reading.flat
    return 1 - sum(flat) / len(flat)


LESSONS = (
    lesson(
        "F1",
        PART,
        "A bias of 0.01 for ReLU",
        question(
            "An old recipe starts ReLU's biases at 0.01, “so that all units fire”. "
            "Against 0, how much more of the units' entries are on, in six layers?",
            ("A tenth or more", lambda e: on(e.case) > on(e.better) + 0.1),
            ("Hardly any", lambda e: abs(on(e.case) - on(e.better)) < 0.05),
        ),
        (
            says(
                lambda e: (
                    f"With 0.01 {number(100 * on(e.case))} % are on, with 0 "
                    f"{number(100 * on(e.better))} %: beside a signal of size 1 a "
                    "hundredth is little."
                ),
                lambda e: abs(on(e.case) - on(e.better)) < 0.05,
            ),
        ),
        variants=small_bias,
        settings=(SHALLOW,),
        sources=("Stanford CS231n, notes on setting up the data and the model.",),
    ),
    lesson(
        "G1",
        PART,
        "The first loss is ln K",
        question(
            "A net that knows nothing should guess K classes alike: a loss of ln K. "
            "With weights three times He's, the first loss is …",
            ("about ln K", lambda e: e.case.reading.loss < 2 * even(e)),
            ("far above it", lambda e: e.case.reading.loss >= 10 * even(e)),
        ),
        (
            says(
                lambda e: (
                    f"ln {e.case.data.n_classes} = {number(even(e))}. The right scale "
                    f"starts at {number(e.better.reading.loss)}, the large one at "
                    f"{number(e.case.reading.loss)}: it is sure of itself, and wrong."
                ),
                lambda e: (
                    e.better.reading.loss < 2 * even(e)
                    and e.case.reading.loss > 10 * even(e)
                ),
            ),
        ),
        variants=louder,
        settings=(HEAD, SHALLOW),
        sources=("A. Karpathy: A recipe for training neural networks (2019).",),
    ),
    lesson(
        "H1",
        PART,
        "Inputs that were not scaled",
        question(
            "The weights are Glorot's, but the inputs are a hundred times too large. "
            "Which layer of a tanh net suffers?",
            (
                "The first: its units are saturated",
                lambda e: e.case.reading.flat[0] > 0.5 > e.case.reading.flat[-1],
            ),
            ("The last", lambda e: e.case.reading.flat[-1] > e.case.reading.flat[0]),
            ("None", lambda e: max(e.case.reading.flat) < 0.1),
        ),
        (
            says(
                lambda e: (
                    f"In the first layer {number(100 * e.case.reading.flat[0])} % of "
                    "the entries are where tanh is flat; with scaled inputs "
                    f"{number(100 * e.better.reading.flat[0])} %."
                ),
                lambda e: e.case.reading.flat[0] > 0.5 > e.better.reading.flat[0],
            ),
        ),
        variants=unscaled,
        settings=(INPUTS, SHALLOW),
        sources=("Y. LeCun, L. Bottou, G. Orr, K. Müller: Efficient BackProp (1998).",),
    ),
    lesson(
        "I1",
        PART,
        "Dead units",
        question(
            "The weights are He's, the hidden biases −3. How many ReLU units of the "
            "last hidden layer fire for no sample at all?",
            ("None", lambda e: e.case.reading.dead[-1] == 0),
            ("Some", lambda e: 0 < e.case.reading.dead[-1] <= 0.5),
            ("Most or all", lambda e: e.case.reading.dead[-1] > 0.5),
        ),
        (
            says(
                lambda e: (
                    f"{number(100 * e.case.reading.dead[-1])} % are dead: they have no "
                    "gradient on any sample, so no update wakes them. With bias 0 it "
                    f"is {number(100 * e.better.reading.dead[-1])} %."
                ),
                lambda e: e.case.reading.dead[-1] > 0.5 > e.better.reading.dead[-1],
            ),
        ),
        variants=biased,
        settings=(BIAS, SHALLOW),
        sources=("L. Lu, Y. Shin, Y. Su, G. Karniadakis: Dying ReLU (2019).",),
    ),
    lesson(
        "L1",
        PART,
        "What frameworks do unasked",
        question(
            "A dense layer's default in PyTorch, Keras and Flax, in 30 ReLU layers. "
            "Which of the three keeps the signal?",
            ("PyTorch", lambda e: is_steady(named(e, "PyTorch"))),
            ("Keras", lambda e: is_steady(named(e, "Keras"))),
            ("Flax", lambda e: is_steady(named(e, "Flax"))),
            ("None", lambda e: not any(map(is_steady, e.looks[:-1]))),
        ),
        (
            says(
                lambda e: (
                    f"PyTorch {a_layer(named(e, 'PyTorch'))}, Keras "
                    f"{a_layer(named(e, 'Keras'))}, Flax {a_layer(named(e, 'Flax'))}: "
                    "none of them knows that ReLU follows."
                ),
                lambda e: not any(map(is_steady, e.looks[:-1])),
            ),
            says(lambda e: f"He: {a_layer(e.better)}.", lambda e: is_steady(e.better)),
        ),
        variants=defaults,
        settings=(DEPTH,),
        derivation="he",
        until="Normalization and residual paths hide the scale of a layer's weights.",
        sources=(HE,),
    ),
    lesson(
        "N1",
        PART,
        "How far seeds differ",
        question(
            "He with ReLU over eight seeds, 30 layers: once of 8 units, once of 128. "
            "Where does one draw speak for all?",
            (
                "In the wide net",
                lambda e: width_of_band(e.better) < 10 and width_of_band(e.case) > 100,
            ),
            ("In the narrow one", lambda e: width_of_band(e.case) < 3),
            ("In neither", lambda e: width_of_band(e.better) >= 10),
        ),
        (
            says(
                lambda e: (
                    "At the last hidden layer the signals of eight seeds differ by "
                    f"{band(e.better)} with 128 units, and {band(e.case)} with 8."
                ),
                lambda e: width_of_band(e.better) < 10 and width_of_band(e.case) > 100,
            ),
        ),
        variants=seeds,
        settings=(DEPTH,),
        until="What theory says is of wide nets: at 8 units a draw is luck.",
        sources=("B. Hanin, D. Rolnick: How to start training (2018).",),
    ),
)
