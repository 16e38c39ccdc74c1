"""Every error that fanin raises.

FaninError
├── UsageError                the caller asked for something that cannot be (exit 2)
│   ├── UnknownNameError      a name that no table has; names the nearest
│   ├── DuplicateNameError    a name registered twice
│   ├── ArgumentError         an argument of the wrong kind or range
│   ├── ShapeError            an array of the wrong shape
│   ├── UnknownParameterError a path that the model does not have
│   ├── ContradictionError    wishes that cannot all be met
│   ├── OutputError           a file that cannot be written
│   └── MissingDependencyError an optional package that is not installed
├── ModelError                the model could not be built, run or changed (exit 3)
│   ├── NoStorageError        a parameter without memory (meta device, lazy)
│   ├── NothingToTrainError   no trainable parameter
│   ├── VerificationError     the weights are not the plan's
│   ├── SignalError           no factor makes an output the wanted size (0, NaN)
│   └── BatchError            the example batch does not fit or holds NaN
└── InternalError             a fault of fanin's own (exit 4)

Every message says what is wrong, where, what came, and what would be right.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, ClassVar, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def nearest(name: str, known: Iterable[str]) -> str:
    """Give ``" Did you mean 'x'?"`` for the known name nearest to ``name``, or "".

    >>> nearest("he_nornal", ["he_normal", "zeros"])
    " Did you mean 'he_normal'?"
    """
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean {close[0]!r}?" if close else ""


class FaninError(Exception):
    """The root of every error that fanin raises on purpose."""

    exit_code: ClassVar[int] = 4


class UsageError(FaninError):
    """The caller asked for something that cannot be."""

    exit_code = 2


class UnknownNameError(UsageError):
    """A name that the table asked does not have."""

    @classmethod
    def of(cls, kind: str, name: str, known: Iterable[str]) -> Self:
        """Build the message: the name, the nearest one, and all that are known.

        >>> print(UnknownNameError.of("scheme", "zeross", ["ones", "zeros"]))
        There is no scheme 'zeross'. Did you mean 'zeros'? Known: ones, zeros.
        """
        names = sorted(known)
        hint = nearest(name, names)
        return cls(f"There is no {kind} {name!r}.{hint} Known: {', '.join(names)}.")


class DuplicateNameError(UsageError):
    """A name registered twice."""

    @classmethod
    def of(cls, kind: str, name: str) -> Self:
        """Build the message."""
        return cls(f"The {kind} {name!r} is registered already; choose another name.")


class ArgumentError(UsageError):
    """An argument of the wrong kind or out of range."""

    @classmethod
    def of(cls, argument: str, received: object, expected: str) -> Self:
        """Build the message: argument, what came, what would be right.

        >>> print(ArgumentError.of("seed", -1, "a whole number from 0 to 2⁶⁴−1"))
        Argument 'seed' must be a whole number from 0 to 2⁶⁴−1. Received: -1.
        """
        return cls(f"Argument {argument!r} must be {expected}. Received: {received!r}.")


class ShapeError(UsageError):
    """An array of the wrong shape."""

    @classmethod
    def of(
        cls, path: str, expected: tuple[int, ...], received: tuple[int, ...]
    ) -> Self:
        """Build the message: the parameter, its shape and the one that came."""
        return cls(
            f"Parameter {path!r} has shape {expected}, but the array for it has "
            f"shape {received}."
        )


class UnknownParameterError(UsageError):
    """A path that the model does not have."""

    @classmethod
    def of(cls, path: str, known: Iterable[str]) -> Self:
        """Build the message: the path, the nearest one, and all that are known."""
        names = sorted(known)
        shown = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
        hint = nearest(path, names)
        return cls(f"The model has no parameter {path!r}.{hint} Known: {shown}.")


class ContradictionError(UsageError):
    """Wishes that cannot all be met; nothing was decided or changed."""

    @classmethod
    def of(cls, sentences: Iterable[str]) -> Self:
        """Build the message: every contradiction, one after the other.

        >>> print(ContradictionError.of(["'a' is asked to be 'zeros' and 'ones'."]))
        The wishes contradict each other: 'a' is asked to be 'zeros' and 'ones'.
        """
        return cls(f"The wishes contradict each other: {' '.join(sentences)}")


class OutputError(UsageError):
    """A file that cannot be written; nothing was changed on disk."""

    @classmethod
    def of(cls, path: object, reason: object) -> Self:
        """Build the message: the path and the system's reason."""
        return cls(
            f"Cannot write {str(path)!r}: {reason}. "
            "Give a path in a folder that exists and can be written."
        )


