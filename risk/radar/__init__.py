"""Forecasts of official series, from files and to files."""
