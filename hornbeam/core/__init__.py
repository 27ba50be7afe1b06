"""Tensors, variables, the door through which every op goes, gradient tapes and compiled functions."""
