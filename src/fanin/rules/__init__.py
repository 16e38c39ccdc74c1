"""Rules: what can be wrong with a model at step zero, one file a rule."""

from fanin.rules.inspecting import inspect as inspect
from fanin.rules.inspection import Inspection as Inspection
from fanin.rules.judge import judge as judge
from fanin.rules.location import Location as Location
from fanin.rules.profile import Profile as Profile
from fanin.rules.report import Coverage as Coverage
from fanin.rules.report import Report as Report
from fanin.rules.report import Verdict as Verdict
from fanin.rules.rule import Evidence as Evidence
from fanin.rules.rule import Finding as Finding
from fanin.rules.rule import Rule as Rule
from fanin.rules.rule import Severity as Severity
from fanin.rules.suppressed import Suppressed as Suppressed
from fanin.rules.table import RULES as RULES
