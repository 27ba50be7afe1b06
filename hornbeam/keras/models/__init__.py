"""Models: ``Model``, ``Sequential``, functional models, and how to clone them."""

from hornbeam.keras.models.clone import clone_model
from hornbeam.keras.models.functional import Functional
from hornbeam.keras.models.model import Model, model_from_config, model_from_json
from hornbeam.keras.models.sequential import Sequential
from hornbeam.keras.saving import load_model, save_model

__all__ = ["Functional", "Model", "Sequential", "clone_model", "load_model", "model_from_config", "model_from_json", "save_model"]
