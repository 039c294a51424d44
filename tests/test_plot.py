"""Plots: each returns its artists, and they hold what was given."""

from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
from scipy import sparse

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.image import AxesImage
from matplotlib.patches import FancyArrowPatch, StepPatch

from neurosim import plot
from neurosim.encoders import Cochlea
from neurosim.errors import FileError, ParameterError
from neurosim.spikes import Spikes


@pytest.fixture
def ax():
    figure, axes = plt.subplots()
    yield axes
    figure.canvas.draw()  # what cannot be drawn fails here
    plt.close(figure)


@pytest.fixture
def spikes():
    return Spikes(ticks=[1, 30, 50, 70, 95], ids=[0, 1, 1, 1, 2], size=3, duration=10.0, dt=0.1, name="exc")


# ---- spikes ---------------------------------------------------------------------------------------


def test_raster_marks_every_spike(ax, spikes):
    (line,) = plot.raster(spikes, ax)
    assert np.array_equal(line.get_xdata(), spikes.times) and np.array_equal(line.get_ydata(), spikes.ids)
    assert ax.get_xlabel() == "Time (ms)" and ax.get_ylabel() == "Neuron" and ax.get_xlim() == (0.0, 10.0)


@pytest.mark.parametrize("form", [list, lambda parts: {"a": parts[0], "b": parts[1]}])
def test_raster_stacks_populations(ax, spikes, form):
    lines = plot.raster(form([spikes, spikes.replace(name="inh")]), ax)
    assert np.array_equal(lines[1].get_ydata(), spikes.ids + 3.0)
    assert len({line.get_color() for line in lines}) == 2
    assert [text.get_text() for text in ax.get_yticklabels()] in (["exc", "inh"], ["a", "b"])


def test_raster_without_spikes_and_without_neurons(ax):
    (line,) = plot.raster(Spikes(ticks=[], ids=[], size=4, duration=1.0, dt=0.1), ax)
    assert len(line.get_xdata()) == 0 and ax.get_ylim() == (-0.5, 3.5)


def test_big_rasters_are_drawn_as_one_image(ax):
    many = Spikes(ticks=np.arange(1, 30001), ids=np.arange(30000) % 5000, size=5000, duration=3000.0, dt=0.1)
    assert plot.raster(many, ax)[0].get_rasterized()


def test_population_rate(ax, spikes):
    (steps,) = plot.population_rate(spikes, width=4.0, ax=ax)
    assert isinstance(steps, StepPatch)
    assert np.allclose(steps.get_data().values, [2 / 0.004 / 3, 2 / 0.004 / 3, 1 / 0.002 / 3])
    assert np.allclose(steps.get_data().edges, [0, 4, 8, 10]) and "Hz" in ax.get_ylabel()


def test_population_rate_of_several_has_a_legend(ax, spikes):
    assert len(plot.population_rate({"exc": spikes, "inh": spikes}, ax=ax)) == 2
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["exc", "inh"]


@pytest.mark.parametrize("bins", [1, 7, 50, [0.0, 1.0, 2.5]])
def test_isi_histogram_counts_every_interval(ax, spikes, bins):
    bars = plot.isi_histogram(spikes, bins, ax)
    assert bars.get_data().values.sum() == 2 and "(ms)" in ax.get_xlabel()
    assert len(bars.get_data().values) <= (bins if np.isscalar(bins) else 2)


def test_isi_histogram_has_no_stripes_from_the_grid(ax):
    rng = np.random.default_rng(1)
    ticks = np.cumsum(rng.integers(1, 24, 4000))
    spikes = Spikes(ticks=ticks, ids=np.zeros(4000, dtype=int), size=1, duration=6000.0, dt=0.1)
    counts = plot.isi_histogram(spikes, 23, ax).get_data().values
    assert counts.sum() == 3999 and counts[2:-1].max() < 1.5 * counts[2:-1].min()


def test_isi_histogram_without_intervals(ax):
    for nothing in (Spikes(ticks=[1], ids=[0], size=1, duration=1.0, dt=0.1),
                    Spikes.from_times([0.5], [0], size=1, duration=1.0)):
        assert plot.isi_histogram(nothing, ax=ax).get_data().values.sum() == 0


