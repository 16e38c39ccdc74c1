"""depth_study and width_study: one factor, measured, beside what theory says of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from fanin.report.studies import DepthResult, WidthResult


def depth_study(
    *,
    progress: bool = True,
    n_jobs: int | None = None,
    **settings: Any,  # noqa: ANN401 (the fields of DepthStudy)
) -> DepthResult:
    """Train plain nets over depth and σ_w, and lay 6ξ of mean field theory beside.

    Args:
        progress: draw a bar with the time left on stderr.
        n_jobs: processes; None for one a core.
        settings: fields of `fanin.race.studies.DepthStudy`: activation, sigmas, depths,
            seeds, width, optimizer, learning_rates, n_steps, batch_size, data,
            framework.

    Raises:
        ArgumentError, UnknownNameError: if a setting is wrong.
        MissingDependencyError: if scikit-learn, joblib or the framework is missing.
    """
    from fanin.frameworks.find import trainer
    from fanin.race.studies import DepthStudy, run_depths
    from fanin.report.progress import progress as bar
    from fanin.report.studies import DepthResult

    study = DepthStudy(**settings)
    train = trainer(study.framework)
    with bar("Training", is_wanted=progress) as advance:
        found = run_depths(study, train, n_jobs=n_jobs, on_progress=advance)
    return DepthResult(found=found)


def width_study(
    make: Callable[..., Any] | None = None,
    batch: object = None,
    loss: str | Callable[[Any, Any], Any] | None = None,
    target: object = None,
    *,
    progress: bool = True,
    **settings: Any,  # noqa: ANN401 (the fields of WidthStudy)
) -> WidthResult:
    """Check coordinates over widths, and whether the best learning rate carries over.

    Args:
        make: called as make(width=…), gives a PyTorch model; None for a net of two
            hidden layers with ReLU, on scikit-learn's digits.
        batch: samples along the first axis; as of `fanin.check`.
        loss: as of `fanin.check`.
        target: as of `fanin.check`.
        progress: draw a bar with the time left on stderr.
        settings: fields of `fanin.race.studies.WidthStudy`: widths, base, policies,
            seeds, optimizer, learning_rate, n_steps, rates, n_train_steps, batch_size.

    Raises:
        ArgumentError: if a setting is wrong, or a model comes without batch, loss and
            target.
        ModelError: if the model cannot be built or run.
        MissingDependencyError: if torch or, for the digits, scikit-learn is missing.
    """
    from fanin.api.widening import run_widths, subject_of
    from fanin.race.studies import Widths, WidthStudy
    from fanin.report.progress import progress as bar
    from fanin.report.studies import WidthResult

    study = WidthStudy(**settings)
    build, task, words = subject_of(make, batch, loss, target)
    began = time.perf_counter()
    with bar("Training", is_wanted=progress) as advance:
        walks, losses = run_widths(study, build, task, advance)
    seconds = time.perf_counter() - began
    found = Widths(
        study=study, model=words, walks=walks, losses=losses, seconds=seconds
    )
    return WidthResult(found=found)
