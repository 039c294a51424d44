"""Gradients of small e-prop networks by automatic differentiation, for tests/test_eprop.py.

    python tests/golden/eprop_torch.py > tests/golden/eprop.json

It needs PyTorch (made with 2.13.0, CPU). The network is written here from its equations, without neurosim; the paths
that e-prop cuts, from spike to spike and through the reset, are cut with detach().
"""

import json
import math

import numpy as np
import torch


class Spike(torch.autograd.Function):
    """A step with the triangular pseudo-derivative; `alive` is 0 while refractory."""

    @staticmethod
    def forward(ctx, above, alive, dampening):
        ctx.save_for_backward(above, alive)
        ctx.dampening = dampening
        return (above > 0).to(above.dtype) * alive

    @staticmethod
    def backward(ctx, gradient):
        above, alive = ctx.saved_tensors
        return gradient * ctx.dampening * torch.clamp(1 - above.abs(), min=0) * alive, None, None


def gradients(case, weights, x, target, mask):
    """Return the loss and the gradients of a case, by autograd in float64."""
    tensors = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in weights.items()}
    x = torch.tensor(x, dtype=torch.float64)
    mask = torch.tensor(mask, dtype=torch.float64)
    beta = torch.tensor(case["beta"], dtype=torch.float64)
    alpha, rho, kappa = (math.exp(-1.0 / case[tau]) for tau in ("tau_mem", "tau_adapt", "tau_out"))
    thr, gain = case["v_threshold"], case["gain"]
    samples, ticks, _ = x.shape
    n = tensors["w_rec"].shape[0]
    v, b, z, zbar = (torch.zeros(samples, n, dtype=torch.float64) for _ in range(4))
    left = torch.zeros(samples, n)
    spikes, outputs = [], []
    for t in range(ticks):
        current = x[:, t] @ tensors["w_in"] + z.detach() @ tensors["w_rec"]
        v = alpha * v + gain * current - thr * z.detach()
        b = rho * b + z
        alive = (left <= 0).to(torch.float64)
        z = Spike.apply((v - thr - beta * b) / thr, alive, case["dampening"])
        left = torch.where(z > 0, torch.full_like(left, case["t_ref"]), left - 1)
        zbar = kappa * zbar + z
        spikes.append(z)
        y = zbar @ tensors["w_out"]
        if "feedback" in tensors:  # the value of y, but errors go back to the neurons through the feedback weights
            broadcast = zbar @ tensors["feedback"].detach()
            y = zbar.detach() @ tensors["w_out"] + broadcast - broadcast.detach()
        outputs.append(y)
    z, y = torch.stack(spikes, 1), torch.stack(outputs, 1)
    if case["loss"] == "squared":
        loss = 0.5 * ((y - torch.tensor(target, dtype=torch.float64)) ** 2 * mask[:, None]).sum() / samples
    else:
        surprise = -torch.log_softmax(y, 2)[torch.arange(samples), :, torch.tensor(target)]
        loss = (surprise * mask).sum() / samples
    over = z.mean((0, 1)) - case["rate_target"] * 1e-3
    rate_loss = 0.5 * case["rate_weight"] * (over**2).sum()
    (loss + rate_loss).backward()
    found = {name: tensors[name].grad for name in ("w_in", "w_rec", "w_out")}
    found["w_rec"].fill_diagonal_(0.0)
    return {"loss": loss.item(), "rate_loss": rate_loss.item(), "spikes": int(z.sum().item()),
            **{name: value.tolist() for name, value in found.items()}}


CASES = {
    "lif": {"beta": [0.0] * 6, "t_ref": 0, "loss": "squared", "feedback": "symmetric"},
    "alif": {"beta": [0.0, 0.0, 0.3, 0.1, 0.2, 0.4], "t_ref": 2, "loss": "squared", "feedback": "symmetric"},
    "classes": {"beta": [0.0, 0.0, 0.3, 0.1, 0.2, 0.4], "t_ref": 3, "loss": "softmax", "feedback": "symmetric"},
    "random": {"beta": [0.0, 0.0, 0.3, 0.1, 0.2, 0.4], "t_ref": 2, "loss": "squared", "feedback": "random"},
}
COMMON = {"tau_mem": 12.0, "tau_adapt": 60.0, "tau_out": 8.0, "v_threshold": 0.6, "gain": 0.9, "dampening": 0.35,
          "rate_target": 20.0, "rate_weight": 7.0}


def problem(case, seed, *, samples=3, ticks=40, n_in=4, n_out=2):
    """Return weights, input, target and mask of a case, drawn by numpy."""
    rng = np.random.default_rng(seed)
    n = len(case["beta"])
    weights = {"w_in": rng.normal(0, 0.5, (n_in, n)), "w_rec": rng.normal(0, 0.4, (n, n)),
               "w_out": rng.normal(0, 0.5, (n, n_out))}
    np.fill_diagonal(weights["w_rec"], 0.0)
    if case["feedback"] != "symmetric":
        weights["feedback"] = rng.normal(0, 1.0, (n, n_out))
    x = (rng.random((samples, ticks, n_in)) < 0.3).astype(float)
    target = (rng.normal(0, 1, (samples, ticks, n_out)) if case["loss"] == "squared" else
              rng.integers(0, n_out, samples))
    mask = np.where(np.arange(ticks) % 3 == 1, 0.0, rng.random(ticks))
    return {name: value.round(4) for name, value in weights.items()}, x, target.round(4), mask.round(4)


def main():
    """Print all cases, with what they were computed from."""
    found = {"made_with": f"PyTorch {torch.__version__}, float64, tests/golden/eprop_torch.py", "cases": {}}
    for seed, (name, case) in enumerate(CASES.items()):
        case = COMMON | case
        weights, x, target, mask = problem(case, seed)
        found["cases"][name] = {
            "case": case, "weights": {key: value.tolist() for key, value in weights.items()},
            "x": x.astype(int).tolist(), "target": target.tolist(), "mask": mask.tolist(),
            "found": gradients(case, weights, x, target, mask)}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
