"""TensorFlow graphs run as JAX programs, through a closed table of operations."""