@pytest.mark.parametrize("draw", [plot.raster, plot.population_rate, plot.isi_histogram])
def test_only_spikes_are_drawn_as_spikes(draw):
    for bad in ([1, 2], None, np.zeros(3)):
        with pytest.raises(ParameterError, match="must be Spikes"):
            draw(bad)


# ---- traces ---------------------------------------------------------------------------------------


def test_traces(ax):
    times, values = np.arange(5.0), np.arange(10.0).reshape(5, 2)
    lines = plot.traces(times, values, ["a", "b"], ax)
    assert [line.get_label() for line in lines] == ["a", "b"]
    assert np.array_equal(lines[1].get_ydata(), values[:, 1]) and ax.get_ylabel() == "Membrane potential (mV)"


def test_traces_of_one_variable_without_unit(ax):
    assert len(plot.traces([0.0, 1.0], [1.0, 2.0], ax=ax, unit="", label="u")) == 1
    assert ax.get_ylabel() == "u" and ax.get_legend() is None


def test_spike_marks_stand_above_the_traces(ax, spikes):
    lines = plot.traces(np.arange(10.0), np.zeros((10, 3)), ax=ax, spikes=spikes)
    assert [len(line.get_xdata()) for line in lines[3:]] == spikes.counts().tolist()
    levels = [line.get_ydata()[0] for line in lines[3:]]
    assert 0 < levels[0] < levels[1] < levels[2] < ax.get_ylim()[1]
    assert [line.get_color() for line in lines[:3]] == [line.get_color() for line in lines[3:]]


def test_many_traces_stay_apart(ax):
    lines = plot.traces([0.0, 1.0], np.zeros((2, 20)), ax=ax)
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 20


def test_traces_refuse_what_does_not_fit(ax, spikes):
    for arguments in (([0.0, 1.0], [[1.0]]), ([0.0], [1.0], ["a", "b"]), ([0.0], [1.0], "a")):
        with pytest.raises(ParameterError, match=r"traces\.(values|names)"):
            plot.traces(*arguments, ax=ax)
    with pytest.raises(ParameterError, match=r"traces\.spikes must be Spikes of 1 neuron"):
        plot.traces([0.0], [1.0], ax=ax, spikes=spikes)


# ---- weights and networks -------------------------------------------------------------------------


def test_weight_matrix_shows_absent_synapses_as_absent(ax):
    matrix = sparse.coo_array(([1.0, 2.0, 0.5, 0.0], ([0, 0, 1, 1], [1, 1, 0, 2])), shape=(2, 3))
    image = plot.weight_matrix(matrix, ax, unit="mV")
    assert isinstance(image, AxesImage) and image.colorbar.ax.get_ylabel() == "Weight (mV)"
    shown = np.ma.filled(image.get_array(), np.nan)
    assert np.array_equal(shown, [[np.nan, 3.0, np.nan], [0.5, np.nan, 0.0]], equal_nan=True)


@pytest.mark.parametrize("weights, limits", [([1.0, 2.0], (0, 2)), ([-1.0, -2.0], (-2, 0)), ([-1.0, 2.0], (-2, 2)),
                                             ([0.0, 0.0], (0, 1)), ([np.nan, np.nan], (0, 1))])
def test_weight_scale_tells_signs_apart(ax, weights, limits):
    assert plot.weight_matrix([weights], ax).get_clim() == limits


def test_big_weight_matrices_are_drawn_in_blocks(ax):
    matrix = sparse.random(5000, 2500, density=0.01, random_state=0)
    image = plot.weight_matrix(matrix, ax)
    assert image.get_array().shape == (1000, 500) and "blocks" in image.colorbar.ax.get_ylabel()
    block = matrix.tocsr()[:5, :5].data
    assert np.isclose(image.get_array()[0, 0], block.mean()) if len(block) else image.get_array().mask[0, 0]


def test_weight_matrix_leaves_its_argument_alone(ax):
    matrix = sparse.coo_matrix(([1.0, 2.0], ([0, 0], [0, 0])), shape=(1, 1))
    plot.weight_matrix(matrix, ax)
    assert matrix.nnz == 2


def test_weight_matrix_refusals(ax):
    for bad in ([1.0, 2.0], np.zeros((0, 3))):
        with pytest.raises(ParameterError, match=r"weight_matrix\.matrix"):
            plot.weight_matrix(bad, ax)


