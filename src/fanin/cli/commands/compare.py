"""Race schemes by training on real data: the lesson's practical proof.

fanin compare                                       the lesson, on digits
fanin compare --schemes he_normal,auto --depth 10,30 --optimizer sgd,adam --seeds 5
fanin compare --net nets.py:make --data train.csv --target-column price -o report.html
fanin compare --engine ray --address auto           on a Ray cluster that runs
fanin compare --resume                              go on with what was stopped
fanin compare list · fanin compare show 3 -o results.csv
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fanin.cli.commands.command import (
    add_output,
    check_output,
    emit,
    format_of,
    is_coloured,
)
from fanin.cli.words import counts, kinds, names, numbers, sizes
from fanin.errors import ArgumentError, OutputError

if TYPE_CHECKING:
    import argparse

    from fanin.race import Store
    from fanin.report.comparison import Comparison

NAME = "compare"
HELP = "race schemes by training on real data"
DEFAULT_WIDTH = 110
NEWEST = "newest"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the factors of the experiment; what is left out takes its default."""
    add = parser.add_argument
    add("what", nargs="?", choices=("list", "show"), help="look at runs that are kept")
    add("number", nargs="?", metavar="RUN", help="of `show`: its number, or the newest")
    add("--schemes", type=names, metavar="A,B", help="schemes and policies")
    add("--activations", type=names, metavar="A,B", help="default: tanh,relu")
    add("--seeds", type=counts, metavar="N", help="how many seeds; default: 3")
    add("--depth", type=sizes, metavar="N,M", help="hidden layers; one or several")
    add("--width", type=sizes, metavar="N,M", help="units of each; one or several")
    add("--optimizer", type=kinds, metavar="A,B", help="sgd, momentum, adam or adamw")
    add("--normalization", type=kinds, metavar="A,B", help="none, batch, layer or rms")
    add("--learning-rates", type=numbers, metavar="X,Y", help="one grid for all")
    add("--steps", type=int, metavar="N", dest="n_steps", help="training steps")
    add("--batch-size", type=int, metavar="N")
    add("--net", help="dense, residual, conv, or pkg.mod:make")
    add("--data", help="a name, a .csv, .npz or .parquet, or pkg.mod:data")
    add("--target-column", metavar="NAME", help="of a file; default: the last")
    add("--task", help="classification or regression; default: by the targets")
    add("--valid-share", type=float, metavar="X", help="where a rate is chosen")
    add("--split-seed", type=int, metavar="N", help="who is in which part")
    add("--framework", help="torch or keras")
    _add_means(parser)
    add_output(parser, "text", "markdown", "json", "html", "csv", "parquet")


def _add_means(parser: argparse.ArgumentParser) -> None:
    """Add where it runs, and where results are kept."""
    add = parser.add_argument
    add("--jobs", type=int, metavar="N", help="trials at once; default: one a core")
    add("--engine", default="local", help="local (default), ray or dask")
    add("--address", metavar="A", help="of the cluster; default: one that is found")
    add("--store", metavar="FILE", help="where runs are kept; default: this user's")
    add("--no-store", action="store_true", help="keep nothing")
    add(
        "--resume",
        nargs="?",
        const=NEWEST,
        metavar="RUN",
        help="go on with a run; default: the newest that is not finished",
    )
    add("--no-progress", action="store_true", help="draw no progress bar")


SETTINGS = (
    "schemes",
    "activations",
    "seeds",
    "depth",
    "width",
    "optimizer",
    "normalization",
    "learning_rates",
    "n_steps",
    "batch_size",
    "net",
    "data",
    "target_column",
    "task",
    "valid_share",
    "split_seed",
    "framework",
)


def run(arguments: argparse.Namespace) -> int:
    """Race, go on, list or show; and write the comparison out."""
    check_output(arguments)
    if arguments.what == "list":
        sys.stdout.write(_listed(arguments))
        return 0
    if arguments.what == "show":
        _write(arguments, _shown(arguments))
        return 0
    _write(arguments, _raced(arguments))
    return 0


