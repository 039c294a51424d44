"""What the bridge says where PyTorch or NIR is not installed."""

import subprocess
import sys

import pytest


def without(package, call):
    code = ("import sys\nclass Absent:\n    def find_spec(self, name, *rest):\n"
            f"        if name.split('.')[0] == {package!r}:\n            raise ModuleNotFoundError(name)\n"
            "sys.meta_path.insert(0, Absent())\n"
            "import neurosim as ns\nfrom neurosim.errors import UnsupportedError\n"
            "print(ns.bridge.FastSigmoid(10.0))\n"
            f"try:\n    ns.bridge.{call}()\nexcept UnsupportedError as error:\n    print(error)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    first, *more = done.stdout.splitlines()
    assert first == "FastSigmoid(sharpness=10.0)", done.stderr
    return more


def test_without_pytorch_one_sentence_says_what_to_install():
    assert without("torch", "Readout") == ["the bridge must have PyTorch, which is not installed; get it with pip "
                                           'install "neurosim-toolkit[torch]"']


def test_without_nir_one_sentence_says_what_to_install():
    pytest.importorskip("torch", reason="PyTorch is not installed; the extra torch has it")
    assert without("nir", "to_nir") == ["the exchange must have NIR, which is not installed; get it with pip install "
                                        '"neurosim-toolkit[torch,nir]"']
