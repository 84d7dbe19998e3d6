"""Reads, one question a module: models, runs, training, statistics."""