def network(names, pairs, as_dict=False):
    nodes = {name: SimpleNamespace(name=name, size=1000) for name in names}
    projections = [SimpleNamespace(name=f"{a} to {b}", source=nodes[a], target=nodes[b]) for a, b in pairs]
    return SimpleNamespace(populations=nodes if as_dict else tuple(nodes.values()), projections=projections)


@pytest.mark.parametrize("as_dict", [False, True])
def test_connectivity_draws_an_arrow_per_pair(ax, as_dict):
    pairs = [("exc", "exc"), ("exc", "inh"), ("inh", "exc"), ("exc", "inh")]
    arrows = plot.connectivity(network(["exc", "inh"], pairs, as_dict), ax)
    assert len(arrows) == 3 and all(isinstance(arrow, FancyArrowPatch) for arrow in arrows)
    texts = [text.get_text() for text in ax.texts]
    assert "exc\n1,000" in texts and "exc to inh\nexc to inh" in texts


def test_connectivity_of_one_population(ax):
    assert plot.connectivity(network(["exc"], []), ax) == []
    assert len(plot.connectivity(network(["exc"], [("exc", "exc")]), ax)) == 1


def test_connectivity_adds_sources_that_are_no_populations(ax):
    net = network(["noise", "exc"], [("noise", "exc")])
    net.populations = net.populations[1:]
    del net.projections[0].source.size
    assert len(plot.connectivity(net, ax)) == 1 and "noise" in [text.get_text() for text in ax.texts]


def test_connectivity_of_many_is_a_matrix(ax):
    names = [f"p{k}" for k in range(12)]
    (image,) = plot.connectivity(network(names, [("p0", "p1"), ("p0", "p1"), ("p3", "p2")]), ax)
    counts = image.get_array()
    assert counts[0, 1] == 2 and counts[3, 2] == 1 and counts.sum() == 3


def test_connectivity_refusals(ax):
    with pytest.raises(ParameterError, match="at least one population"):
        plot.connectivity(network([], []), ax)
    with pytest.raises(ParameterError, match="must have populations"):
        plot.connectivity("net", ax)


# ---- shared ---------------------------------------------------------------------------------------


def test_the_current_axes_are_the_default(ax, spikes):
    plt.sca(ax)
    assert plot.raster(spikes)[0].axes is ax


def test_colors_can_be_chosen(ax, spikes):
    assert plot.raster([spikes, spikes, spikes], ax, colors=["red", "blue"])[2].get_color() == "red"


def test_importing_the_module_does_not_import_matplotlib():
    import subprocess
    import sys

    code = "import sys, neurosim.plot; sys.exit('matplotlib' in sys.modules or 'h5py' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_confusion_matrix_counts_and_shades():
    fig, ax = plt.subplots()
    image = plot.confusion(["a", "a", "b", "b", "b"], ["a", "b", "b", "b", "a"], ax=ax)
    np.testing.assert_allclose(image.get_array(), [[0.5, 0.5], [1 / 3, 2 / 3]])
    assert sorted(text.get_text() for text in ax.texts) == ["1", "1", "1", "2"]
    with pytest.raises(ParameterError, match="predictions must be one for each of the labels"):
        plot.confusion([1, 2], [1])


def test_events_become_a_picture():
    fields = [("x", int), ("y", int), ("t", int), ("p", int)]
    events = np.array([(0, 1, 0, 1), (0, 1, 5, 1), (2, 0, 9, 0)], dtype=fields)
    np.testing.assert_array_equal(plot.events(events, (3, 2, 2)).get_array(), [[0, 0, -1], [2, 0, 0]])
    with pytest.raises(ParameterError, match="must lie on the sensor of 2 x 2 pixels"):
        plot.events(events, (2, 2, 2))
    with pytest.raises(ParameterError, match="fields x, y and p"):
        plot.events(np.zeros(3))


