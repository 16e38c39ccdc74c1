"""Plans as scripts: plain initializer code, to paste where there is no fanin."""

from fanin.prescription.code.script import FRAMEWORKS as FRAMEWORKS
from fanin.prescription.code.script import code_of as code_of
