"""What a trial does: data, models, training, compression, measures. Plain PyTorch, no service."""
