"""Part B: constants, and symmetry in part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.derivation.notation import Entry
from fanin.lab.lessons.course.small_net import (
    constant_c,
    lesson,
    moves,
    proved,
    question,
    refuted,
    says,
    stay_equal,
)
from fanin.lab.lessons.stepping.words import printed

if TYPE_CHECKING:
    from fanin.lab.lessons.stepping.evidence import Evidence


def within_a_unit(e: Evidence) -> bool:
    """Ask whether two weights of one unit come apart in the run."""
    return e.run.spread(Entry(1, 1, 1), Entry(1, 2, 1)) > 0


LESSONS = (
    lesson(
        "B1",
        question(
            "Every weight starts at the same c. After training, which are still equal?",
            (
                "All elements of W1",
                lambda e: not within_a_unit(e) and stay_equal(e),
            ),
            (
                "The two hidden units, but not the weights within one",
                lambda e: within_a_unit(e) and stay_equal(e),
            ),
            ("None", lambda e: not stay_equal(e)),
        ),
        (
            says("Everything moves.", lambda e: not e.frozen),
            says(
                "The hidden units are twins for ever: dL/dw₁₁ = dL/dw₁₂ (both carry "
                "x₁) and dL/dw₂₁ = dL/dw₂₂ (both carry x₂).",
                lambda e: proved("dL/dw₁₁ = dL/dw₁₂")(e) and stay_equal(e),
            ),
            says(
                "Weights within one unit do come apart, since w₁₁ sees x₁ and w₂₁ sees "
                "x₂: “all elements of W1 stay equal” is wrong.",
                lambda e: refuted("All elements of W1")(e) and within_a_unit(e),
            ),
            says(
                lambda e: (
                    "So the net works as one with a single hidden unit: its loss ends "
                    f"at {printed(e.far.losses[-1])}, the drawn start's at "
                    f"{printed(e.better_far.losses[-1])}."
                ),
                lambda e: (
                    proved("is a net with one unit")(e)
                    and e.far.losses[-1] > 10 * e.better_far.losses[-1]
                ),
            ),
        ),
        rate=0.1,
        constant=constant_c(0.4),
    ),
    lesson(
        "B2",
        question(
            "The hidden weights are all c, but the output weights differ. Are the "
            "hidden units twins?",
            ("Yes: they start equal", lambda e: e.are_twins),
            ("No: they come apart", lambda e: not e.are_twins),
        ),
        (
            says(
                "They come apart at the first update: each gets the error times its "
                "own output weight.",
                lambda e: (
                    e.run.moments[1].parameters[Entry(1, 1, 1)]
                    != e.run.moments[1].parameters[Entry(1, 1, 2)]
                ),
            ),
            says(
                "Two units stay equal for ever if and only if they share all three: "
                "incoming weights, bias and outgoing weights.",
                proved("if and only if they share all three"),
            ),
        ),
        rate=0.1,
        constant=constant_c(0.4),
    ),
    lesson(
        "B3",
        question(
            "The hidden weights are random, the whole output layer is 0. A trap?",
            ("Yes: W2 = 0 locks W1", lambda e: "W1" in e.frozen),
            (
                "No: W2 moves first, then W1",
                lambda e: e.step_of("W2") == 1 and e.step_of("W1") == 2,
            ),
            ("No: all move at once", lambda e: e.step_of("W1") == 1),
        ),
        (
            says(
                "W2 and b2 move at the first update, W1 and b1 at the second: one zero "
                "layer at the end is safe; heads and residual branches use it.",
                moves(W2=1, b2=1, W1=2, b1=2),
            ),
            says("The units stay different.", lambda e: not e.are_twins),
            says(
                lambda e: (
                    f"The loss falls from {printed(e.far.losses[0])} to "
                    f"{printed(e.far.losses[-1])}."
                ),
                lambda e: e.far.losses[-1] < 0.5 * e.far.losses[0],
            ),
        ),
        rate=0.1,
        until="Two zero layers in a row lock each other: A1.",
        sources=(
            "H. Zhang, Y. Dauphin, T. Ma: Fixup initialization (2019).",
            (
                "S. De, S. Smith: Batch normalization biases residual blocks towards "
                "the identity function in deep networks (2020)."
            ),
        ),
    ),
    lesson(
        "B4",
        question(
            "All weights are c, and each hidden unit is dropped half of the time, by "
            "chance. Do the units stay equal?",
            ("Yes", lambda e: e.claim("With dropout").holds is not False),
            ("No: their masks differ", lambda e: not e.claim("With dropout").holds),
        ),
        (
            says(
                "A unit that is dropped gets no gradient while the other does, so they "
                "come apart.",
                lambda e: (
                    refuted("With dropout")(e)
                    and e.run.spread(Entry(1, 1, 1), Entry(1, 1, 2)) > 0
                ),
            ),
            says(
                "One mask for the whole layer would keep them equal.",
                proved("mask shared by all units"),
            ),
        ),
        rate=0.1,
        constant=constant_c(0.4),
        until="A draw is still better: noise takes updates to do what it does at once.",
        sources=("A. Zhang and others: Dive into Deep Learning, section 5.4.",),
    ),
    lesson(
        "B5",
        question(
            "Of three hidden units, unit 2 is a copy of unit 1. Who stays equal?",
            (
                "1 and 2 for ever; 3 goes its own way",
                lambda e: e.derivation.ties[0].blocks == ((1, 2), (3,)),
            ),
            ("All three", lambda e: e.are_twins),
            ("None", lambda e: len(e.derivation.ties[0].blocks) == 3),
        ),
        (
            says(
                "Units 1 and 2 stay equal to the last digit; unit 3 goes its own way.",
                lambda e: (
                    e.run.spread(Entry(1, 1, 1), Entry(1, 1, 2)) == 0
                    and e.run.spread(Entry(1, 1, 1), Entry(1, 1, 3)) > 0
                ),
            ),
            says(
                "The layer of three works as a layer of two.",
                lambda e: len(e.derivation.ties[0].blocks) == 2,
            ),
        ),
        rate=0.1,
    ),
    lesson(
        "B6",
        question(
            "Linear regression from a constant c in every weight. Are there twins?",
            (
                "No: there are no hidden units, and it ends as a drawn start does",
                lambda e: (
                    not e.derivation.ties
                    and abs(e.far.losses[-1] - e.better_far.losses[-1]) < 1e-6
                ),
            ),
            ("Yes: w₁ = w₂ for ever", lambda e: not within_a_unit(e)),
        ),
        (
            says("The two weights come apart: each sees its own input.", within_a_unit),
            says(
                lambda e: (
                    "It ends where a drawn start ends, at a loss of "
                    f"{printed(e.far.losses[-1])}: the loss is convex."
                ),
                lambda e: (
                    abs(e.far.losses[-1] - e.better_far.losses[-1]) < 1e-6
                    and proved("linear regression is convex")(e)
                ),
            ),
        ),
        rate=0.1,
        constant=constant_c(0.4),
        until="With a hidden layer the constant makes twins: B1.",
    ),
)
