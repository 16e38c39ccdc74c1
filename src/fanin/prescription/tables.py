"""What each role gets under the policy "auto", where the walk does not decide a scale.

Every role is in exactly one of the tables below; a test holds that.
"""

from __future__ import annotations

from typing import Final

from fanin.graph.roles import RoleKind

CELLS: Final = frozenset(
    {
        RoleKind.RECURRENT,
        RoleKind.INPUT_TO_HIDDEN,
        RoleKind.FORGET_GATE,
        RoleKind.INPUT_GATE,
        RoleKind.OUTPUT_GATE,
        RoleKind.CANDIDATE,
        RoleKind.RESET_GATE,
        RoleKind.UPDATE_GATE,
    }
)
"""Weights of recurrent cells: their outputs add up over steps."""

SCALED: Final = CELLS | frozenset(
    {
        RoleKind.HIDDEN,
        RoleKind.INPUT_LAYER,
        RoleKind.HEAD,
        RoleKind.BRANCH_END,
        RoleKind.CONTRACTED,
        RoleKind.FUSED,
        RoleKind.QUERY,
        RoleKind.KEY,
        RoleKind.VALUE,
        RoleKind.QKV,
        RoleKind.ATTENTION_OUTPUT,
        RoleKind.GATE,
        RoleKind.UP,
        RoleKind.GATE_UP,
        RoleKind.DOWN,
        RoleKind.ROUTER,
        RoleKind.EXPERT,
        RoleKind.LOW_RANK_DOWN,
        RoleKind.EMBEDDING,
        RoleKind.TIED_EMBEDDING,
    }
)
"""Weights that are drawn, with a std that the walk in ``choosing/choose.py`` finds."""

ZERO: Final = (0.0, "Starts at 0: no unit is favoured.")
CONSTANTS: Final = {
    RoleKind.BIAS: ZERO,
    RoleKind.HEAD_BIAS: ZERO,
    RoleKind.NORM_SHIFT: ZERO,
    RoleKind.POSITION_BIAS: (
        0.0,
        (
            "Starts at 0: attention favours no distance, and each entry gets a "
            "gradient of its own."
        ),
    ),
    RoleKind.LOW_RANK_UP: (
        0.0,
        (
            "Starts at 0, so that the adapter changes nothing yet; the weight before "
            "it is drawn, so that this one gets a gradient (Hu et al. 2021, section "
            "4.1)."
        ),
    ),
}
"""Parameters that are filled with one number."""

FITTED: Final = frozenset({RoleKind.NORM_GAIN, RoleKind.WEIGHT_LENGTH})
"""Parameters filled with a number that depends on how they are used (``fitted.py``)."""

SUMMED: Final = frozenset({RoleKind.TABLE, RoleKind.POSITION_TABLE})
"""Tables that are added: each has its share of the sum, 1/√k of k."""

BESIDE: Final = {
    RoleKind.CLASS_VECTOR: "Stands in a sequence as a position of its own",
    RoleKind.MASK_VECTOR: "Stands in a sequence in place of some positions",
    RoleKind.LEARNED_INPUT: "Read where an activation could be",
}
"""Values that stand where activations do, and are drawn as large as those."""

KEPT: Final = {
    RoleKind.STATE_MATRIX: (
        "Kept: decay rates are laid out over time scales, not random; a draw would "
        "forget at once or never."
    ),
    RoleKind.STEP_SIZE: (
        "Kept: step sizes are laid out over time scales together with the state matrix."
    ),
    RoleKind.SKIP: "Kept: it weighs the way around a scan.",
    RoleKind.LOGIT_SCALE: "Kept: it sets the temperature of the softmax that follows.",
    RoleKind.LAYER_SCALE: (
        "Kept: it sets how much of its branch the stream takes up at first."
    ),
    RoleKind.FACTOR: "Kept: it multiplies activations.",
    RoleKind.WEIGHT_PART: "Kept: it is one of several that a weight is computed from.",
    RoleKind.UNREAD: "Kept: no operation that ran reads it.",
    RoleKind.UNKNOWN: "Kept: fanin does not understand how it is read",
}
"""Parameters that keep their values, and why."""
