"""`resnet_edge.host_show`."""

from __future__ import annotations

from resnet_edge.api.checked import checked
from resnet_edge.api.reports import HostShowReport, extended
from resnet_edge.hosts.address import Host
from resnet_edge.hosts.survey import survey
from resnet_edge.workers.variables import check_variables


@checked
def host_show(host: str) -> HostShowReport:
    """Show what is on another machine, reached over ssh: processor, versions of Python, free disk space, and
    the environment that `host_prepare` made. Nothing is changed there. Raises UsageError, HostUnavailable.
    """
    check_variables()
    return extended(HostShowReport, survey(Host.parse(host)))
