"""Ramp converters whose ramp bends, so that the conversion computes an activation function."""

from hardware_models.ramp_adc.adc import Ramp, RampADC, inl_trials
from hardware_models.ramp_adc.functions import FUNCTIONS, Function
from hardware_models.ramp_adc.recurrent import lstm, lstm_ramps

__all__ = ["FUNCTIONS", "Function", "Ramp", "RampADC", "inl_trials", "lstm", "lstm_ramps"]
