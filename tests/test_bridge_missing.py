"""What the bridge says where PyTorch is not installed."""

import subprocess
import sys


def test_without_pytorch_one_sentence_says_what_to_install():
    code = ("import sys\nclass Absent:\n    def find_spec(self, name, *rest):\n"
            "        if name.split('.')[0] == 'torch':\n            raise ModuleNotFoundError(name)\n"
            "sys.meta_path.insert(0, Absent())\n"
            "import neurosim as ns\nfrom neurosim.errors import UnsupportedError\n"
            "print(ns.bridge.FastSigmoid(10.0))\n"
            "try:\n    ns.bridge.Readout()\nexcept UnsupportedError as error:\n    print(error)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        "FastSigmoid(sharpness=10.0)", 'the bridge must have PyTorch, which is not installed; get it with pip install '
                             '"neurosim-toolkit[torch]"'], done.stderr
