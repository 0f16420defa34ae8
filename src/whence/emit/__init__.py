"""Verified formulas to straight-line code: a graph of array operations, a plan, and one class per back end."""
