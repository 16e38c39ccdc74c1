"""Part A: zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.lab.lessons.course.small_net import (
    BETA,
    SLOPE,
    lesson,
    moves,
    proved,
    question,
    refuted,
    says,
    stay_equal,
)
from fanin.lab.lessons.stepping.run import constant_loss
from fanin.lab.lessons.stepping.words import printed

if TYPE_CHECKING:
    from fanin.lab.lessons.stepping.evidence import Evidence

ANY_RATE = (
    "Dropout does not free it. A bias that is not 0, an activation with φ(0) ≠ 0, or "
    "one random layer at the right place does: see A3, A4 and B3."
)


def ends_at_the_mean(e: Evidence) -> bool:
    """Ask whether a long run ends as the best constant, above a drawn start's loss."""
    floor = constant_loss(e.run.net, e.run.batch)
    is_there = abs(e.far.losses[-1] - floor) < 1e-6 * floor
    return is_there and e.better_far.losses[-1] < floor / 2


def stuck_at(e: Evidence) -> str:
    """Say what the locked net ends at."""
    return (
        f"The loss ends at {printed(e.far.losses[-1])}, which is the best that one "
        "constant prediction can do on these samples."
    )


LOCKED = (
    says(
        "Only the output bias b2 ever moves. No weight and no hidden bias does.",
        moves(W1=None, b1=None, W2=None, b2=1),
    ),
    says(
        "Two locks hold each other: the activations are 0, so W2 gets no gradient; W2 "
        "is 0, so W1 and b1 get none.",
        proved("holds a factor that is 0"),
    ),
    says(stuck_at, ends_at_the_mean),
)

