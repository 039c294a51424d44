"""A run as SONATA has circuits and simulations: a folder of nodes, edges, spikes, reports and configurations.

    circuit_config.json      nodes.h5  node_types.csv      edges.h5  edge_types.csv
    simulation_config.json   output/spikes.h5   output/REPORT.h5          description.md

Weights and delays are those that act at present, with the unit of the receptor and in ms. Parameters that differ from
neuron to neuron, or from synapse to synapse, are `dynamics_params`, others columns of the tables of types.
"""

import csv
import io
import json
import os
import secrets
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from neurosim.errors import FileError
from neurosim.export import runs, sonata
from neurosim.files import whole_file, whole_hdf5, writing
from neurosim.sources import Source


def write_run(sim: Any, path: Path) -> None:
    """Write a folder, whole or not at all: it gets its name when everything is in it."""
    target = Path(os.path.realpath(path))
    with writing(path):
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise FileError(f"{path} cannot be written: it must be a new or an empty folder")
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
        temporary.mkdir()
        try:
            (temporary / "output").mkdir()
            _Writer(sim, temporary).write()
            os.replace(temporary, target)
        except FileError as error:  # it names a file in the folder that nobody sees
            raise FileError(str(error).replace(str(temporary), str(path))) from None
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


class _Writer:
    """Writes the files of one run."""

    def __init__(self, sim, folder):
        self.sim, self.folder = sim, folder
        self.found = sim.resolved()
        names = list(self.found.populations)
        self.names = dict(zip(names, runs.unique_names(names, sonata.plain), strict=True))

    def write(self):
        """Write all files."""
        self._nodes()
        edges = self._edges()
        spikes = [each.replace(name=self.names[each.name]) for each in runs.recorded_spikes(self.sim)]
        if spikes:
            sonata.write(self.folder / "output/spikes.h5", spikes)
        reports = self._reports()
        self._configurations(bool(spikes), edges, reports)
        self._text("description.md", self.sim.net.describe())
        unwritten = [f"gap junctions {each.name!r}" for each in self.sim.net.couplings]
        unwritten += [f"the drive {each.name!r}" for each in self.sim.net.drives]
        unwritten += [f"the trace {each.name!r}" for each in runs.traces(self.sim) if not _reported(each)]
        runs.unwritten("SONATA", unwritten, "description.md tells of the network, NWB and Neo hold all traces")

    # ---- nodes and edges --------------------------------------------------------------------------

    def _nodes(self):
        rows = []
        with whole_hdf5(self.folder / "nodes.h5") as file:
            sonata.stamp(file)
            for kind, population in enumerate(self.found.populations.values()):
                group = file.create_group(f"nodes/{self.names[population.name]}")
                n = population.size
                group["node_id"] = np.arange(n, dtype=np.uint64)
                group["node_type_id"] = np.full(n, kind, dtype=np.int64)
                group["node_group_id"] = np.zeros(n, dtype=np.uint32)
                group["node_group_index"] = np.arange(n, dtype=np.uint64)
                values = {**population.parameters, **{f"{port}.{name}": value for port, name, value in
                                                      _of_receptors(population.receptors)}}
                same = _write_values(group.create_group("0"), values, n)
                source = isinstance(population.model, Source)
                rows.append({"node_type_id": kind, "pop_name": population.name,
                             "model_type": "virtual" if source else "point_neuron",
                             "model_template": f"neurosim:{type(population.model).__name__}", **same})
        self._table("node_types.csv", rows)

    def _edges(self) -> list:
        """Write the synapses of all projections; return the names of their populations."""
        projections = list(self.found.projections.values())
        if not projections:
            return []
        names = runs.unique_names([each.name for each in projections], sonata.plain)
        rows = []
        with whole_hdf5(self.folder / "edges.h5") as file:
            sonata.stamp(file)
            for kind, (name, each) in enumerate(zip(names, projections, strict=True)):
                rows.append({"edge_type_id": kind, "pop_name": each.name, **self._edges_of(file, kind, name, each)})
        self._table("edge_types.csv", rows)
        return names

    def _edges_of(self, file, kind, name, each) -> dict:
        """Write the synapses of a projection, by target as readers expect; return what they have in common."""
        described = each.projection
        order = np.argsort(each.target, kind="stable")
        n = len(order)
        group = file.create_group(f"edges/{name}")
        sizes = {}
        for side in ("source", "target"):
            whole = getattr(described, side).base
            group[f"{side}_node_id"] = getattr(each, side)[order].astype(np.uint64)
            group[f"{side}_node_id"].attrs["node_population"] = self.names[whole.name]
            sizes[side] = whole.size
        group["edge_type_id"] = np.full(n, kind, dtype=np.int64)
        group["edge_group_id"] = np.zeros(n, dtype=np.uint32)
        group["edge_group_index"] = np.arange(n, dtype=np.uint64)
        inner = group.create_group("0")
        values = dict(each.values)
        inner["syn_weight"] = _one_each(values.pop("weight"), n)[order].astype(np.float64)
        inner["delay"] = _one_each(each.delay, n)[order].astype(np.float64)
        same = _write_values(inner, values, n, order)
        indices = group.create_group("indices")
        _write_index(indices.create_group("source_to_target"), group["source_node_id"][:], sizes["source"])
        _write_index(indices.create_group("target_to_source"), group["target_node_id"][:], sizes["target"])
        receptor = described.receptor
        return {"model_template": f"neurosim:{type(receptor).__name__}",
                "weight_unit": receptor.weight_unit(described.target.model) or "", "delay_unit": "ms",
                "rules": " ".join(type(rule).__name__ for rule in described.plasticity), **same}

    # ---- reports and configurations -----------------------------------------------------------------

    def _reports(self) -> dict:
        """Write what was recorded of neurons; return what the configuration says of it."""
        traces = [trace for trace in runs.traces(self.sim) if _reported(trace)]
        names = runs.unique_names([trace.name for trace in traces], sonata.plain)
        reports = {}
        for name, trace in zip(names, traces, strict=True):
            population = self.names[trace.population]
            self._report(f"output/{name}.h5", population, trace)
            every = float(trace.every or 0)
            reports[name] = {"cells": population, "variable_name": trace.variable, "type": "compartment",
                             "sections": "soma", "unit": trace.unit, "dt": every,
                             "start_time": float(trace.times[0]), "end_time": float(trace.times[-1]) + every}
        return reports

    def _report(self, name, population, trace):
        n = len(trace.neurons)
        with whole_hdf5(self.folder / name) as file:
            sonata.stamp(file)
            group = file.create_group(f"report/{population}")
            group["data"] = trace.values
            group["data"].attrs["units"] = trace.unit
            mapping = group.create_group("mapping")
            mapping["node_ids"] = trace.neurons.astype(np.uint64)
            mapping["node_ids"].attrs["sorted"] = np.uint8((np.diff(trace.neurons) > 0).all())
            mapping["index_pointers"] = np.arange(n + 1, dtype=np.uint64)
            mapping["index_pointer"] = mapping["index_pointers"]  # libsonata's name and bmtk's
            mapping["element_ids"] = np.zeros(n, dtype=np.uint32)
            mapping["element_pos"] = np.zeros(n)
            mapping["time"] = np.array([trace.times[0], trace.times[-1] + trace.every, trace.every])
            mapping["time"].attrs["units"] = "ms"

    def _configurations(self, spikes, edges, reports):
        kinds = {self.names[p.name]: {"type": "virtual" if isinstance(p.model, Source) else "point_neuron"}
                 for p in self.found.populations.values()}
        nodes = {"nodes_file": "$BASE/nodes.h5", "node_types_file": "$BASE/node_types.csv", "populations": kinds}
        networks: dict[str, Any] = {"nodes": [nodes], "edges": []}
        if edges:
            networks["edges"] = [{"edges_file": "$BASE/edges.h5", "edge_types_file": "$BASE/edge_types.csv",
                                  "populations": {name: {"type": "chemical"} for name in edges}}]
        self._json("circuit_config.json", {"version": 2, "manifest": {"$BASE": "."}, "networks": networks})
        run = {"tstop": self.sim.time, "random_seed": self.sim.seed}
        if self.sim.dt is not None:
            run["dt"] = self.sim.dt
        output = {"output_dir": "$OUTPUT", **({"spikes_file": "spikes.h5"} if spikes else {})}
        self._json("simulation_config.json", {"version": 1, "manifest": {"$BASE": ".", "$OUTPUT": "$BASE/output"},
                                              "network": "$BASE/circuit_config.json", "run": run, "output": output,
                                              "reports": reports})

    def _json(self, name, content):
        self._text(name, json.dumps(content, indent=1) + "\n")

    def _table(self, name, rows):
        """Write a table as SONATA has them: separated by blanks, NULL where a row has no value."""
        columns = list(dict.fromkeys(key for row in rows for key in row))
        text = io.StringIO()
        writer = csv.writer(text, delimiter=" ", lineterminator="\n")
        writer.writerows([columns, *([_cell(row.get(column)) for column in columns] for row in rows)])
        self._text(name, text.getvalue())

    def _text(self, name, text):
        with whole_file(self.folder / name, encoding="utf-8") as file:
            file.write(text)


