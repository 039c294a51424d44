"""Recordings and files that the tests of the data sets make."""




import zipfile

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from neurosim.datasets import make_events, write_nmnist, write_shd

QUICK = settings(deadline=None, max_examples=60)
SENSOR = (34, 34, 2)


@st.composite
def camera(draw, most_us=2**23 - 1, most=40, width=34, height=34):
    n = draw(st.integers(0, most))

    def numbers(high):
        return draw(st.lists(st.integers(0, high), min_size=n, max_size=n))

    return make_events(t=numbers(most_us), x=numbers(width - 1), y=numbers(height - 1), p=numbers(1))


@st.composite
def cochlea(draw, most_us=2_000_000, most=40):
    n = draw(st.integers(0, most))
    t = draw(st.lists(st.integers(0, most_us), min_size=n, max_size=n))
    return make_events(t=t, x=draw(st.lists(st.integers(0, 699), min_size=n, max_size=n)))


def digit(n=5, seed=0):
    rng = np.random.default_rng(seed)
    return make_events(t=np.linspace(0, 300_000, n).astype(int), x=rng.integers(0, 34, n), y=rng.integers(0, 34, n),
                       p=rng.integers(0, 2, n))


def folder_of(root, names, seed=0):
    for place, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        write_nmnist(digit(5 + place, seed + place), root / name)
    return root


def same(a, b):
    return a.dtype == b.dtype and np.array_equal(a, b)


def packed(folder, path, prefix=""):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for place in sorted(folder.rglob("*.bin"), reverse=True):
            archive.write(place, prefix + place.relative_to(folder).as_posix())
    return path


def spoken(path, speakers=(0, 0, 1, 2, 2, 3), **more):
    recordings = [make_events(t=[15_625 * k, 500_000], x=[k, 699]) for k in range(len(speakers))]
    write_shd(recordings, [k % 3 for k in range(len(speakers))], path, speakers=speakers, keys=["a", "b", "c"], **more)
    return path


def records(*rows):
    """The bytes of a .bin file with these rows of x, y, t and p."""
    return b"".join(bytes([x, y]) + (p << 23 | t).to_bytes(3, "big") for x, y, t, p in rows)
