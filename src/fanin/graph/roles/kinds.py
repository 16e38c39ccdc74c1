"""The roles that a parameter can have, and the record of one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RoleKind(StrEnum):
    """What a parameter is for."""

    HIDDEN = "hidden"
    INPUT_LAYER = "input layer"
    """Reads the model's input."""
    HEAD = "head"
    """Writes the model's output."""
    BRANCH_END = "branch end"
    """Last weight of a residual branch."""
    CONTRACTED = "contracted"
    """Its output is contracted with another activation, outside of attention."""
    FUSED = "fused"
    """Its output is cut into parts of several roles: see the slices."""

    QUERY = "query"
    KEY = "key"
    VALUE = "value"
    QKV = "fused query, key, value"
    """Queries, keys and values, or two of them, in one weight: see the slices."""
    ATTENTION_OUTPUT = "attention output"
    """Reads values that were mixed by softmax shares."""

    GATE = "gate"
    """Its output, through an activation, multiplies another activation."""
    UP = "up"
    """Its output, as it is, is multiplied by a gate."""
    GATE_UP = "fused gate, up"
    DOWN = "down"
    """Reads the product of a gate and what it gates."""
    ROUTER = "router"
    """Its output says how much of each expert is taken."""
    EXPERT = "expert"
    """A stack of weights, of which a router chooses a few."""

    RECURRENT = "recurrent"
    """Applied to a value computed through itself, one step earlier."""
    INPUT_TO_HIDDEN = "input to hidden"
    """Adds the input of a step to what a recurrent weight gives."""
    FORGET_GATE = "forget gate"
    INPUT_GATE = "input gate"
    OUTPUT_GATE = "output gate"
    CANDIDATE = "candidate"
    RESET_GATE = "reset gate"
    UPDATE_GATE = "update gate"

    STATE_MATRIX = "state matrix"
    """Sets how fast a state decays, inside an exponential."""
    STEP_SIZE = "step size"
    """Its output, made positive, multiplies a state matrix."""
    SKIP = "skip"
    """A factor on a way around everything else that its sum adds up."""

    LOW_RANK_DOWN = "low-rank down"
    LOW_RANK_UP = "low-rank up"
    """The two weights of an adapter beside a weight that reads the same tensor."""
    WEIGHT_LENGTH = "weight length"
    """Sets the size of a weight of which another parameter sets the direction."""
    WEIGHT_PART = "weight part"
    """Another weight is computed from it."""

    EMBEDDING = "embedding"
    TIED_EMBEDDING = "tied embedding"
    POSITION_TABLE = "position table"
    """One vector a position, added."""
    POSITION_BIAS = "relative position bias"
    """Added to the logits of attention."""
    CLASS_VECTOR = "class token"
    """Joined to the sequence as positions of its own."""
    MASK_VECTOR = "mask token"
    """Written into the sequence in place of some positions."""
    LEARNED_INPUT = "learned input"
    """Read in place of an activation, as learned queries are."""
    TABLE = "table"
    """Added to activations as it is."""

    BIAS = "bias"
    HEAD_BIAS = "head bias"
    NORM_GAIN = "norm gain"
    NORM_SHIFT = "norm shift"
    FACTOR = "factor"
    """Multiplies activations."""
    LAYER_SCALE = "layer scale"
    """Multiplies the end of a residual branch."""
    LOGIT_SCALE = "logit scale"
    """One number that multiplies a contraction of activations."""

    UNREAD = "unread"
    """No operation of this run reads it."""
    UNKNOWN = "unknown"
    """Read in a way that fanin does not understand."""


@dataclass(frozen=True, kw_only=True)
class RoleSlice:
    """Which units of a weight's output have a role of their own.

    Those units ``u`` with ``start ≤ u mod period < start + size``: period is the number
    of units where each role has one run of them, less where heads are interleaved.

    >>> key = RoleSlice(kind=RoleKind.KEY, start=4, size=4, period=12)
    >>> [unit for unit in range(24) if key.holds(unit)]
    [4, 5, 6, 7, 16, 17, 18, 19]
    """

    kind: RoleKind
    start: int
    size: int
    period: int

    def holds(self, unit: int) -> bool:
        """Say whether a unit belongs to the slice."""
        return self.start <= unit % self.period < self.start + self.size


@dataclass(frozen=True, kw_only=True)
class Role:
    """The role of one parameter, and how it was found.

    node: id of the first node that uses it, None if none does. origin: id of the node
    whose numbers a weight reads, seen through pooling and reshaping; activation: id of
    the activation that its output goes through next. n_branches: branches that the
    stream takes up whose branch it ends; 0 where it ends none. n_summed: operands of a
    plain sum that it feeds. slices: of a fused weight, and of its bias.
    is_scale_free: a normalization follows, so the scale does not reach the function.
    is_depthwise: one kernel a channel. n_uses: nodes that use the parameter.
    """

    kind: RoleKind
    evidence: str
    node: int | None = None
    origin: int | None = None
    activation: int | None = None
    n_branches: int = 0
    n_summed: int = 1
    slices: tuple[RoleSlice, ...] = ()
    is_scale_free: bool = False
    is_depthwise: bool = False
    n_uses: int = 1

    @property
    def is_known(self) -> bool:
        """Say whether fanin understands what the parameter does in this run."""
        return self.kind is not RoleKind.UNKNOWN
