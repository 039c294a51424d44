#!/bin/sh
# libsonata and bmtk look for the indices of SONATA's edges under different names: libsonata writes and wants
# `node_id_to_ranges`, bmtk writes and wants `node_id_to_range`. So edges whose indices the one has made cannot be asked
# for the synapses of a node by the other (libsonata: RuntimeError), or not be opened at all (bmtk: Exception), although
# everything else in the file is alike. A file that holds the dataset under both names suits both.
#
# Right: one name for one format, github.com/AllenInstitute/sonata; each of the two is of one of SONATA's founders.
#
# Ends with 0 as long as that is so, with 1 when one reads what the other has written.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "numpy==2.3.5" "h5py==3.16.0" "pandas==3.1.1" \
    "libsonata==0.2.2" "bmtk==1.2.0"
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import h5py
import libsonata
import numpy as np
from bmtk.utils import sonata

print(*(f"{name} {version(name)}" for name in ("libsonata", "bmtk", "h5py")), sep=", ")
open("edge_types.csv", "w").write("edge_type_id model_template\n0 static\n")


def write(path, name=None):
    """Three edges between two populations of two nodes, with indices as one name has them, or libsonata."""
    with h5py.File(path, "w") as file:
        file.attrs["magic"], file.attrs["version"] = np.uint32(0x0A7A), np.array([0, 1], dtype=np.uint32)
        group = file.create_group("edges/ab")
        for side, nodes, population in (("source", [0, 1, 0], "a"), ("target", [0, 0, 1], "b")):
            group[f"{side}_node_id"] = np.array(nodes, dtype=np.uint64)
            group[f"{side}_node_id"].attrs["node_population"] = population
        group["edge_type_id"] = np.zeros(3, dtype=np.int64)
        group["edge_group_id"] = np.zeros(3, dtype=np.uint32)
        group["edge_group_index"] = np.arange(3, dtype=np.uint64)
        group.create_group("0")["syn_weight"] = [1.0, 2.0, 3.0]
    libsonata.EdgePopulation.write_indices(path, "ab", 2, 2)
    with h5py.File(path, "a") as file:
        for index in file["edges/ab/indices"].values():
            print(f"libsonata wrote {list(index)}")
            if name == "both":
                index["node_id_to_range"] = index["node_id_to_ranges"]
            elif name is not None:
                index.move("node_id_to_ranges", name)


def read(path):
    """What each of them says."""
    said = {}
    try:
        said["bmtk"] = [edge["syn_weight"] for edge in sonata.File(
            data_files=path, data_type_files="edge_types.csv").edges["ab"].get_target(0)]
    except Exception as error:
        said["bmtk"] = f"{type(error).__name__}: {error}"
    try:
        edges = libsonata.EdgeStorage(path).open_population("ab")
        said["libsonata"] = edges.get_attribute("syn_weight", edges.afferent_edges(0)).tolist()
    except Exception as error:
        said["libsonata"] = f"{type(error).__name__}: {error}"
    return said


found = {}
for name in (None, "node_id_to_range", "both"):
    path = f"{name}.h5"
    write(path, name)
    found[name] = read(path)
    print(f"index named by {name or 'libsonata'}: {found[name]}")
right = [1.0, 2.0]
if found["both"] != {"bmtk": right, "libsonata": right}:
    sys.exit("a file with both names no longer suits both")
if found[None]["bmtk"] == right or found["node_id_to_range"]["libsonata"] == right:
    sys.exit("one reads the index of the other")
PYTHON
