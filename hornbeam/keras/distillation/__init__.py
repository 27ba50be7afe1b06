"""Knowledge distillation: a small model learns from a large one. References: Keras ``keras.distillation``."""

from hornbeam.keras.distillation.distiller import Distiller
from hornbeam.keras.distillation.losses import DistillationLoss, FeatureDistillation, LogitsDistillation

__all__ = ["DistillationLoss", "Distiller", "FeatureDistillation", "LogitsDistillation"]
