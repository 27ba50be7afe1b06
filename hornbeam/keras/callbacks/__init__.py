"""Callbacks: what happens beside training, at fixed points of it.

References: Keras ``keras.callbacks``.
"""

from hornbeam.keras.callbacks.backup_and_restore import BackupAndRestore
from hornbeam.keras.callbacks.callback import Callback
from hornbeam.keras.callbacks.callback_list import CallbackList
from hornbeam.keras.callbacks.csv_logger import CSVLogger
from hornbeam.keras.callbacks.early_stopping import EarlyStopping
from hornbeam.keras.callbacks.history import History
from hornbeam.keras.callbacks.lambda_callback import LambdaCallback
from hornbeam.keras.callbacks.learning_rate_scheduler import LearningRateScheduler
from hornbeam.keras.callbacks.model_checkpoint import ModelCheckpoint
from hornbeam.keras.callbacks.monitor_callback import MonitorCallback
from hornbeam.keras.callbacks.orbax_checkpoint import OrbaxCheckpoint
from hornbeam.keras.callbacks.progbar_logger import ProgbarLogger
from hornbeam.keras.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
from hornbeam.keras.callbacks.remote_monitor import RemoteMonitor
from hornbeam.keras.callbacks.swap_ema_weights import SwapEMAWeights
from hornbeam.keras.callbacks.tensorboard import TensorBoard
from hornbeam.keras.callbacks.terminate_on_nan import TerminateOnNaN

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "MonitorCallback",
    "OrbaxCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
]
