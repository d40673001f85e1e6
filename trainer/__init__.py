"""The models: RQ-VAE, SID tokenizer, ranker. TensorFlow only; TFX appears in each `run_fn`."""
