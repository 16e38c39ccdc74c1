"""Part E, continued: what the laws and the activations ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.lab.lessons.course.asking import drift, inner_drift, is_same, is_steady
from fanin.lab.lessons.course.deep_net import DEPTH, a_layer, lesson, start
from fanin.lab.lessons.course.right import PART
from fanin.lab.lessons.course.scale import HE
from fanin.lab.lessons.course.small_net import question, says
from fanin.report.page import number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.lab.lessons.layers.evidence import Variant

SAXE = "A. Saxe, J. McClelland, S. Ganguli: Exact solutions to deep linear nets (2014)."
KLAMBAUER = "G. Klambauer and others: Self-normalizing neural networks (2017)."


def laws(settings: Mapping[str, float]) -> tuple[Variant, ...]:
    """Give three laws of one variance."""
    return (
        start("uniform", settings, scheme="he_uniform", activation="relu"),
        start("normal", settings, scheme="he_normal", activation="relu"),
    )


def orthogonal(settings: Mapping[str, float]) -> tuple[Variant, ...]:
    """Give Gaussian and orthogonal matrices in a linear net."""
    return (
        start("lecun normal", settings, scheme="lecun_normal", activation="identity"),
        start("orthogonal", settings, scheme="orthogonal", activation="identity"),
    )


def selu(settings: Mapping[str, float]) -> tuple[Variant, ...]:
    """Give SELU with He's and with LeCun's variance."""
    return (
        start("he normal", settings, scheme="he_normal", activation="selu"),
        start("lecun normal", settings, scheme="lecun_normal", activation="selu"),
    )


LESSONS = (
    lesson(
        "E7",
        PART,
        "SELU wants LeCun",
        question(
            "SELU's constants are made for weights of variance 1/fan_in. With He's 2?",
            ("The same", is_same),
            (
                "The signal leaves the size that it was made for",
                lambda e: not is_same(e) and is_steady(e.better),
            ),
        ),
        (
            says(
                lambda e: (
                    "With 1/fan_in the signal is at "
                    f"{number(e.better.reading.rms[-2])} after the last hidden layer, "
                    f"with 2/fan_in at {number(e.case.reading.rms[-2])}."
                ),
                lambda e: not is_same(e) and 0.7 < e.better.reading.rms[-2] < 1.4,
            ),
        ),
        variants=selu,
        settings=(DEPTH,),
        sources=(KLAMBAUER,),
    ),
    lesson(
        "E9",
        PART,
        "Uniform or normal",
        question(
            "He's variance once as a uniform law, once as a normal one. Which keeps "
            "the signal better?",
            ("Uniform", lambda e: is_steady(e.case) and not is_steady(e.better)),
            ("Normal", lambda e: is_steady(e.better) and not is_steady(e.case)),
            (
                "Neither: the variance decides",
                lambda e: is_steady(e.case) and is_steady(e.better),
            ),
        ),
        (
            says(
                lambda e: (
                    f"Uniform: {a_layer(e.case)}; normal: {a_layer(e.better)}. Theory "
                    "asks for the variance alone."
                ),
                lambda e: is_steady(e.case) and is_steady(e.better),
            ),
        ),
        variants=laws,
        settings=(DEPTH,),
        derivation="he",
        sources=(HE,),
    ),
    lesson(
        "E10",
        PART,
        "Orthogonal matrices",
        question(
            "A linear net of Gaussian matrices of the right variance against one of "
            "orthogonal matrices. Which keeps the size of every input exactly?",
            ("Both", lambda e: drift(e.case) < 1.001 and drift(e.better) < 1.001),
            (
                "The orthogonal one: it keeps lengths",
                lambda e: inner_drift(e.better) < 1.001 < inner_drift(e.case),
            ),
            ("Neither", lambda e: inner_drift(e.better) >= 1.001),
        ),
        (
            says(
                lambda e: (
                    "Between square orthogonal layers the signal changes by "
                    f"{number(100 * (inner_drift(e.better) - 1))} % at most; with "
                    "Gaussian ones it wanders, by up to "
                    f"{number(100 * (inner_drift(e.case) - 1))} % in this draw."
                ),
                lambda e: inner_drift(e.better) < 1.001 < inner_drift(e.case),
            ),
        ),
        variants=orthogonal,
        settings=(DEPTH,),
        until=(
            "With an activation between them the lengths are kept nearly at best; with "
            "ReLU the gain √2 is needed, and samples still grow alike."
        ),
        sources=(SAXE,),
    ),
)
