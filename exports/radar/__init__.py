"""The radar: weekly signals from released counts, forecasts of these and of official series, and their presentation."""