def _raced(arguments: argparse.Namespace) -> Comparison:
    """Run what the words ask for, or go on with a run that is kept."""
    from fanin.api.racing import race
    from fanin.race import Experiment

    chosen = {name: getattr(arguments, name) for name in SETTINGS}
    wanted = {name: value for name, value in chosen.items() if value is not None}
    means: dict[str, Any] = {
        "progress": not arguments.no_progress,
        "n_jobs": arguments.jobs,
        "engine": arguments.engine,
        "address": arguments.address,
    }
    if arguments.resume is not None:
        return _resumed(arguments, wanted, means)
    experiment = Experiment(**wanted)
    store = _store(arguments)
    comparison = race(experiment, store=store, **means)
    _tell(store, comparison)
    return comparison


def _resumed(
    arguments: argparse.Namespace, wanted: dict[str, Any], means: dict[str, Any]
) -> Comparison:
    from fanin.api.racing import race
    from fanin.race import Store

    if wanted:
        expected = "alone, as a run that goes on has its settings from the store"
        raise ArgumentError.of(
            argument="--resume", received=f"with {sorted(wanted)}", expected=expected
        )
    store = Store(_path(arguments))
    kept = (
        store.latest(is_unfinished=True)
        if arguments.resume == NEWEST
        else store.run(_number(arguments.resume))
    )
    comparison = race(kept.experiment, store=store, run=kept.id, **means)
    _tell(store, comparison)
    return comparison


def _store(arguments: argparse.Namespace) -> Store | None:
    """Open the store; where the user's own cannot be written, go on without."""
    from fanin.race import Store

    if arguments.no_store:
        return None
    try:
        return Store.open(_path(arguments))
    except OutputError as error:
        if arguments.store is not None:
            raise
        sys.stderr.write(f"fanin: results are not kept. {error}\n")
        return None


def _path(arguments: argparse.Namespace) -> Path:
    from fanin.race import default_store

    return Path(arguments.store) if arguments.store else default_store()


def _number(text: str) -> int:
    if not text.isdigit():
        expected = "the number of a run; `fanin compare list` shows them"
        raise ArgumentError.of(argument="RUN", received=text, expected=expected)
    return int(text)


def _tell(store: Store | None, comparison: Comparison) -> None:
    """Say on stderr where the run is kept, and how to go on with one cut short."""
    if store is None:
        return
    number, is_partial = comparison.run, comparison.standings.is_partial
    way = f"--resume {number}" if is_partial else f"show {number}"
    sys.stderr.write(f"fanin: run {number} in {store.path}: fanin compare {way}\n")


def _listed(arguments: argparse.Namespace) -> str:
    """Give a line for each run that is kept."""
    from fanin.race import Store
    from fanin.report.comparison.as_list import as_list

    path = _path(arguments)
    is_new = arguments.store is None and not path.exists()
    return as_list(() if is_new else Store(path).runs())


def _shown(arguments: argparse.Namespace) -> Comparison:
    """Read a run back."""
    from fanin.race import Store
    from fanin.report.comparison import Comparison

    store = Store(_path(arguments))
    number = (
        store.latest().id if arguments.number is None else _number(arguments.number)
    )
    return Comparison(standings=store.load(number), run=number)


def _write(arguments: argparse.Namespace, comparison: Comparison) -> None:
    """Write the comparison in the form that is asked for."""
    chosen = format_of(arguments)
    if chosen == "parquet":
        if arguments.output is None:
            expected = "with -o FILE, as a table in .parquet is no text"
            raise ArgumentError.of(
                argument="--format", received="parquet", expected=expected
            )
        comparison.to_parquet(arguments.output)
        return
    writers = {
        "markdown": comparison.to_markdown,
        "json": comparison.to_json,
        "html": comparison.to_html,
        "csv": comparison.to_csv,
    }
    if chosen in writers:
        emit(arguments, writers[chosen]())
        return
    width = shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns
    colour = is_coloured(arguments)
    emit(arguments, comparison.to_text(width=width, is_coloured=colour))
