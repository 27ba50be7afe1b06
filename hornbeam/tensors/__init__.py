"""What stands at the top of ``tf`` and in no folder: making, shaping, indexing tensors, control flow, variables.

The functions are thin: TensorFlow's names, arguments and dtypes over ``hornbeam.ops``. Three rules hold for
all rooms of this kind and are not repeated in each function:

- ``name=`` is accepted everywhere and carries nothing: eager operations have no names.
- The result is a tensor also for NumPy arrays, plain JAX arrays and Python numbers.
- Where TensorFlow defines the dtype of a result, it is TensorFlow's; where it refuses operands of two dtypes,
  they are brought to their common dtype as in Keras.
"""
