"""Model files: reading and writing. ``keras`` finds these functions through ``base.registry``."""

from hornbeam.saving.files import load_model, load_weights, save_model, save_weights

__all__ = ["load_model", "load_weights", "save_model", "save_weights"]