def test_a_sound_its_cochleagram_and_its_spikes_share_one_time_axis():
    rate, cochlea = 8000, Cochlea(40)
    heard = np.sin(2 * np.pi * 1000 * np.arange(2400) / rate)
    spikes = cochlea.encode(heard, rate, seed=3)
    wave, gram, raster = plot.sound(heard, rate, cochlea, spikes)
    assert wave.get_xlim() == gram.get_xlim() == raster.get_xlim() == (0.0, 300.0)
    assert np.array_equal(raster.lines[0].get_xdata(), spikes.times)
    (image,) = gram.get_images()
    assert image.get_array().shape[0] == 40 and image.get_array().max() == 0.0
    assert gram.get_ylim() == raster.get_ylim() == (39.5, -0.5)  # channel 0, of the highest frequency, on top
    labels = [tick.get_text() for tick in raster.get_yticklabels()]
    assert labels == ["125 Hz", "250 Hz", "500 Hz", "1 kHz", "2 kHz", "4 kHz", "8 kHz", "16 kHz"]
    places = raster.get_yticks()
    assert abs(places[3] - np.interp(-1000.0, -cochlea.frequencies, np.arange(40))) < 0.5
    with pytest.raises(ParameterError, match=r"plot\.sound\.spikes must be those of 40 channels"):
        plot.sound(heard, rate, cochlea, Cochlea(20).encode(heard, rate))
    plt.close(wave.figure)


def test_activity_shares_one_time_axis():
    parts = {name: Spikes(ticks=[1, 3], ids=[0, 1], size=2, duration=1.0, dt=0.1) for name in ("input", "liquid")}
    axes = plot.activity(parts, plt.figure(), marks={0.0: "begin"})
    assert [ax.get_ylabel() for ax in axes] == ["input", "liquid"] and axes[0].get_xlim() == axes[1].get_xlim()


# ---- style, letters, files ------------------------------------------------------------------------------------------


def test_panels_that_share_time_label_it_once(spikes):
    figure, axes = plt.subplots(3, 2, sharex="col")
    for row in axes:
        plot.raster(spikes, row[0])
        plot.population_rate(spikes, 1.0, row[1])
    assert [[ax.get_xlabel() for ax in row] for row in axes] == [["", ""], ["", ""], ["Time (ms)"] * 2]
    plt.close(figure)


def test_the_style_is_taken_back():
    before = dict(matplotlib.rcParams)
    with plot.style(font_size=12.5):
        assert matplotlib.rcParams["font.size"] == 12.5 and not matplotlib.rcParams["axes.spines.right"]
        assert matplotlib.rcParams["axes.prop_cycle"].by_key()["color"] == list(plot.COLORS)
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("changes", [{"font_sise": 3}, {"font_size": "big enough"}])
def test_a_style_that_does_not_fit_changes_nothing(changes):
    before = dict(matplotlib.rcParams)
    with pytest.raises(ParameterError, match="plot.style must be given settings of matplotlib.*font_si"):
        plot.style(**changes)
    assert dict(matplotlib.rcParams) == before


def test_letters_are_of_panels_alone():
    figure, axes = plt.subplots(1, 3)
    figure.colorbar(axes[0].imshow([[0, 1]]), ax=axes[0])
    axes[1].twinx()
    axes[2].set_axis_off()
    assert [text.get_text() for text in plot.letters(figure)] == ["a", "b"]
    alone, ax = plt.subplots()
    assert plot.letters(alone) == [] and [text.get_text() for text in plot.letters([ax])] == ["a"]
    plt.close("all")


@pytest.mark.parametrize(("kind", "begin"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_figures_are_saved_as_their_name_says(kind, begin, tmp_path, spikes):
    figure, axes = plt.subplots(2, 1)
    plot.raster(spikes, axes[0])
    path = plot.save(figure, tmp_path / f"figure.{kind}")
    assert path.read_bytes().startswith(begin) and list(tmp_path.iterdir()) == [path]
    with pytest.raises(ParameterError, match=r"must end in .png or .pdf or .svg, got 'figure.jpg'"):
        plot.save(figure, "figure.jpg")
    plt.close(figure)


def test_a_figure_makes_its_folder(tmp_path):
    """It comes last in a run that took long."""
    path = tmp_path / "a" / "b" / "figure.png"
    assert plot.save(plt.figure(), path) == path and path.stat().st_size > 100
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(FileError, match="file.figure.png cannot be written"):
        plot.save(plt.figure(), tmp_path / "file" / "figure.png")
