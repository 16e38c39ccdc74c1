"""One run of a JAX model on a task: its batch ready, its forward run as a program."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax

from fanin.errors import BatchError, FaninError, ModelError
from fanin.frameworks._jaxpr.closure import with_arrays_as_inputs
from fanin.frameworks._jaxpr.record import Argument
from fanin.frameworks._jaxpr.record import record as record_program
from fanin.frameworks._jaxpr.unfold import program_of
from fanin.frameworks.jax.batch import Arguments, arguments_of
from fanin.frameworks.jax.objective import require_loss, scalar_of, target_of
from fanin.frameworks.jax.opened import is_abstract, is_array, numbers, placed
from fanin.frameworks.jax.opening import opened
from fanin.frameworks.jax.parameters import fitting, listed, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np

    from fanin.frameworks._jaxpr.steps import Program
    from fanin.frameworks.jax.opened import Opened
    from fanin.frameworks.program import Recorded
    from fanin.graph import Task

SHAPE_WORDS = ("shape", "size", "dimension", "channels", "broadcast", "incompatible")
"""Words in the messages of JAX, Flax and Equinox when an array does not fit."""


@dataclass(frozen=True, kw_only=True)
class Trace:
    """A forward run as a program, its arguments, and the graph of it.

    structure: how the program's outputs nest to the model's.
    """

    program: Program
    arguments: tuple[Argument, ...]
    recorded: Recorded
    structure: Any


@dataclass(frozen=True, kw_only=True)
class Run:
    """What every run on one task shares; made once, and checked before anything runs.

    name: of the model's kind, for messages. target: arrays.
    """

    name: str
    model: Opened
    task: Task
    arguments: Arguments
    target: Any

    @classmethod
    def of(cls, model: Any, task: Task) -> Run:
        """Take the model apart and make the arrays.

        Raises:
            ArgumentError: if the loss is not known.
            BatchError: if the batch is missing or not finite, or the target is missing.
        """
        require_loss(task)
        return cls(
            name=type(model).__name__,
            model=opened(model),
            task=task,
            arguments=arguments_of(task),
            target=target_of(task),
        )

    def arrays(self, values: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """Give all parameters' arrays, at ``values`` where given.

        A value for an array that is spread over devices is put on one, whole: sums
        over devices would depend on how many there are, and so would what is measured.

        Raises:
            UnknownParameterError, ShapeError: if ``values`` do not fit the model.
        """
        known = self.model.parameters
        given = {}
        for path, array in values.items():
            place = place_of(path, known)
            held = known[place].array
            given[place] = placed(path, fitting(path, held, array), held)
        return {path: given.get(path, held.array) for path, held in known.items()}

    def require_numbers(self) -> None:
        """Refuse a model of shapes alone.

        Raises:
            NoStorageError: it names the first array without numbers.
        """
        for held in (self.model.parameters, self.model.buffers):
            for path, each in held.items():
                if is_abstract(each.array):
                    numbers(path, each.array)

    def outputs(self, values: Mapping[str, Any], arguments: Arguments) -> Any:
        """Run the model forward at these values; under a trace, or not."""
        key = jax.random.key(self.task.seed % (1 << 32))
        own, given = jax.random.split(key)
        with self.errors():
            model = self.model.at(values, own)
            if arguments.call is not None:
                return arguments.call(model)
            return self.model.call(
                model, arguments.positional, arguments.keywords, given
            )

    def loss(self, outputs: Any) -> Any:
        """Compute the objective from the outputs: a scalar."""
        with self.errors():
            return scalar_of(self.task, self.target, outputs)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Let what the model raises come out as fanin's own, with it as the cause."""
        try:
            yield
        except FaninError:
            raise
        except Exception as error:
            raise _translated(self.name, error) from error


def trace(run: Run, values: Mapping[str, np.ndarray], *, is_measured: bool) -> Trace:
    """Trace the model's forward run at these values; nothing is computed.

    Raises:
        ModelError, BatchError: if the model raises; its own error is the cause.
    """
    arrays = run.arrays(values)
    shapes = {p: h.array for p, h in run.model.buffers.items() if is_abstract(h.array)}
    leaves = run.arguments.leaves
    structures: list[Any] = []

    def forward(
        held: Mapping[str, Any], stored: Mapping[str, Any], given: Sequence[Any]
    ) -> list[Any]:
        arguments = run.arguments.with_leaves(given)
        outputs = run.outputs({**held, **stored}, arguments)
        structures.append(outputs)
        return [leaf for leaf in jax.tree.leaves(outputs) if is_array(leaf)]

    closed = jax.make_jaxpr(forward)(_in_order(arrays), _in_order(shapes), leaves)
    arguments = [
        *(Argument(path=path, value=arrays[path]) for path in sorted(arrays)),
        *(Argument(value=shapes[path], is_stored=True) for path in sorted(shapes)),
        *(Argument(value=leaf) for leaf in leaves),
    ]
    if run.arguments.call is not None:
        kept = [held.array for held in run.model.buffers.values()]
        closed, brought = with_arrays_as_inputs(closed, kept)
        arguments += [Argument(value=array) for array in brought]
    program = program_of(closed)
    recorded = record_program(
        program,
        arguments,
        listed(run.model),
        framework="jax",
        path_of=_no_scope,
        is_measured=is_measured,
    )
    return Trace(
        program=program,
        arguments=tuple(arguments),
        recorded=recorded,
        structure=structures[0],
    )


def packed(structure: Any, outputs: Sequence[Any]) -> Any:
    """Give the program's outputs in the nesting of the model's."""
    waiting = iter(outputs)
    return jax.tree.map(
        lambda leaf: next(waiting) if is_array(leaf) else leaf, structure
    )


def _in_order(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Give a dict in the order in which JAX flattens one: sorted."""
    return {path: arrays[path] for path in sorted(arrays)}


def _no_scope(scope: str) -> str:
    """Name no module by JAX's scopes: they hold functions, not places in the model."""
    del scope
    return ""


def _translated(name: str, error: Exception) -> ModelError:
    message = f"The model of {name} raised {type(error).__name__}: {error}"
    is_about_shapes = any(word in str(error).lower() for word in SHAPE_WORDS)
    kinds = (RuntimeError, ValueError, TypeError, IndexError)
    if isinstance(error, kinds) and is_about_shapes:
        return BatchError(message)
    return ModelError(message)