class MissingDependencyError(UsageError):
    """An optional package that is needed here and not installed."""

    @classmethod
    def of(cls, package: str, purpose: str, extra: str) -> Self:
        """Build the message: the package, what for, and the line that installs it.

        >>> print(MissingDependencyError.of("sklearn", "The digits data", "data"))
        The digits data needs 'sklearn'. Install it: pip install 'fanin[data]'.
        """
        return cls(
            f"{purpose} needs {package!r}. Install it: pip install 'fanin[{extra}]'."
        )


class ModelError(FaninError):
    """The model could not be built, run or changed; it is as it was before."""

    exit_code = 3


class NoStorageError(ModelError):
    """A parameter without memory: on the meta device, lazy, or not built."""

    KINDS: ClassVar[Mapping[str, str]] = {
        "meta": (
            "Parameter {path!r} is on the meta device, so it has no numbers. "
            "fanin.init(model) gives it memory and draws them; or load weights first."
        ),
        "lazy": (
            "Parameter {path!r} is lazy: its shape is not known before the model has "
            "run. Run the model once on a batch first."
        ),
        "abstract": (
            "Parameter {path!r} is a jax.ShapeDtypeStruct: a shape without numbers. "
            "fanin.init(model), or fanin.apply(plan, model), gives it memory and draws "
            "them."
        ),
        "buffer": (
            "{path!r} is no parameter and only a shape (jax.ShapeDtypeStruct), so "
            "nothing is drawn for it. Give it its numbers first: flax.nnx.reseed for "
            "the streams of dropout, real arrays for running statistics. The model is "
            "as it was."
        ),
        "no devices": (
            "Parameter {path!r} is laid out on a mesh without devices, as "
            "flax.nnx.eval_shape gives it. Call fanin under that mesh, with "
            "jax.set_mesh(mesh). The model is as it was."
        ),
        "unbuilt": (
            "Model {path!r} is not built: it has no parameters before its first call. "
            "Call it once on a batch, or model.build(input_shape), and pass it again."
        ),
        "kept": (
            "Parameter {path!r} is on the meta device and is not drawn: it would keep "
            "numbers that it does not have. Load its numbers first, or let it be drawn "
            "too. The model is as it was."
        ),
    }

    @classmethod
    def of(cls, path: str, kind: str = "meta") -> Self:
        """Build the message: the parameter, and how to give it memory.

        >>> print(NoStorageError.of("0.weight", "lazy"))
        Parameter '0.weight' is lazy: its shape is not known before the model has run.
        Run the model once on a batch first.
        """
        return cls(cls.KINDS[kind].format(path=path))


class NothingToTrainError(ModelError):
    """The model has no trainable parameter."""

    @classmethod
    def of(cls, n_parameters: int) -> Self:
        """Build the message: how many parameters there are, and what to do."""
        if n_parameters == 0:
            return cls("The model has no parameters at all: there is nothing to do.")
        return cls(
            f"All {n_parameters} parameters of the model are frozen, so none can "
            "learn. Set requires_grad (PyTorch) or trainable (Keras) on those to train."
        )


class VerificationError(ModelError):
    """Weights that are not those of the plan that they are held against."""


class SignalError(ModelError):
    """An output that no factor makes the wanted size: constant 0, NaN or infinite."""

    @classmethod
    def of(cls, sites: Iterable[str], what: str) -> Self:
        """Build the message: where, what is there, and that nothing was written.

        >>> print(SignalError.of(["0.weight"], "always 0"))
        The output of '0.weight' is always 0 on this batch, so no factor can give it the
        wanted size. Nothing was written. Look at what the layer reads: inputs that do
        not vary, an activation that is dead or overflows, or a weight that is kept and
        holds such values.
        """
        names = [repr(site) for site in sites]
        shown = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
        return cls(
            f"The output of {shown} is {what} on this batch, so no factor can give it "
            "the wanted size. Nothing was written. Look at what the layer reads: "
            "inputs that do not vary, an activation that is dead or overflows, or a "
            "weight that is kept and holds such values."
        )


class BatchError(ModelError):
    """The example batch does not fit the model, or holds NaN or infinity."""


class InternalError(FaninError):
    """A fault of fanin's own."""

    @classmethod
    def of(cls, what: str) -> Self:
        """Build the message, which asks for a report."""
        return cls(f"{what} This is a fault of fanin: please report it.")
