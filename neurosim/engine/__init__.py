"""The compiled core: arrays, kernels, and the loop that runs them."""
