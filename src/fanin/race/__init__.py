"""Experiments: schemes against one another, trained alike on real data."""

from fanin.race.data import DATASETS as DATASETS
from fanin.race.data import Dataset as Dataset
from fanin.race.data import load as load
from fanin.race.engines import ENGINES as ENGINES
from fanin.race.engines import Lost as Lost
from fanin.race.engines import find_engine as find_engine
from fanin.race.experiment import Experiment as Experiment
from fanin.race.experiment import Failure as Failure
from fanin.race.experiment import TrialResult as TrialResult
from fanin.race.run import run as run
from fanin.race.setting import Setting as Setting
from fanin.race.setting import Trial as Trial
from fanin.race.standings import Standing as Standing
from fanin.race.standings import Standings as Standings
from fanin.race.statistics import Estimate as Estimate
from fanin.race.store import Store as Store
from fanin.race.store import default_store as default_store
from fanin.race.work import Trainers as Trainers
