"""Damaged recordings of every kind: what was written, what a slow parse gives, or one sentence; a short run."""

import pytest

from benchmarks import damaged_recordings

FILES = 120


@pytest.mark.parametrize("kind", damaged_recordings.KINDS)
def test_damaged_files(kind):
    assert damaged_recordings.run(kind, FILES) == ""


def test_what_is_lost_is_noticed():
    def read():
        return 1

    assert damaged_recordings.outcome(read, "a") == 1
    with pytest.raises(damaged_recordings.Lost):
        damaged_recordings.expect(damaged_recordings.outcome(read, "a") == 2, "something else")
