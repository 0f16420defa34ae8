"""Formulas at arrays in float64: values, how far rounding carries them, wrong formulas, where arrays differ."""
