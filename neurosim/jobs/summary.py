"""The summary that a job leaves in its folder."""

import json
from pathlib import Path

from neurosim.spikes import _whole_file as whole_file


def write_summary(folder: Path, summary: dict) -> None:
    """Write summary.json into a folder, whole or not at all."""
    with whole_file(folder / "summary.json") as temporary:
        Path(temporary).write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
