"""One loss a file: pure functions with shapes, paper and equation."""
