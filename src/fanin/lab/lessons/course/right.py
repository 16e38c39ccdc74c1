"""Part E: the right scale, and what it is right for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.lab.lessons.course.asking import (
    drift,
    gradient_drift,
    halves,
    is_settled,
    is_steady,
)
from fanin.lab.lessons.course.deep_net import (
    DEPTH,
    a_layer,
    as_theory_says,
    lesson,
    scale,
    versus,
)
from fanin.lab.lessons.course.scale import GLOROT, HE, SIDE_BY_SIDE
from fanin.lab.lessons.course.small_net import question, says
from fanin.report.page import number

if TYPE_CHECKING:
    from fanin.lab.lessons.lesson import Statement

PART = "The right scale"


def kept(name: str) -> tuple[Statement, ...]:
    """State that the better start keeps its signal, as theory says."""
    return (
        says(
            lambda e: f"{name} keeps the signal: {a_layer(e.better)}.",
            lambda e: is_steady(e.better) and as_theory_says(e.better),
        ),
    )


LESSONS = (
    lesson(
        "E1",
        PART,
        "LeCun: Var(w) = 1/fan_in",
        question(
            "A unit sums fan_in terms. Which variance of its weights keeps the size of "
            "the sum, in a net with no activation?",
            ("1", lambda e: is_steady(e.case)),
            ("1/fan_in", lambda e: is_steady(e.better)),
            ("1/fan_in²", lambda e: not is_steady(e.case) and not is_steady(e.better)),
        ),
        kept("Var(w) = 1/fan_in"),
        variants=versus("N(0, 1)", "normal", "identity", ("lecun_normal", "identity")),
        settings=(
            scale(1, "std of the weights"),
            type(DEPTH)(name="depth", label="layers", usual=20, low=2, high=35, step=1),
        ),
        derivation="lecun",
        sources=("Y. LeCun, L. Bottou, G. Orr, K. Müller: Efficient BackProp (1998).",),
    ),
    lesson(
        "E2",
        PART,
        "Glorot with tanh",
        question(
            "Glorot asks that a layer keep the signal forward and the gradient back. "
            "In 30 tanh layers, is either off by a factor of a thousand?",
            (
                "No: both stay within it",
                lambda e: drift(e.better) < 1e3 and gradient_drift(e.better) < 1e3,
            ),
            (
                "Yes, the gradient is",
                lambda e: gradient_drift(e.better) >= 1e3,
            ),
        ),
        (
            says(
                lambda e: (
                    "Over the whole net the signal changes by "
                    f"{number(drift(e.better))} times at most, the gradient by "
                    f"{number(gradient_drift(e.better))}."
                ),
                lambda e: drift(e.better) < 1e3 and gradient_drift(e.better) < 1e3,
            ),
            says(
                "It still fades slowly, since tanh passes a little less than it gets: "
                "theory says the same.",
                lambda e: 0.9 < e.better.per_layer < 1 and as_theory_says(e.better),
            ),
            SIDE_BY_SIDE,
        ),
        variants=versus(
            "0.3 × Glorot", "glorot_normal", "tanh", ("glorot_normal", "tanh")
        ),
        settings=(scale(0.3, "Glorot times"), DEPTH),
        derivation="glorot",
        sources=(GLOROT,),
    ),
    lesson(
        "E3",
        PART,
        "Glorot with ReLU halves",
        question(
            "Glorot's variance with ReLU, in square layers. What does one layer do to "
            "the second moment?",
            ("It halves it", halves),
            ("It keeps it", lambda e: is_steady(e.case)),
            ("It doubles it", lambda e: e.case.per_layer > 1.3),
        ),
        (
            says(
                lambda e: (
                    f"The signal goes {a_layer(e.case)}, which is √½: ReLU passes half "
                    "of the second moment, and Glorot does not make up for it."
                ),
                lambda e: halves(e) and as_theory_says(e.case),
            ),
            *kept("He"),
            SIDE_BY_SIDE,
        ),
        variants=versus(
            "glorot normal", "glorot_normal", "relu", ("he_normal", "relu")
        ),
        settings=(scale(1, "Glorot times"), DEPTH),
        derivation="he",
        sources=(GLOROT, HE),
    ),
    lesson(
        "E4",
        PART,
        "He with ReLU",
        question(
            "ReLU passes half of the second moment. What must Var(w) be to keep it?",
            ("2/fan_in", lambda e: is_steady(e.better)),
            ("1/fan_in, as before", lambda e: is_steady(e.case)),
        ),
        (
            says(
                lambda e: f"1/fan_in loses it, {a_layer(e.case)}.",
                halves,
            ),
            *kept("2/fan_in"),
            SIDE_BY_SIDE,
        ),
        variants=versus("lecun normal", "lecun_normal", "relu", ("he_normal", "relu")),
        settings=(scale(1, "LeCun times"), DEPTH),
        derivation="he",
        sources=(HE,),
    ),
    lesson(
        "E5",
        PART,
        "He with tanh",
        question(
            "He's factor 2 with tanh, which passes small signals whole. What happens?",
            (
                "It settles where tanh bends",
                lambda e: is_settled(e.case),
            ),
            ("It explodes", lambda e: e.case.reading.rms[-2] > 1e3),
            ("It fades", lambda e: e.case.reading.rms[-2] < 1e-3),
        ),
        (
            says(
                lambda e: (
                    "The signal settles at a root mean square of "
                    f"{number(e.case.reading.rms[-2])}, where theory has "
                    f"{number(e.case.expected.rms[-2])}: small signals double, large "
                    "ones are bent."
                ),
                lambda e: is_settled(e.case) and as_theory_says(e.case),
            ),
            says(
                lambda e: (
                    "Samples drift apart whatever they are: the mean cosine of two is "
                    f"{number(e.case.reading.likeness[-2])} at the last hidden layer."
                ),
                lambda e: e.case.reading.likeness[-2] < 0.5,
            ),
            says(
                lambda e: (
                    "That is no failure: in training the loss goes to "
                    f"{number(e.case.recent_loss)} with He, to "
                    f"{number(e.better.recent_loss)} with Glorot."
                ),
                lambda e: e.case.recent_loss < e.better.recent_loss,
            ),
        ),
        variants=versus("he normal", "he_normal", "tanh", ("glorot_normal", "tanh")),
        settings=(scale(1, "He times"), DEPTH),
        derivation="he",
        sources=(HE, GLOROT),
    ),
)
