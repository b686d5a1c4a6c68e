"""What the parent is asked for by `convert`."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_edge.calibrate.calibration_task import CalibratorName, RepairName
from resnet_edge.conversion.plan_task import PlanArtifacts
from resnet_edge.models import ModelRequest


@dataclass(frozen=True, kw_only=True)
class ConvertRequest:
    """What the user asks for. `calibration` None: held out of `data`. `class_names` come
    before those of the model and the data. `mixed_precision`: where int8 misses the budget, leave the
    layers in float that cost most. `thorough`: look into every file, and not only into those that failed.
    `command` is how it was asked for, and `source_name` what the report calls the model where the user did
    not name it. `accept_reference`: that the model itself is poor is as it should be. `thumbnails`: small
    pictures of images whose answer changed, for the page. `float_layers`: so many steps of the order in which
    int8 layers are worth being left in float. `cluster`: where shards run, as the user said
    it."""

    model: ModelRequest
    data: str
    calibration: str | None
    plan: PlanArtifacts
    max_drop_pp: float
    threads: int
    latency_seconds: float
    dynamic_batch: bool = False
    calibrator: CalibratorName = "auto"
    repair: RepairName = "auto"
    mixed_precision: bool = True
    float_layers: int = 0
    thorough: bool = False
    class_names: tuple[str, ...] = ()
    command: str = ""
    source_name: str | None = None
    accept_reference: bool = False
    thumbnails: bool = True
    cluster: str | None = None
