"""Functional losses: one value per sample, each function one op, so that an eager call is one compiled program."""
