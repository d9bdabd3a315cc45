"""Addresses of this room."""
