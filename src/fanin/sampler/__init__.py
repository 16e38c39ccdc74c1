"""The sampler: numbers from seed, parameter name and index alone."""

from fanin.sampler.draw import draw as draw
from fanin.sampler.draw import dtype_of as dtype_of
from fanin.sampler.engine import expect as expect
from fanin.sampler.filling import filling as filling
from fanin.sampler.key import canonical_name as canonical_name
from fanin.sampler.law import Law as Law
