"""Are a model's numbers those of its plan? Samples, compared bit by bit, and causes."""

from fanin.prescription.verification.records import Checked as Checked
from fanin.prescription.verification.records import Verification as Verification
from fanin.prescription.verification.sample import Sample as Sample
from fanin.prescription.verification.verdicts import Verdict as Verdict
from fanin.prescription.verification.verify import verify as verify
