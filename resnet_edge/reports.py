"""The reports that the functions of `resnet_edge` give, for who names their types: see `api/reports.py`."""

from resnet_edge.api.load_report import StoredReport
from resnet_edge.api.reports import (
    BenchReport,
    CompressionReport,
    ConvertReport,
    DoctorReport,
    GoldenReport,
    HostPrepareReport,
    HostRemoveReport,
    HostShowReport,
    InspectReport,
    PackageReport,
    SearchReport,
    TrainReport,
    VerifyReport,
)

__all__ = [
    "BenchReport",
    "CompressionReport",
    "ConvertReport",
    "DoctorReport",
    "GoldenReport",
    "HostPrepareReport",
    "HostRemoveReport",
    "HostShowReport",
    "InspectReport",
    "PackageReport",
    "SearchReport",
    "StoredReport",
    "TrainReport",
    "VerifyReport",
]
