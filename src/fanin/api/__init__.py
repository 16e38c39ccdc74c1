"""The verbs: each wires the rooms of the house together and computes nothing itself."""

from fanin.api.applying import apply as apply
from fanin.api.checking import check as check
from fanin.api.checkpointing import seed_checkpoint as seed_checkpoint
from fanin.api.drawing import activation as activation
from fanin.api.drawing import draw as draw
from fanin.api.explaining import explain as explain
from fanin.api.fixing import fix as fix
from fanin.api.grouping import groups as groups
from fanin.api.jitting import init_fn as init_fn
from fanin.api.planning import init as init
from fanin.api.planning import plan as plan
from fanin.api.racing import compare as compare
from fanin.api.racing import race as race
from fanin.api.showing import demo as demo
from fanin.api.studying import depth_study as depth_study
from fanin.api.studying import width_study as width_study
from fanin.api.verifying import verify as verify
from fanin.api.weightlessness import weightless as weightless
