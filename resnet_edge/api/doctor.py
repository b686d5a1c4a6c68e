"""`resnet_edge.doctor`."""

from __future__ import annotations

from resnet_edge.api.checked import checked
from resnet_edge.api.reports import DoctorReport, extended
from resnet_edge.inspection.doctor import examine
from resnet_edge.workers.progress import OnProgress, silent
from resnet_edge.workers.variables import check_variables


@checked
def doctor(*, on_progress: OnProgress = silent) -> DoctorReport:
    """Tell versions, machine, and which backends really open here. Raises UsageError, WorkerFailed."""
    check_variables()
    return extended(DoctorReport, examine(on_progress))
