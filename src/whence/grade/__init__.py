"""Grading a class: one rubric, many submissions, answers with the same mistake together."""
