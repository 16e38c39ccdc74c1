"""compare: schemes raced by training on real data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fanin.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from fanin.race import Dataset, Experiment, Store, Trainers
    from fanin.race.store import Journal
    from fanin.report.comparison import Comparison

LISTS = ("seeds", "learning_rates", "depth", "width", "optimizer", "normalization")


def compare(  # noqa: PLR0913 (each is one wish a person has)
    schemes: Sequence[str] | None = None,
    activations: Sequence[str] | None = None,
    *,
    progress: bool = True,
    n_jobs: int | None = None,
    engine: str = "local",
    address: str | None = None,
    store: str | Path | None = None,
    **settings: Any,  # noqa: ANN401 (the fields of Experiment)
) -> Comparison:
    """Race schemes on real data: the lesson's practical proof.

    Args:
        schemes: specs ("zeros", "normal(std=0.01)", "he_normal") or policies ("auto",
            "mup"); None: the lesson's.
        activations: names; None: tanh and ReLU.
        progress: draw a bar with the time left on stderr.
        n_jobs: processes; None for one a core.
        engine: "local", "ray" or "dask".
        address: of a Ray or Dask cluster; None: one that is found, else a new one.
        store: a file of runs, in which every trial is kept as it comes; None: none.
        settings: fields of `fanin.race.Experiment`: seeds, depth, width, optimizer,
            normalization (one value, or several), learning_rates, n_steps, batch_size,
            net, data, target_column, task, framework.

    Raises:
        UnknownNameError: if a scheme, activation, dataset or framework is not known.
        ArgumentError: if another setting is wrong.
        MissingDependencyError: if scikit-learn, joblib or the framework is missing.
    """
    from fanin.race import Experiment, Store

    if schemes is not None:
        settings["schemes"] = tuple(schemes)
    if activations is not None:
        settings["activations"] = tuple(activations)
    for name in LISTS:
        if isinstance(settings.get(name), list | range):
            settings[name] = tuple(settings[name])
    return race(
        Experiment(**settings),
        progress=progress,
        n_jobs=n_jobs,
        engine=engine,
        address=address,
        store=None if store is None else Store.open(store),
    )


def race(  # noqa: PLR0913 (as compare)
    experiment: Experiment,
    *,
    progress: bool = True,
    n_jobs: int | None = None,
    engine: str = "local",
    address: str | None = None,
    store: Store | None = None,
    run: int | None = None,
) -> Comparison:
    """Run an experiment and wrap its standings for people.

    Args:
        experiment: what is compared.
        progress: as in `compare`.
        n_jobs: as in `compare`.
        engine: as in `compare`.
        address: as in `compare`.
        store: where every trial is kept.
        run: of the store, to go on with: the number of a run of this experiment.

    Raises:
        FaninError: as `compare`.
    """
    from fanin.race import find_engine
    from fanin.race.run import load_for
    from fanin.race.run import run as run_all
    from fanin.report.comparison import Comparison
    from fanin.report.progress import progress as bar

    trainers = _trainers(experiment)
    data = load_for(experiment)
    apply = find_engine(engine, address=address, n_jobs=n_jobs)
    journal = _journal(store, run, experiment, data)
    with bar("Training", is_wanted=progress) as advance:
        standings = run_all(
            experiment,
            trainers,
            data=data,
            engine=apply,
            journal=journal,
            on_progress=advance,
        )
    number = None if journal is None else journal.number
    return Comparison(standings=standings, run=number)


def _journal(
    store: Store | None, run: int | None, experiment: Experiment, data: Dataset
) -> Journal | None:
    if store is None:
        return None
    return store.begin(experiment, data) if run is None else store.resume(run, data)


def _trainers(experiment: Experiment) -> Trainers:
    """Give what trains the nets of an experiment.

    Raises:
        ArgumentError: if Keras is asked for nets that only torch trains here.
        MissingDependencyError: if the framework is not installed.
    """
    from fanin.api.raced_nets import train_each
    from fanin.frameworks.find import trainer
    from fanin.race import Trainers

    stacked = trainer(experiment.framework)
    if experiment.framework == "torch":
        return Trainers(stacked=stacked, each=train_each)
    if not all(experiment.is_stacked(*arm) for arm in experiment.arms):
        expected = (
            "'torch' for a policy, a normalization, or a net that is not plainly dense"
        )
        raise ArgumentError.of(
            argument="framework", received=experiment.framework, expected=expected
        )
    return Trainers(stacked=stacked)
