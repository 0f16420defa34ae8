"""Formulas at given arrays in float64: values, how far rounding carries them, wrong formulas, and where arrays differ."""
