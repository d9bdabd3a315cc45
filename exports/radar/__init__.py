"""The radar: weekly signals from what was released, forecasts of them and of official series, and what is shown."""
