"""NIR, imported when the exchange is first used, or one sentence that says how to get it."""

from neurosim.bridge.extra import MissingExtraError

try:
    import nir as nir
except ImportError:
    raise MissingExtraError("the exchange must have NIR, which is not installed; get it with pip install "
                            '"neurosim-toolkit[torch,nir]"') from None
