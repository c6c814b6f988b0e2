"""Training: arguments, batches with sampled negatives, optimizer, checkpoints."""
