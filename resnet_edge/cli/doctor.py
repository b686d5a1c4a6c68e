"""`resnet-edge doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from resnet_edge.cli.terminal import output_options, print_json, progress, say

if TYPE_CHECKING:
    from resnet_edge.inspection.doctor import DeviceState, Examination


@click.command("doctor")
@output_options
@click.pass_context
def command(ctx: click.Context, as_json: bool, quiet: bool) -> None:
    """Tell versions, machine, and which backends really open here.

    Each backend runs a tiny network on each of its devices. Exits with 3 where an installed
    backend does not open.
    """
    from resnet_edge.api.doctor import doctor

    with progress(quiet) as report:
        examination = doctor(on_progress=report)
    if as_json:
        print_json(examination)
    elif not quiet:
        _print(examination)
    ctx.exit(examination.exit_code)


def _print(examination: Examination) -> None:
    machine = examination.machine
    gigabytes = f", {machine['memory_bytes'] / 1e9:.0f} GB" if machine["memory_bytes"] else ""
    say(f"{machine['cpu']} ({machine['architecture']}), {machine['usable_cores']} cores{gigabytes}")
    say(f"int8 instructions: {', '.join(machine['int8_flags']) or 'none known'}")
    say(f"{machine['os']}, Python {machine['python']}")
    held = examination.sandbox
    why = f" ({held.detail})" if held.detail else ""
    say(f"workers that read third-party files: files {held.files}, network {held.network}{why}\n")
    width = max(map(len, examination.versions))
    for name, version in examination.versions.items():
        say(f"{name:<{width}}  {version}")
    names = max(len("backend"), *(len(backend.backend) for backend in examination.backends))
    devices = max(len(state.device) for backend in examination.backends for state in backend.devices)
    say(f"\n{'backend':<{names}}  {'version':<9}  {'device':<{devices}}  ")
    for backend in examination.backends:
        for state in backend.devices:
            place = f"{backend.backend:<{names}}  {backend.version or '-':<9}  {state.device:<{devices}}"
            say(f"{place}  {_state_text(state)}")


def _state_text(state: DeviceState) -> str:
    if state.detail:
        return f"{state.status}: {state.detail}"
    if not state.logits:
        return state.status
    logits = ", ".join(f"{value:g}" for value in state.logits)
    return f"{state.status}: one image gives {logits}, as it should, after {state.first_ms:.2f} ms"
