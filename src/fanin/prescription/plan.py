"""A Plan: what every parameter of a model gets, and why. It prints, saves and draws."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from fanin.errors import UnknownParameterError
from fanin.files import write_text
from fanin.prescription.calibration.calibrated import with_factors
from fanin.prescription.calibration.verify import verified
from fanin.prescription.drawing import draws_of, without_centre
from fanin.prescription.fingerprint import fingerprint_of
from fanin.prescription.prescription import OFFSET, Prescription
from fanin.prescription.printing import as_json, as_text
from fanin.prescription.widening.multipliers import multipliers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy as np

    from fanin.graph.draws import Draw
    from fanin.graph.measurement import Measurement
    from fanin.prescription.verification import Verification


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One Prescription a parameter, in the model's order.

    seed: of all draws but those of parameters with their own. policy: spec of the
    policy, or of the scheme used for all weights. framework: of the model. warnings:
    what no weights can mend; notes: what was assumed. first_loss: expected before
    training, in the loss's unit, None if not known; measured_loss: on the batch.
    is_calibrated: stds were corrected on a batch.
    """

    prescriptions: tuple[Prescription, ...]
    seed: int
    policy: str = "auto"
    framework: str = ""
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    first_loss: float | None = None
    measured_loss: float | None = None
    is_calibrated: bool = False

    def __getitem__(self, path: str) -> Prescription:
        """Give the prescription of one parameter.

        Raises:
            UnknownParameterError: if there is none; it names the nearest.
        """
        for prescription in self.prescriptions:
            if prescription.path == path:
                return prescription
        raise UnknownParameterError.of(path, [p.path for p in self.prescriptions])

    @property
    def n_parameters(self) -> int:
        """Count the numbers that are drawn or set; kept ones are left out."""
        return sum(p.size for p in self.prescriptions if not p.is_kept)

    @property
    def fingerprint(self) -> str:
        """Give 16 hexadecimal digits that say which numbers the plan writes.

        They are made of the laws, the seeds, the parameters' names, shapes and dtypes,
        and the sampler's version: two plans that share them write the same bits.

        >>> Plan(prescriptions=(), seed=0).fingerprint
        '999781e349fff59c'
        """
        return fingerprint_of(self.prescriptions, self.seed)

    @property
    def kept_weights(self) -> tuple[str, ...]:
        """Name the kept weights that a bias follows: `draws` needs their values."""
        kept = {p.path for p in self.prescriptions if p.is_kept}
        followed = {p.weight: None for p in self.prescriptions if p.law == OFFSET}
        return tuple(path for path in followed if path is not None and path in kept)

    def draws(
        self,
        values: Mapping[str, np.ndarray] | None = None,
        *,
        seed: int | None = None,
    ) -> Mapping[str, Draw]:
        """Give, for each parameter that is not kept, global indices → numbers.

        A draw depends on the seed, the path and the index alone: not on the order of
        the parameters, nor on how they are sharded. (A bias that follows a weight
        depends on that weight's seed, path and row.)

        Args:
            values: present values by path; only those of `kept_weights` are read.
            seed: in place of the plan's; a parameter with a seed of its own keeps it,
                and values that were centred on the plan's own draw are not.

        Raises:
            ArgumentError: if the values of such a weight are missing.

        >>> weight = Prescription(
        ...     path="0.bias",
        ...     shape=(2,),
        ...     dtype="float32",
        ...     role="bias",
        ...     scheme="zeros",
        ...     law="constant",
        ...     reason="",
        ... )
        >>> Plan(prescriptions=(weight,), seed=0).draws()["0.bias"](None).tolist()
        [0.0, 0.0]
        """
        chosen = self.seed if seed is None else seed
        if chosen == self.seed:
            return draws_of(self.prescriptions, chosen, values or {})
        return draws_of(map(without_centre, self.prescriptions), chosen, values or {})

    def apply(
        self,
        model: object,
        seed: int | None = None,
        *,
        device: object = None,
        prefix: str | None = None,
    ) -> object:
        """Write the plan's numbers into a model: all parameters, or none.

        Args:
            model: of any framework, with the parameters of the plan.
            seed: draws the same laws again from another seed; None for the plan's.
            device: where parameters without memory get it, as in `fanin.apply`.
            prefix: the model's path in the plan's model, as in `fanin.apply`.

        Returns:
            The model that holds the numbers, as `fanin.apply` does.

        Raises:
            UnknownParameterError, ShapeError, NoStorageError: as `fanin.apply`; the
                model is as it was.
        """
        verb = _upstairs("fanin.api.applying", "apply")
        return verb(self, model, seed=seed, device=device, prefix=prefix)

    def verify(
        self, model: object, *, sample: int | None = 4096, seed: int | None = None
    ) -> Verification:
        """Say whether a model holds the plan's numbers: see `fanin.verify`."""
        verb = _upstairs("fanin.api.verifying", "verify")
        found: Any = verb(model, self, sample=sample, seed=seed)
        return cast("Verification", found)

    def code(self, framework: str | None = None) -> str:
        """Give the plan as a script: plain initializer code that needs no fanin.

        The script draws from the same laws with the framework's own generator: other
        numbers than the plan's, of the same distribution.

        Args:
            framework: "torch", "keras" or "jax"; None for the plan's own.

        Raises:
            ArgumentError: if it is none of them, or not that of the plan's model.
        """
        from fanin.prescription.code import code_of

        return code_of(self, framework or self.framework)

    def multipliers(self, optimizer: str = "adam") -> dict[str, float]:
        """Give what the learning rate of each parameter is multiplied by, by path."""
        return multipliers(self, optimizer)

    def groups(
        self,
        model: object,
        *,
        lr: float,
        optimizer: str = "adam",
        weight_decay: float = 0.0,
    ) -> Any:  # noqa: ANN401 (each framework's own kind)
        """Give each parameter its learning rate and decay: see `fanin.groups`."""
        verb = _upstairs("fanin.api.grouping", "groups")
        wanted = {"lr": lr, "optimizer": optimizer, "weight_decay": weight_decay}
        return verb(self, model, **wanted)

    def with_factors(self, factors: Mapping[str, float]) -> Plan:
        """Give the plan with these parameters, and what follows them, multiplied.

        Raises:
            UnknownParameterError: if the plan has no such parameter.
            SignalError: if a factor is 0 or not finite: no factor helps there.
        """
        return with_factors(self, factors)

    def verified(self, measurement: Measurement) -> Plan:
        """Give the plan with what one run at its numbers showed (``verify.py``).

        Raises:
            SignalError: if an output is not finite, or an activation never varies.
        """
        return verified(self, measurement)

    def to_json(self) -> str:
        """Give the plan as JSON text of schema ``fanin.plan/1``."""
        return as_json.dumps(self)

    @staticmethod
    def from_json(text: str) -> Plan:
        """Read what ``to_json`` gave: the same plan, number for number.

        Raises:
            ArgumentError: if the text is no such JSON; it says what is wrong where.
        """
        return Plan(**as_json.loads(text))

    def save(self, path: str | Path) -> Path:
        """Write the JSON text to a file, wholly or not at all.

        Raises:
            OutputError: if it cannot be written; an old file is untouched.
        """
        return write_text(path, self.to_json())

    @staticmethod
    def load(path: str | Path) -> Plan:
        """Read a plan from a file.

        Raises:
            ArgumentError: if there is no such file, or it holds no plan.
        """
        return Plan.from_json(as_json.read(path))

    def __str__(self) -> str:
        return as_text.table(self)

    def _repr_html_(self) -> str:
        return str(_upstairs("fanin.report.plan.as_html", "html")(self))


def _upstairs(module: str, verb: str) -> Callable[..., object]:
    """Find what a room above does with a plan, by name and only when it is asked for.

    A plan draws itself in a notebook and writes itself into a model, and this room may
    know neither pages nor frameworks by import.
    """
    found: Callable[..., object] = getattr(importlib.import_module(module), verb)
    return found
