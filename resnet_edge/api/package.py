"""`resnet_edge.package`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from resnet_edge.api.checked import AtLeast1, checked
from resnet_edge.api.names import Backends, Profiles, Resize, Schemes
from resnet_edge.api.names import backends as backends_in
from resnet_edge.api.names import profiles as profiles_in
from resnet_edge.api.names import schemes as schemes_in
from resnet_edge.api.reports import PackageReport, extended
from resnet_edge.api.source_paths import read_paths
from resnet_edge.api.values import Data, Files, paths_of, text, value_files
from resnet_edge.bundle.converted import data_of, read_converted
from resnet_edge.bundle.package import PackageRequest
from resnet_edge.bundle.package import package as run
from resnet_edge.bundle.travelling import reproduced, travelling_card, without_machine_paths_in
from resnet_edge.core.errors import UsageError
from resnet_edge.core.files.workspace import Workspace
from resnet_edge.core.language import is_language
from resnet_edge.core.results.stored_report import same_data
from resnet_edge.report.bundle.model_card import model_card
from resnet_edge.report.bundle.texts import write_bundle
from resnet_edge.workers.progress import OnProgress, silent
from resnet_edge.workers.variables import check_variables


@checked
def package(
    folder: Files,
    *,
    out: str | Path = "bundle",
    overwrite: bool = False,
    profiles: Profiles | None = None,
    schemes: Schemes | None = None,
    data: Data | None = None,
    resize: Resize = "pillow",
    images: AtLeast1 = 1000,
    golden: AtLeast1 = 10,
    unproved: bool = False,
    backends: Backends | None = None,
    labels_in: Mapping[str, str | Path] | None = None,
    model_version: str = "1",
    license: str = "",
    intended_use: str = "",
    on_progress: OnProgress = silent,
) -> PackageReport:
    """Make the bundle for an app from `folder`, which `convert` wrote, or from its report.

    `labels_in`: files of class names by language (de, pt-BR). All else is as `resnet-edge package --help`
    says. Where a runtime gives other answers, `passed` of the report is False, and the folder then is `out`
    with `.partial`. Where a machine of `backends` goes away, `failures` say so. Raises UsageError,
    UnknownName, ArtifactError, DataError, OutputError, MissingDependency, WorkerFailed, and for a name of
    `backends` DeviceUnavailable, HostUnavailable.
    """
    check_variables()
    folders = paths_of(folder)
    if len(folders) != 1:
        raise UsageError(f"a bundle is made from one folder that convert wrote, and {len(folders)} are named")
    (converted_folder,) = folders
    translations = tuple((language, Path(path)) for language, path in (labels_in or {}).items())
    for language, _ in translations:
        if not is_language(language):
            raise UsageError(f"{language!r} is no language: write it as de or pt-BR")
    with value_files() as files:
        word = files.data(data)
        reported = data_of(converted_folder)
        proved_on = word or reported
        read = (converted_folder, *read_paths(None, proved_on, resize), *(path for _, path in translations))
        place = Workspace(Path(out), writer="package", overwrite=overwrite, inputs=read)
        converted = read_converted(converted_folder)
        request = PackageRequest(
            profiles=None if profiles is None else profiles_in(profiles),
            schemes=None if schemes is None else schemes_in(schemes),
            translations=translations,
            data=word,
            resize=text(resize) or "pillow",
            images=images,
            golden=golden,
            unproved=unproved,
            version=model_version,
            license=license,
            backends=() if backends is None else backends_in(backends),
        )
        command = reproduced(converted_folder, request, intended_use)
        request = replace(request, data=proved_on, same_data=same_data(proved_on, reported))
        with place as workspace:
            bundle = files.named(run(request, converted, workspace, files.progress(on_progress)))
            roots = (workspace.folder, workspace.scratch, workspace.logs, converted_folder)
            bundle = without_machine_paths_in(bundle, roots)
            card = travelling_card(
                model_card(bundle, converted.document, command, intended_use, license), roots
            )
            write_bundle(bundle, workspace.folder, command, card)
            published = workspace.publish_partial() if bundle.failed else workspace.publish()
    return extended(PackageReport, bundle, folder=published, command=command)
