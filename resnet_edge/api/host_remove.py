"""`resnet_edge.host_remove`."""

from __future__ import annotations

from resnet_edge.api.checked import checked
from resnet_edge.api.reports import HostRemoveReport, extended
from resnet_edge.hosts.address import Host
from resnet_edge.hosts.prepare import remove
from resnet_edge.workers.variables import check_variables


@checked
def host_remove(host: str) -> HostRemoveReport:
    """Remove from another machine what `host_prepare` and later runs brought there. Raises UsageError,
    HostUnavailable.
    """
    check_variables()
    return extended(HostRemoveReport, remove(Host.parse(host)))
