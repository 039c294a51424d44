"""Makes tests/golden/neurobench.json: metrics of NeuroBench's harness on a small spiking network of torch.

    python tests/neurobench_reference.py    # needs neurobench 2.3.0, torch and what these need

Two layers of Leaky neurons whose numbers are buffers, the same as the parameters of neurosim's LIF; samples end with
steps without input, so that nothing is cut off by the tick that a projection takes in neurosim. The harness sees one
sample at a time, as it takes a whole batch for multiplications where one value of it is no spike.
"""

import json
from pathlib import Path

import numpy as np

SIZES, STEPS, SAMPLES, LABELS = (20, 12, 4), 40, 6, [3, 0, 1, 1, 2, 3]
LIF = {"tau_mem": 8.0, "v_threshold": 1.0, "v_reset": 0.0, "v_leak": 0.0, "t_ref": 0.0, "i_bias": 0.0, "r": 0.1}
QUIET = 6  #: steps without input at the end


def described():
    """Return weights, a third of which are zero, and given spikes; the last sample has pairs of spikes."""
    rng = np.random.default_rng(4)
    weights = [np.round(rng.uniform(-0.2, 0.6, (n, m)), 3) * (rng.random((n, m)) > 0.33)
               for n, m in zip(SIZES[:-1], SIZES[1:], strict=True)]
    raster = (rng.random((SAMPLES, STEPS, SIZES[0])) < 0.08).astype(int)
    raster[:, -QUIET:] = 0
    raster[-1] *= rng.integers(1, 3, (STEPS, SIZES[0]))
    return weights, raster


def main():
    """Run the harness and write the file."""
    import neurobench
    import torch
    from neurobench.benchmarks import Benchmark
    from neurobench.metrics.static import ConnectionSparsity, Footprint, ParameterCount
    from neurobench.metrics.workload import ActivationSparsity, ClassificationAccuracy, SynapticOperations
    from neurobench.models import TorchModel

    class Neurons(torch.nn.Module):
        def __init__(self, size):
            super().__init__()
            for name, value in LIF.items():
                self.register_buffer(name, torch.tensor(value))
            self.size = size

        def forward(self, arrives):
            self.v = self.v * torch.exp(-1.0 / self.tau_mem) + arrives
            spikes = (self.v > self.v_threshold).float()
            self.v = torch.where(spikes > 0, self.v_reset, self.v)
            return spikes

    class Net(torch.nn.Module):
        def __init__(self, weights):
            super().__init__()
            self.linears = torch.nn.ModuleList(torch.nn.Linear(*w.shape, bias=False) for w in weights)
            self.neurons = torch.nn.ModuleList(Neurons(w.shape[1]) for w in weights)
            for linear, w in zip(self.linears, weights, strict=True):
                linear.weight.data = torch.tensor(w.T, dtype=torch.float32)

        def forward(self, batch):
            counts = 0.0
            for neurons in self.neurons:
                neurons.v = torch.zeros(len(batch), neurons.size)
            for step in range(batch.shape[1]):
                x = batch[:, step]
                for linear, neurons in zip(self.linears, self.neurons, strict=True):
                    x = neurons(linear(x))
                counts = counts + x
            return counts.argmax(1)

    weights, raster = described()
    model = TorchModel(Net(weights))
    model.add_activation_module(Neurons)
    data = torch.utils.data.TensorDataset(torch.tensor(raster, dtype=torch.float32), torch.tensor(LABELS))
    metrics = [[Footprint, ParameterCount, ConnectionSparsity],
               [ActivationSparsity, SynapticOperations, ClassificationAccuracy]]
    with torch.no_grad():
        found = Benchmark(model, torch.utils.data.DataLoader(data, batch_size=1), [], [], metrics).run(quiet=True)
        guessed = model(torch.tensor(raster, dtype=torch.float32)).tolist()
    found = json.loads(json.dumps(found, default=float))
    print(found, guessed)
    path = Path(__file__).parent / "golden" / "neurobench.json"
    path.write_text(json.dumps({"made by": "tests/neurobench_reference.py", "predictions": guessed,
                                "neurobench": neurobench.__version__, "metrics": found}, indent=1) + "\n",
                    encoding="utf-8")


if __name__ == "__main__":
    main()
