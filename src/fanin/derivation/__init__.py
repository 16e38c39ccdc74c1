"""The lesson in symbols: cases, claims and their proofs."""

from fanin.derivation.case import CASES as CASES
from fanin.derivation.case import Case as Case
from fanin.derivation.case import find_case as find_case
from fanin.derivation.explain import case_start as case_start
from fanin.derivation.explain import explain as explain
from fanin.derivation.records import Claim as Claim
from fanin.derivation.records import Derivation as Derivation
