"""TensorFlow's operations that sum over axes: contractions, reductions."""

from __future__ import annotations

from string import ascii_letters
from typing import TYPE_CHECKING, Final

from fanin.frameworks._tfgraph.recorder import opaque

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.frameworks._tfgraph.recorder import Recorder, Translator
    from fanin.frameworks._tfgraph.steps import Step

KINDS: Final[Mapping[str, str]] = {
    "All": "min",
    "Any": "max",
    "Max": "max",
    "Mean": "mean",
    "Min": "min",
    "Sum": "sum",
}
"""How the builder calls a reduction, by TensorFlow's name."""


def multiplied(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a product of matrices, or of stacks of them that broadcast."""
    left, right = (recorder.draft(source) for source in step.inputs)
    settings = step.attributes
    turns_left = bool(settings.get("transpose_a", settings.get("adj_x")))
    turns_right = bool(settings.get("transpose_b", settings.get("adj_y")))
    held, other = recorder.builder.shape(left), recorder.builder.shape(right)
    letters = iter(ascii_letters)
    row, summed, column = next(letters), next(letters), next(letters)
    n_stacked = len(step.shapes[0]) - 2
    out = [next(letters) for _ in range(n_stacked)]
    leading = [
        [
            out[n_stacked - len(shape) + 2 + axis]
            if shape[axis] != 1
            else next(letters)
            for axis in range(len(shape) - 2)
        ]
        for shape in (held, other)
    ]
    _keep_single(out, leading)
    first = "".join([*leading[0], *([summed, row] if turns_left else [row, summed])])
    ends = [column, summed] if turns_right else [summed, column]
    second = "".join([*leading[1], *ends])
    subscripts = f"{first},{second}->{''.join([*out, row, column])}"
    return [contract(recorder, step, left, right, subscripts)]


def _keep_single(out: list[str], leading: list[list[str]]) -> None:
    """Name a stacking axis that has length 1 on both sides, so that it stays."""
    for place, letter in enumerate(out):
        if any(letter in side for side in leading):
            continue
        back = len(out) - place
        side = next(side for side in leading if len(side) >= back)
        side[-back] = letter


def einsum(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add an ``Einsum`` of two tensors, or a transposition written as one."""
    equation = str(step.attributes["equation"])
    drafts = [recorder.draft(source) for source in step.inputs]
    if len(drafts) == 1 and "." not in equation:
        terms, _, end = equation.partition("->")
        if sorted(terms) == sorted(end) and len(set(terms)) == len(terms):
            axes = [terms.index(letter) for letter in end]
            made = recorder.builder.permute(step.kind, drafts[0], axes)
            recorder.carry(drafts[0], made)
            return [made]
    subscripts = _spelled_out(recorder, step, equation, drafts)
    if subscripts is None:
        return opaque(recorder, step)
    left, right = drafts
    return [contract(recorder, step, left, right, subscripts)]


def _spelled_out(
    recorder: Recorder, step: Step, equation: str, drafts: Sequence[int]
) -> str | None:
    """Give letters for the axes that "..." stands for; None if they broadcast."""
    terms, _, end = equation.partition("->")
    parts = terms.split(",")
    if len(drafts) != 2 or any(len(set(p)) < len(p.replace("...", ".")) for p in parts):
        return None
    free = [letter for letter in ascii_letters if letter not in equation]
    n_most = len(step.shapes[0]) - len(end.replace("...", ""))
    spelled = []
    for part, draft in zip(parts, drafts, strict=True):
        n_here = len(recorder.builder.shape(draft)) - len(part.replace("...", ""))
        spelled.append(part.replace("...", "".join(free[n_most - n_here : n_most])))
    end = end.replace("...", "".join(free[:n_most]))
    lengths: dict[str, set[int]] = {}
    for part, draft in zip(spelled, drafts, strict=True):
        for letter, n in zip(part, recorder.builder.shape(draft), strict=True):
            lengths.setdefault(letter, set()).add(n)
    if any(len(found) > 1 for found in lengths.values()):
        return None
    return f"{','.join(spelled)}->{end}"


def contract(
    recorder: Recorder, step: Step, left: int, right: int, subscripts: str
) -> int:
    """Add a contraction."""
    return recorder.builder.contract(step.kind, left, right, subscripts)


def reduced(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a reduction over axes; over none, or of a single number, it is the source."""
    source, axes = recorder.draft(step.inputs[0]), recorder.numbers(step.inputs[1])
    if axes is None:
        return opaque(recorder, step)
    if not axes or not recorder.builder.shape(source):
        return [source]
    made = recorder.builder.reduce(
        step.kind,
        source,
        axes,
        kind=KINDS[step.kind],
        is_kept=bool(step.attributes["keep_dims"]),
    )
    return [made]


def softmax(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a softmax or its logarithm, over the last axis."""
    name = "log_softmax" if step.kind == "LogSoftmax" else step.kind
    source = recorder.draft(step.inputs[0])
    return [recorder.builder.softmax(name, source, len(step.shapes[0]) - 1)]


def normalized(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add ``FusedBatchNormV3``: the batch's own statistics, or those kept."""
    source, scale, bias = (recorder.draft(given) for given in step.inputs[:3])
    rank = len(step.shapes[0])
    is_last = str(step.attributes["data_format"]) in {"NHWC", "NDHWC"}
    channel = rank - 1 if is_last else 1
    is_training = bool(step.attributes["is_training"])
    kept = [recorder.scalar(given) for given in step.inputs[3:5]]
    details = {
        "kind": "batch",
        "eps": float(step.attributes["epsilon"]),
        "axes": tuple(axis for axis in range(rank) if axis != channel),
        "is_identity": not is_training and kept == [0.0, 1.0],
    }
    made = recorder.builder.normalize(
        step.kind, source, details=details, scale=scale, bias=bias
    )
    rest = [recorder.builder.opaque(step.kind, [source], s) for s in step.shapes[1:]]
    return [made, *rest]


TRANSLATORS: Final[Mapping[str, Translator]] = {
    "BatchMatMul": multiplied,
    "BatchMatMulV2": multiplied,
    "BatchMatMulV3": multiplied,
    "Einsum": einsum,
    "FusedBatchNormV3": normalized,
    "LogSoftmax": softmax,
    "MatMul": multiplied,
    "Softmax": softmax,
} | dict.fromkeys(KINDS, reduced)
"""By TensorFlow's name of the operation."""
