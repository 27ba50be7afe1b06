"""Platform choices: the only room that knows platforms, XLA lowerings and JAX versions."""
