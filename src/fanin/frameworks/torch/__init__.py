"""PyTorch: the verbs of the Framework Protocol."""

from typing import Final

from fanin.frameworks.torch.agreeing import agreed as agreed
from fanin.frameworks.torch.agreeing import shares_batch as shares_batch
from fanin.frameworks.torch.calibrate import calibrate as calibrate
from fanin.frameworks.torch.construction import construct as construct
from fanin.frameworks.torch.example import input_signatures as input_signatures
from fanin.frameworks.torch.files import require_format as require_format
from fanin.frameworks.torch.files import save as save
from fanin.frameworks.torch.gradients import gradients as gradients
from fanin.frameworks.torch.groups import groups as groups
from fanin.frameworks.torch.holders import holders as holders
from fanin.frameworks.torch.holdings import holdings as holdings
from fanin.frameworks.torch.measure import measure as measure
from fanin.frameworks.torch.measure import rehearse as rehearse
from fanin.frameworks.torch.optimizer import optimizer_facts as optimizer_facts
from fanin.frameworks.torch.parameters import buffers as buffers
from fanin.frameworks.torch.parameters import owns as owns
from fanin.frameworks.torch.parameters import parameters as parameters
from fanin.frameworks.torch.parameters import read as read
from fanin.frameworks.torch.parameters import seed as seed
from fanin.frameworks.torch.record import record as record
from fanin.frameworks.torch.views import view as view
from fanin.frameworks.torch.weights import load_weights as load_weights
from fanin.frameworks.torch.writing import write as write

NAME: Final = "torch"
