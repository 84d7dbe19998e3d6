"""What models are trained on: records, titles as tokens, pictures as tensors."""