def _reported(trace) -> bool:
    """Whether a trace can be a report: of neurons, and sampled regularly."""
    return trace.population is not None and trace.every is not None


def _of_receptors(receptors):
    """Yield (name of a receptor, parameter, value)."""
    for place, (receptor, values) in enumerate(receptors):
        for name, value in values.items():
            yield receptor.name or f"{type(receptor).__name__}{place}", name, value


def _cell(value):
    """An entry of a table, which is never empty."""
    return "NULL" if value is None or value == "" else value


def _one_each(value, n) -> np.ndarray:
    return np.broadcast_to(np.asarray(value), (n,))


def _write_values(group, values, n, order: Any = slice(None)) -> dict:
    """Write what differs from one to the next; return what is the same for all, as text or numbers."""
    same, inner = {}, None
    for name, value in values.items():
        array = np.asarray(value)
        if array.shape == (n,) and array.dtype.kind in "fiub":
            inner = group.create_group("dynamics_params") if inner is None else inner
            inner[name] = array[order].astype(np.float64 if array.dtype.kind == "f" else array.dtype)
        elif array.ndim == 0:
            same[name] = array.item()
        else:
            same[name] = str(value).replace("\n", " ")
    return same


def _write_index(group, nodes, size):
    """Write which edges a node has: ranges of edges, and of those ranges."""
    order = np.argsort(nodes, kind="stable")
    by_node = nodes[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (np.diff(order) != 1) | (by_node[1:] != by_node[:-1])
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(order))
    ranges = np.stack([order[first], order[last - 1] + 1], axis=1) if len(first) else np.zeros((0, 2))
    bounds = np.searchsorted(by_node[first], np.arange(size + 1))
    group["range_to_edge_id"] = ranges.astype(np.uint64)
    group["node_id_to_ranges"] = np.stack([bounds[:-1], bounds[1:]], axis=1).astype(np.uint64)
    group["node_id_to_range"] = group["node_id_to_ranges"]  # libsonata looks for the one name, bmtk for the other
