"""`resnet_edge.doctor`."""

from __future__ import annotations

from resnet_edge.api.checked import checked
from resnet_edge.api.reports import DoctorReport, extended
from resnet_edge.hosts.address import Host
from resnet_edge.inspection.doctor import examine, examine_host
from resnet_edge.workers.progress import OnProgress, silent
from resnet_edge.workers.variables import check_variables


@checked
def doctor(*, host: str | None = None, on_progress: OnProgress = silent) -> DoctorReport:
    """Show versions, the machine, and which backends open here, or on `host`, a machine that
    `host prepare` made ready. Raises UsageError, HostUnavailable, WorkerFailed."""
    check_variables()
    if host is None:
        return extended(DoctorReport, examine(on_progress))
    return extended(DoctorReport, examine_host(Host.parse(host).name, on_progress))
