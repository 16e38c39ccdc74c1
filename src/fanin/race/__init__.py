"""Experiments: schemes against one another, trained alike on real data."""

from fanin.race.data import DATASETS as DATASETS
from fanin.race.data import Dataset as Dataset
from fanin.race.data import load as load
from fanin.race.experiment import Experiment as Experiment
from fanin.race.experiment import Trial as Trial
from fanin.race.experiment import TrialResult as TrialResult
from fanin.race.run import run as run
from fanin.race.standings import Standing as Standing
from fanin.race.standings import Standings as Standings
from fanin.race.statistics import Estimate as Estimate
