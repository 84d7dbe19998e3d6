"""Evaluating: a model folder and a dataset folder in, figures and a report out. Importing this loads no torch."""
