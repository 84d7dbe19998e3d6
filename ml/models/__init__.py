"""One architecture a file; each takes tensors and returns a small dataclass of tensors."""
