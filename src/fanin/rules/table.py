"""The table of all rules, in order of their codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fanin.registry import Registry
from fanin.rules import (
    fan001_unreached_parameter,
    fan002_no_memory,
    fan003_no_loss,
    fan101_never_moves,
    fan102_late_start,
    fan103_twin_units,
    fan104_identical_units,
    fan105_constant_weight,
    fan106_no_gradient,
    fan201_forward_drift,
    fan202_input_forgotten,
    fan203_unscaled_input,
    fan204_overflow,
    fan301_backward_drift,
    fan302_gradient_underflow,
    fan401_saturated,
    fan402_dead_units,
    fan501_first_loss_high,
    fan502_first_loss_low,
    fan503_prior_bias,
    fan504_target_offset,
    fan505_softmax_twice,
    fan601_bias_drowns_signal,
    fan701_scheme_mismatch,
    fan702_wrong_fan,
    fan801_non_finite_value,
    fan802_uninitialised_memory,
    fan803_cloned_weights,
    fan804_shared_initializer,
    fan805_same_stream,
    fan901_residual_growth,
)

if TYPE_CHECKING:
    from fanin.rules.rule import Rule

RULES: Final[Registry[Rule]] = Registry("rule")

for module in (
    fan001_unreached_parameter,
    fan002_no_memory,
    fan003_no_loss,
    fan101_never_moves,
    fan102_late_start,
    fan103_twin_units,
    fan104_identical_units,
    fan105_constant_weight,
    fan106_no_gradient,
    fan201_forward_drift,
    fan202_input_forgotten,
    fan203_unscaled_input,
    fan204_overflow,
    fan301_backward_drift,
    fan302_gradient_underflow,
    fan401_saturated,
    fan402_dead_units,
    fan501_first_loss_high,
    fan502_first_loss_low,
    fan503_prior_bias,
    fan504_target_offset,
    fan505_softmax_twice,
    fan601_bias_drowns_signal,
    fan701_scheme_mismatch,
    fan702_wrong_fan,
    fan801_non_finite_value,
    fan802_uninitialised_memory,
    fan803_cloned_weights,
    fan804_shared_initializer,
    fan805_same_stream,
    fan901_residual_growth,
):
    RULES.register(module.RULE)
