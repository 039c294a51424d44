"""Times of the parts of a network, measured on their circuits: the bridge from junctions to pulses."""

from typing import NamedTuple

import numpy as np


class Time(NamedTuple):
    """Delay and jitter of a part in ps, and its number of junctions."""

    delay: float
    jitter: float
    junctions: int

    def of(self, jitter: float = 1.0) -> dict:
        """Return the parameters of a cell, with the jitter multiplied."""
        return {"delay": self.delay, "jitter": self.jitter * float(jitter), "junctions": self.junctions}


class Times(NamedTuple):
    """Times of all parts at a temperature (K), and how close two pulses come to a merger before they become one, ps."""

    temperature: float
    drive: Time
    line: Time
    splitter: Time
    synapse: Time
    merger: Time
    loop: Time
    merger_dead: float


def measure_times(*, temperature: float = 4.2, runs: int = 400, seed: int = 0, h: float = 0.05, threads=None) -> Times:
    """Return the times of all parts, each measured between two lines: from its driver's last junction to its own last.

    The loop is that of `COINCIDENCE`, at the second of two pulses 8 ps apart. Times of a splitter and of a merger are
    means over their ports. The synapse is biased so that nearly every pulse passes.

    Args:
        temperature: K, for the jitter.
        runs: realisations.
        seed: of the noise.
        h: step, ps.
        threads: processor threads.
    """
    from hardware_models.sfq.circuit import Circuit, Junction, build, extract_timing, simulate
    from hardware_models.sfq.network.circuits import drive, line, sink, synapse_line
    from hardware_models.sfq.network.loop import COINCIDENCE

    def between(part, first, last, pulses=(30.0,)):
        circuit = Circuit("part")
        drive(circuit, "IN", pulses, "x")
        circuit.include("P", part, "x", "y")
        sink(circuit, "OUT", "y")
        run = simulate(circuit, 140.0, h=h, temperature=temperature, seed=seed, keys=np.arange(runs), threads=threads)
        # A lone output belongs to the last pulse
        spent = np.subtract(run.pulse_time(f"P.{last}"), run.pulse_time(f"P.{first}", len(pulses) - 1))
        spent = spent[np.isfinite(spent)]
        return float(spent.mean()), float(spent.std())

    def cell(kind):
        found = extract_timing(kind, temperature=temperature, runs=runs, seed=seed, h=h, threads=threads)
        jitters, delays = list(found["jitter"].values()), list(found["delay"].values())
        return Time(float(np.mean(delays)), float(np.mean(jitters)), len(build(kind).names(Junction))), found

    per_hop, hop_jitter = (np.array(between(line(11), "B1", "B11")) / (10.0, 10.0**0.5)).tolist()
    loop = np.array(between(COINCIDENCE.circuit(), "B1", "B5", (30.0, 38.0)))
    synapse = np.array(between(synapse_line(0.17), "B1", "B8"))
    merger, found = cell("merger")
    splitter, _ = cell("splitter")
    return Times(temperature, Time(4 * per_hop, 2 * hop_jitter, 4), Time(per_hop, hop_jitter, 1), splitter,
                 Time(float(synapse[0]) + per_hop, float(np.hypot(synapse[1], hop_jitter)), 9), merger,
                 Time(float(loop[0]) + per_hop, float(np.hypot(loop[1], hop_jitter)), 5),
                 max(found["spacing"].values()))


#: `measure_times(runs=200)`; the synapse has the four junctions of a line before and after it.
TIMES = Times(4.2, Time(7.8911, 0.0715, 4), Time(1.9728, 0.0358, 1), Time(6.1094, 0.1880, 3), Time(18.4029, 0.2090, 9),
              Time(9.3499, 0.1942, 7), Time(12.6396, 0.3410, 5), 5.876)
