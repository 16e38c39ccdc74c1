"""Plans: what every parameter of a model gets, and why."""

from fanin.prescription.calibration.aims import calibration_aims as calibration_aims
from fanin.prescription.calibration.aims import with_calibration as with_calibration
from fanin.prescription.calibration.calibrated import (
    calibration_followers as calibration_followers,
)
from fanin.prescription.calibration.calibrated import (
    calibration_targets as calibration_targets,
)
from fanin.prescription.evidence import Evidence as Evidence
from fanin.prescription.evidence import inputs_of as inputs_of
from fanin.prescription.make import make_plan as make_plan
from fanin.prescription.plan import Plan as Plan
from fanin.prescription.prescription import Part as Part
from fanin.prescription.prescription import Prescription as Prescription
