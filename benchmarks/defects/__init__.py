"""What `verify` catches: defects seeded into good artifacts."""

from __future__ import annotations

from typing import Any


def table(result: dict[str, Any]) -> str:
    """A row for each kind, and their sum; then what was said of the good files."""
    lines = ["| kind | imitates | variants | above the line | caught | localized | below, caught | refused |"]
    lines.append("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for row in (*result["kinds"], _sum(result["kinds"])):
        caught, localized = _share(row["caught"], row["above"]), _share(row["localized"], row["caught"])
        cells = (row["kind"], row["imitates"], row["variants"], row["above"], caught, localized)
        lines.append(f"| {' | '.join(map(str, (*cells, row['below_caught'], row['refused'])))} |")
    verdicts = ", ".join(f"{n} {verdict}" for verdict, n in sorted(result["verdicts"].items()))
    lines += ["", f"False alarms: {len(result['alarms'])} in {result['good']} good files ({verdicts})."]
    return "\n".join(lines)


def _sum(rows: list[dict[str, Any]]) -> dict[str, Any]:
    keys = ("variants", "above", "caught", "localized", "below_caught", "refused")
    return {"kind": "all", "imitates": "", **{key: sum(row[key] for row in rows) for key in keys}}


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({100 * part / whole:.1f} %)" if whole else "–"
