"""compare: schemes raced by training on real data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.race import Experiment
    from fanin.report.comparison import Comparison


def compare(
    schemes: Sequence[str] | None = None,
    activations: Sequence[str] | None = None,
    *,
    progress: bool = True,
    n_jobs: int | None = None,
    **settings: Any,  # noqa: ANN401 (the fields of Experiment)
) -> Comparison:
    """Race schemes on real data: the lesson's practical proof.

    Args:
        schemes: specs ("zeros", "normal(std=0.01)", "he_normal"); None: the lesson's.
        activations: names; None: tanh and ReLU.
        progress: draw a bar with the time left on stderr.
        n_jobs: processes; None for one a core.
        settings: fields of `fanin.race.Experiment`: seeds, depth, width, optimizer,
            learning_rates, n_steps, batch_size, data, framework.

    Raises:
        UnknownNameError: if a scheme, activation, dataset or framework is not known.
        ArgumentError: if another setting is wrong.
        MissingDependencyError: if scikit-learn, joblib or the framework is missing.
    """
    from fanin.race import Experiment

    if schemes is not None:
        settings["schemes"] = tuple(schemes)
    if activations is not None:
        settings["activations"] = tuple(activations)
    return race(Experiment(**settings), progress=progress, n_jobs=n_jobs)


def race(
    experiment: Experiment, *, progress: bool = True, n_jobs: int | None = None
) -> Comparison:
    """Run an experiment and wrap its standings for people."""
    from fanin.frameworks.find import trainer
    from fanin.race import run
    from fanin.report.comparison import Comparison
    from fanin.report.progress import progress as bar

    train = trainer(experiment.framework)
    with bar("Training", is_wanted=progress) as advance:
        standings = run(experiment, train, n_jobs=n_jobs, on_progress=advance)
    return Comparison(standings=standings)
