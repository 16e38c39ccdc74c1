"""Schemes: formula, law, source, and what each one keeps."""

from fanin.schemes.laws import truncated_std as truncated_std
from fanin.schemes.scheme import Scheme as Scheme
from fanin.schemes.scheme import Source as Source
from fanin.schemes.table import SCHEMES as SCHEMES
from fanin.schemes.table import find_scheme as find_scheme
