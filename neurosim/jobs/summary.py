"""The summary that a job leaves in its folder."""

import json
from pathlib import Path

from neurosim.files import whole_file


def write_summary(folder: Path, summary: dict) -> None:
    """Write summary.json into a folder, whole or not at all."""
    with whole_file(folder / "summary.json", encoding="utf-8") as file:
        file.write(json.dumps(summary, indent=1) + "\n")
