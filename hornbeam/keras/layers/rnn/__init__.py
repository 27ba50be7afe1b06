"""Layers that go over sequences step by step."""
