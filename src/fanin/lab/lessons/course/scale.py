"""Parts C and D: too small, too large."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.lab.lessons.course.deep_net import (
    DEPTH,
    a_layer,
    as_theory_says,
    grows,
    keeps,
    learns_where_the_case_does_not,
    lesson,
    scale,
    shrinks,
    trained,
    versus,
)
from fanin.lab.lessons.course.small_net import question, says
from fanin.report.page import number

if TYPE_CHECKING:
    from fanin.lab.lessons.layers.evidence import Looks

SMALL, LARGE = "Too small", "Too large"
GLOROT = (
    "X. Glorot, Y. Bengio: Understanding the difficulty of training deep feedforward "
    "neural networks (2010)."
)
HE = "K. He, X. Zhang, S. Ren, J. Sun: Delving deep into rectifiers (2015)."
SCHOENHOLZ = "S. Schoenholz and others: Deep information propagation (2017)."


def gradient_share(e: Looks) -> float:
    """Give the gradient at layer 1 over that at the output, of the case."""
    back = e.case.reading.gradient_rms
    return back[0] / back[-1]


def faded(share: float) -> str:
    """Say what is left of something; what float32 cannot carry on is 0.

    >>> faded(0.0), faded(0.25)
    ('nothing', '0.25')
    """
    return number(share) if share else "nothing"


FADING = (
    says(
        lambda e: f"The signal goes {a_layer(e.case)}, as theory says.",
        lambda e: e.case.per_layer < 0.7 and as_theory_says(e.case),
    ),
    says(
        lambda e: (
            "The gradient fades on its way back too: at layer 1 there is "
            f"{faded(gradient_share(e))} left of what it is at the output."
        ),
        lambda e: gradient_share(e) < 1e-6,
    ),
    says(
        lambda e: f"{e.better.label.capitalize()} keeps it: {a_layer(e.better)}.",
        lambda e: 0.85 < e.better.per_layer < 1.15,
    ),
)
SIDE_BY_SIDE = says(trained, learns_where_the_case_does_not)
WHAT_HAPPENS = (
    ("It fades layer by layer", shrinks),
    ("It stays about the same", keeps),
    ("It grows layer by layer", grows),
)

LESSONS = (
    lesson(
        "C1",
        SMALL,
        "Weights × 0.01, tanh",
        question(
            "Weights from N(0, 0.01²), 30 layers of 128 tanh units. What happens to "
            "the signal?",
            *WHAT_HAPPENS,
        ),
        (*FADING, SIDE_BY_SIDE),
        variants=versus("0.01·N(0, 1)", "normal", "tanh", ("glorot_normal", "tanh")),
        settings=(scale(0.01, "std of the weights"), DEPTH),
        derivation="glorot",
        sources=(GLOROT,),
    ),
    lesson(
        "C2",
        SMALL,
        "Weights × 0.01, ReLU",
        question(
            "The same small weights with ReLU, which passes only what is positive. "
            "Faster or slower than tanh?",
            (
                "Faster: half of the second moment is lost as well",
                lambda e: e.case.per_layer < 0.01 * 128**0.5,
            ),
            (
                "As fast: only the weights count",
                lambda e: not e.case.per_layer < 0.01 * 128**0.5,
            ),
        ),
        (*FADING, SIDE_BY_SIDE),
        variants=versus("0.01·N(0, 1)", "normal", "relu", ("he_normal", "relu")),
        settings=(scale(0.01, "std of the weights"), DEPTH),
        derivation="he",
        sources=(HE,),
    ),
    lesson(
        "C3",
        SMALL,
        "Weights × 0.01, sigmoid",
        question(
            "Small weights with sigmoid units: their outputs are all near ½. What "
            "vanishes?",
            (
                "The gradient, and what differs between samples",
                lambda e: gradient_share(e) < 1e-6 and keeps(e),
            ),
            ("The signal itself", shrinks),
            ("Nothing: ½ is a healthy size", lambda e: gradient_share(e) > 0.1),
        ),
        (
            says(
                lambda e: (
                    "The size of z stays, but the gradient at layer 1 is "
                    f"{faded(gradient_share(e))} of that at the output: each layer "
                    "takes a quarter at most, σ′ ≤ ¼, times the small weights."
                ),
                lambda e: gradient_share(e) < 1e-6,
            ),
            says(
                lambda e: (
                    "All samples look alike: the mean cosine between two of them is "
                    f"{number(e.case.reading.likeness[-2])} at the last hidden layer."
                ),
                lambda e: e.case.reading.likeness[-2] > 0.99,
            ),
        ),
        variants=versus("0.01·N(0, 1)", "normal", "sigmoid", ("glorot_normal", "tanh")),
        settings=(scale(0.01, "std of the weights"), DEPTH),
        sources=(GLOROT,),
    ),
    lesson(
        "D1",
        LARGE,
        "Weights × 1, tanh",
        question(
            "Weights from N(0, 1), tanh. The outputs cannot pass ±1. So what is wrong?",
            (
                "Most units sit at ±1, where tanh is flat",
                lambda e: e.case.reading.flat[-1] > 0.5,
            ),
            ("The signal fades", shrinks),
            (
                "Nothing: tanh keeps it in bounds",
                lambda e: e.case.reading.flat[-1] < 0.1,
            ),
        ),
        (
            says(
                lambda e: (
                    f"At the last hidden layer {number(100 * e.case.reading.flat[-1])} "
                    "% of the entries are saturated: tanh′ is below 5 % of its peak."
                ),
                lambda e: e.case.reading.flat[-1] > 0.5,
            ),
            says(
                lambda e: (
                    "Yet the gradient explodes on its way back, to "
                    f"{number(gradient_share(e))} times its size: the few units that "
                    "are not flat meet weights that are far too large."
                ),
                lambda e: gradient_share(e) > 1e3,
            ),
        ),
        variants=versus("N(0, 1)", "normal", "tanh", ("glorot_normal", "tanh")),
        settings=(scale(1, "std of the weights"), DEPTH),
        derivation="glorot",
        sources=(GLOROT, SCHOENHOLZ),
    ),
    lesson(
        "D2",
        LARGE,
        "Weights × 1, sigmoid",
        question(
            "Weights from N(0, 1), sigmoid. How does its first loss compare with "
            "guessing evenly?",
            ("Much worse", lambda e: e.case.reading.loss > 2 * e.better.reading.loss),
            (
                "About the same",
                lambda e: e.case.reading.loss < 2 * e.better.reading.loss,
            ),
        ),
        (
            says(
                lambda e: (
                    f"The first loss is {number(e.case.reading.loss)}; the better "
                    f"start has {number(e.better.reading.loss)}."
                ),
                lambda e: e.case.reading.loss > 2 * e.better.reading.loss,
            ),
            says(
                lambda e: (
                    f"{number(100 * e.case.reading.flat[-1])} % of the entries of the "
                    "last hidden layer are where σ is flat."
                ),
                lambda e: e.case.reading.flat[-1] > 0.3,
            ),
        ),
        variants=versus("N(0, 1)", "normal", "sigmoid", ("glorot_normal", "tanh")),
        settings=(scale(1, "std of the weights"), DEPTH),
        sources=(GLOROT,),
    ),
    lesson(
        "D3",
        LARGE,
        "Weights × 1, ReLU",
        question(
            "Weights from N(0, 1), ReLU, which has no upper bound. And now?",
            *WHAT_HAPPENS,
        ),
        (
            says(
                lambda e: (
                    f"The signal explodes, {a_layer(e.case)}; the first loss is "
                    f"{number(e.case.reading.loss)}."
                ),
                lambda e: grows(e) and as_theory_says(e.case),
            ),
            says(
                "The first update makes numbers that are not finite.",
                lambda e: len(e.case.losses) < 5,
            ),
        ),
        variants=versus("N(0, 1)", "normal", "relu", ("he_normal", "relu")),
        settings=(scale(1, "std of the weights"), DEPTH),
        derivation="he",
        sources=(HE,),
    ),
    lesson(
        "D4",
        LARGE,
        "A chain of matrix products",
        question(
            "No activation at all: an input times 35 random matrices from N(0, 1), "
            "128 × 128. What comes out?",
            *WHAT_HAPPENS,
        ),
        (
            says(
                lambda e: (
                    f"Each product multiplies the signal by √128 in the mean: "
                    f"{a_layer(e.case)} here."
                ),
                lambda e: abs(e.case.per_layer / 128**0.5 - 1) < 0.05,
            ),
            says(
                lambda e: (
                    f"With Var(w) = 1/fan_in it keeps its size: {a_layer(e.better)}."
                ),
                lambda e: abs(e.better.per_layer - 1) < 0.05,
            ),
        ),
        variants=versus("N(0, 1)", "normal", "identity", ("lecun_normal", "identity")),
        settings=(
            scale(1, "std of the weights"),
            type(DEPTH)(name="depth", label="layers", usual=35, low=2, high=35, step=1),
        ),
        derivation="lecun",
    ),
)