LESSONS = (
    lesson(
        "A1",
        question(
            "Every weight and bias is 0, the hidden units are ReLU. After many "
            "updates, what has moved?",
            ("Nothing at all", lambda e: len(e.frozen) == len(e.run.net.tensors)),
            (
                "Only the output bias",
                lambda e: set(e.frozen) == {"W1", "b1", "W2"},
            ),
            ("The output layer: W2 and b2", lambda e: set(e.frozen) == {"W1", "b1"}),
            ("Everything, slowly", lambda e: not e.frozen),
        ),
        (
            *LOCKED,
            says(
                "ReLU's derivative at 0 is not the reason: the lock holds for any "
                "activation with φ(0) = 0, whatever its derivative.",
                lambda e: (
                    refuted("because the derivative of relu")(e)
                    and proved("any activation φ with φ(0) = 0")(e)
                ),
            ),
            says(
                "Nor is it that the loss might be the same for y = 0 and y = 1: a "
                "factor of each chain-rule product is 0, and its name is dŷ/da₁₁ for "
                "W1 and dŷ/dw₁₁⁽²⁾ for W2.",
                lambda e: (
                    refuted("the loss is the same")(e)
                    and "dŷ/da₁₁" in e.claim("holds a factor").proof.steps[0].text
                    and "dŷ/dw₁₁⁽²⁾" in e.claim("holds a factor").proof.steps[1].text
                ),
            ),
        ),
        rate=0.1,
        until=ANY_RATE,
    ),
    lesson(
        "A2",
        question(
            "tanh has slope 1 at 0, where ReLU's is 0 or a matter of choice. Does that "
            "free the weights?",
            ("Yes, all of them move", lambda e: not e.frozen),
            ("W2 moves, W1 does not", lambda e: "W2" not in e.frozen),
            ("No: again only the output bias", lambda e: "W2" in e.frozen),
        ),
        LOCKED,
        rate=0.2,
        until=ANY_RATE,
    ),
    lesson(
        "A3",
        question(
            "σ(0) = ½: the activations are not 0 any more. What happens to the two "
            "hidden units?",
            ("They stay at 0", lambda e: "W1" in e.frozen),
            (
                "They move, and stay equal to each other",
                lambda e: "W1" not in e.frozen and e.are_twins,
            ),
            ("They move apart", lambda e: "W1" not in e.frozen and not e.are_twins),
        ),
        (
            says(
                "W2 and b2 move at the first update, W1 and b1 at the second: they "
                "wait for W2 to leave 0.",
                moves(W2=1, b2=1, W1=2, b1=2),
            ),
            says("The hidden units stay equal for ever.", stay_equal),
        ),
        rate=0.4,
    ),
    lesson(
        "A4",
        question(
            "The weights are 0, but the hidden biases are β > 0, so ReLU lets "
            "something through. Is that enough?",
            ("Nothing moves", lambda e: "W1" in e.frozen),
            (
                "All moves, but the units stay equal",
                lambda e: not e.frozen and e.are_twins,
            ),
            ("All moves and the units differ", lambda e: not e.are_twins),
        ),
        (
            says("Everything moves.", lambda e: not e.frozen),
            says(
                "The hidden units stay equal for ever: the net works as one with a "
                "single hidden unit.",
                stay_equal,
            ),
        ),
        rate=0.1,
        constant=BETA,
    ),
    lesson(
        "A5",
        question(
            "Three layers in place of two, all 0. Do more layers help?",
            ("Yes: more paths, more gradient", lambda e: len(e.frozen) < 4),
            (
                "No: only the last bias moves",
                lambda e: set(e.frozen) == set(e.run.net.tensors[:-1]),
            ),
            ("No: nothing moves at all", lambda e: len(e.frozen) == 6),
        ),
        (
            says(
                "Only the last bias moves, however many layers stand before it.",
                lambda e: set(e.frozen) == set(e.run.net.tensors[:-1]),
            ),
            says(stuck_at, ends_at_the_mean),
        ),
        rate=0.1,
        net="2-2-2-1",
        until=ANY_RATE,
    ),
    lesson(
        "A6",
        question(
            "No hidden layer: linear regression, all weights 0. A bad start?",
            ("Yes, it is locked too", lambda e: bool(e.frozen)),
            (
                "No, it ends where a drawn start ends",
                lambda e: (
                    not e.frozen
                    and abs(e.far.losses[-1] - e.better_far.losses[-1]) < 1e-6
                ),
            ),
        ),
        (
            says("Both arrays move at the first update.", moves(W1=1, b1=1)),
            says(
                "The loss is convex in the weights, so no start can be a trap.",
                proved("linear regression is convex"),
            ),
            says(
                lambda e: (
                    "From 0 and from a drawn start the loss ends at the same "
                    f"{printed(e.far.losses[-1])}."
                ),
                lambda e: abs(e.far.losses[-1] - e.better_far.losses[-1]) < 1e-6,
            ),
        ),
        rate=0.1,
        until="With a hidden layer the loss is not convex, and zero is a trap: A1.",
    ),
    lesson(
        "A7",
        question(
            "Only W1 and b1 are 0; W2 is not. The hidden units are ReLU, with "
            "φ′(0) = 0 as in torch.relu. Does W1 move?",
            ("Yes: W2 sends gradient back", lambda e: "W1" not in e.frozen),
            ("No: φ′(0) = 0 stops it", lambda e: "W1" in e.frozen),
        ),
        (
            says(
                "With φ′(0) = 0 (torch.relu, jax.nn.relu) W1 is locked for ever.",
                lambda e: e.settings["slope"] != 0 or "W1" in e.frozen,
            ),
            says(
                "With φ′(0) = ½ or 1 (maximum(z, 0), clamp(min=0)) it moves at once: "
                "set the slider and see.",
                lambda e: (
                    refuted("′(0) = ½ no weight")(e)
                    and refuted("′(0) = 1 no weight")(e)
                    if e.settings["slope"] == 0
                    else moves(W1=1)(e)
                ),
            ),
        ),
        rate=0.1,
        further=(SLOPE,),
        until="A zero layer at the end, in front of no activation, is safe: B3.",
        sources=(),
    ),
    lesson(
        "A8",
        question(
            "All is 0, the units are sigmoids, two samples are of class 1 and two of "
            "class 0. What does a full-batch update move?",
            ("The output bias", lambda e: e.step_of("b2") == 1),
            ("W2 and the output bias", lambda e: e.step_of("W2") == 1),
            ("Nothing", lambda e: e.far.losses[-1] == e.far.losses[0]),
        ),
        (
            says(
                "Nothing moves, not even b2: each sample has a gradient, and they "
                "cancel in the mean.",
                lambda e: (
                    e.far.losses[-1] == e.far.losses[0]
                    and any(
                        p.gradient[e.run.net.entries[-1]] != 0
                        for p in e.run.moments[0].passes
                    )
                ),
            ),
            says(
                "It is a saddle, not a minimum: minibatches that are not balanced free "
                "it.",
                lambda e: (
                    refuted("is a minimum of the loss")(e)
                    and refuted("On minibatches nothing moves")(e)
                ),
            ),
        ),
        rate=0.4,
        until="One unbalanced batch, or one rounding error, and it leaves the saddle.",
        sources=(),
    ),
)
