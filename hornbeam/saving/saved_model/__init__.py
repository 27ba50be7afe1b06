"""SavedModel folders, read and written without TensorFlow."""
