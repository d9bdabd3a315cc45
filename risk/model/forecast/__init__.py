"""Forecast weekly series one to four weeks ahead, from what was known on a date.

Pure: rows in, quantiles out; randomness comes in as a seed. `radar.forecasts` runs the forecast, `score` evaluates it.
"""
