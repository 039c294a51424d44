"""Makes tests/golden/analysis.npz: what Elephant, PySpike and powerlaw say of spike trains, for neurosim.analysis.

Run it with a Python that has them (`pip install elephant==1.2.1 pyspike==0.9.0 powerlaw==2.0.0`):
`python tests/analysis_reference.py`. The trains are in the file, so that the tests take the same ones.
"""

import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np

T = 1000.0  #: ms
RATES = (0, 0, 1, 1, 2, 5, 10, 20, 40, 80, 40, 40)  #: spikes of each train


def drawn(generator):
    """Trains at times that lie on no grid and on no edge of a bin: silent, single, at the end, dense and equal."""
    trains = [np.sort(generator.uniform(0.01, T, n)) for n in RATES]
    trains[4][-1] = T
    trains[11] = trains[10].copy()
    return trains


def dissimilarities(trains):
    """Of PySpike and Elephant."""
    import neo
    import pyspike
    import quantities as pq
    from elephant.spike_train_correlation import spike_time_tiling_coefficient
    from elephant.spike_train_dissimilarity import van_rossum_distance, victor_purpura_distance

    theirs = [pyspike.SpikeTrain(train, (0.0, T)) for train in trains]
    of_neo = [neo.SpikeTrain(train * pq.ms, t_stop=T * pq.ms) for train in trains]
    tiling = [[spike_time_tiling_coefficient(a, b, dt=5 * pq.ms) if len(a) and len(b) else np.nan for b in of_neo]
              for a in of_neo]
    return {"isi_distance": pyspike.isi_distance_matrix(theirs),
            "spike_distance": pyspike.spike_distance_matrix(theirs),
            "spike_synchronization": pyspike.spike_sync_matrix(theirs), "sttc_5": np.array(tiling),
            **{f"victor_purpura_{q}": victor_purpura_distance(of_neo, q * pq.Hz) for q in (0, 10, 1000)},
            **{f"van_rossum_{tau}": van_rossum_distance(of_neo, tau * pq.ms) for tau in (1, 20, 1000)}}


def statistics(trains):
    """Of Elephant, for the trains that have enough spikes."""
    import neo
    import quantities as pq
    from elephant import conversion, sta
    from elephant import statistics as theirs
    from elephant.spike_train_correlation import correlation_coefficient, cross_correlation_histogram

    of_neo = [neo.SpikeTrain(train * pq.ms, t_stop=T * pq.ms) for train in trains]
    dense = of_neo[5:]
    intervals = [theirs.isi(train) for train in dense]
    fine = conversion.BinnedSpikeTrain(of_neo[6:], bin_size=10 * pq.ms)
    per_ms = [conversion.BinnedSpikeTrain([train], bin_size=1 * pq.ms) for train in (of_neo[8], of_neo[9])]
    histogram, lags = cross_correlation_histogram(*per_ms, window=[-20, 20], border_correction=False)
    signal = np.sin(np.arange(1000) / 20.0) + np.arange(1000) / 500.0
    analog = neo.AnalogSignal(signal * pq.mV, sampling_rate=1 * pq.kHz)
    on_grid = neo.SpikeTrain(np.unique(np.ceil(trains[8])) * pq.ms, t_stop=T * pq.ms)
    average = sta.spike_triggered_average(analog, on_grid, (-15 * pq.ms, 6 * pq.ms))
    histogram_of_all = theirs.time_histogram(of_neo, bin_size=50 * pq.ms, output="rate")
    return {"cv2": [theirs.cv2(each) for each in intervals], "lv": [theirs.lv(each) for each in intervals],
            "lvr_5": [theirs.lvr(each, R=5 * pq.ms) for each in intervals],
            "correlation_10": correlation_coefficient(fine),
            "fano": theirs.fanofactor(of_neo), "correlogram": histogram.magnitude.ravel(), "correlogram_lags": lags,
            "psth_50": histogram_of_all.rescale("Hz").magnitude.ravel(),
            "signal": signal, "sta": average.magnitude.ravel(), "sta_lags": average.times.rescale("ms").magnitude}


def power_laws(generator):
    """Of powerlaw: exponent, lower bound, distance, and values."""
    import powerlaw

    found = {}
    for name, discrete, values in (("continuous", False, 3.0 * (1 - generator.random(2000)) ** (-1 / 1.4)),
                                   ("discrete", True, generator.zipf(2.2, 3000))):
        values = np.concatenate([values, generator.integers(1, 4, 500)]).astype(np.float64)
        fit = powerlaw.Fit(values, discrete=discrete, estimate_discrete=False, verbose=0)
        least = 4.0
        held = powerlaw.Fit(values, discrete=discrete, estimate_discrete=False, xmin=least, verbose=0)
        found |= {f"{name}_values": values, f"{name}_free": [fit.power_law.alpha, fit.xmin, fit.power_law.D],
                  f"{name}_held": [held.power_law.alpha, held.xmin, held.power_law.D]}
    return found


def main():
    generator = np.random.default_rng(16)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trains = drawn(generator)
        found = {**dissimilarities(trains), **statistics(trains), **power_laws(generator)}
    made = ", ".join(f"{name} {version(name)}" for name in ("elephant", "pyspike", "powerlaw"))
    np.savez_compressed(Path(__file__).parent / "golden" / "analysis.npz", made=made, duration=T,
                        times=np.concatenate(trains), many=[len(train) for train in trains], **found)


if __name__ == "__main__":
    main()
